package seal_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants/seal"
)

func newKey(t *testing.T) seal.Key {
	text, err := seal.NewKey(rand.Reader)
	require.NoError(t, err)
	k, err := seal.ParseKey(text + "\n")
	require.NoError(t, err)
	return k
}

func TestOpensWhatItSealed(t *testing.T) {
	k := newKey(t)
	seen := map[string]bool{}
	for _, secret := range []string{"", "x", "whsec_" + strings.Repeat("A", 88), strings.Repeat("ä", 5000)} {
		sealed, err := k.Seal(secret, "acme", "cms-1")
		require.NoError(t, err)
		opened, err := k.Open(sealed, "acme", "cms-1")
		require.NoError(t, err)
		assert.Equal(t, secret, opened)
		if len(secret) > 5 { // fewer letters may stand there by chance
			assert.NotContains(t, sealed, secret[:6])
		}

		again, err := k.Seal(secret, "acme", "cms-1")
		require.NoError(t, err)
		assert.Equal(t, sealed, again, "nothing changed, nothing is published")
		for _, other := range [][]string{{"globex", "cms-1"}, {"acme", "cms-2"}, {"acmecms-1", ""}, {"acme", "cms-1", ""}, {}} {
			_, err := k.Open(sealed, other...)
			require.Equal(t, "seal_broken", fault.As(err).Code, "%v", other)
			elsewhere, err := k.Seal(secret, other...)
			require.NoError(t, err)
			nonce := func(s string) string { return s[:3+16] }
			assert.NotEqual(t, nonce(sealed), nonce(elsewhere), "no nonce twice")
			seen[nonce(elsewhere)] = true
		}
		seen[sealed[:3+16]] = true
	}
	assert.Len(t, seen, 4*6)
}

// While a new version of a Worker is tried out, it reads what the key before sealed; after a second renewal that key opens nothing.
func TestAKeyIsRenewed(t *testing.T) {
	parse := func(text string) seal.Key {
		k, err := seal.ParseKey(text)
		require.NoError(t, err)
		return k
	}
	renew := func(text string) string {
		text, err := seal.Renew(rand.Reader, text)
		require.NoError(t, err)
		return text
	}
	first, err := seal.NewKey(rand.Reader)
	require.NoError(t, err)
	second := renew(first)
	third := renew(second)
	old, err := parse(first).Seal("secret", "acme")
	require.NoError(t, err)
	opened, err := parse(second).Open(old, "acme")
	require.NoError(t, err)
	assert.Equal(t, "secret", opened)
	_, err = parse(second).Open(old, "globex")
	assert.Equal(t, "seal_broken", fault.As(err).Code)
	fresh, err := parse(second).Seal("secret", "acme")
	require.NoError(t, err)
	assert.NotEqual(t, old, fresh, "the new key seals")
	for text, sealed := range map[string]string{first: fresh, seal.Newest(second): old, third: old} {
		_, err = parse(text).Open(sealed, "acme")
		assert.Equal(t, "seal_broken", fault.As(err).Code)
	}
	for _, bad := range []string{first + " x", first + " " + first + " " + first, "x " + first} {
		_, err := seal.ParseKey(bad)
		assert.Equal(t, "seal_key_invalid", fault.As(err).Code)
		assert.NotContains(t, err.Error(), first)
	}
}

func TestOpensNothingElse(t *testing.T) {
	k := newKey(t)
	sealed, err := k.Seal("a secret", "acme", "cms-1")
	require.NoError(t, err)
	_, err = newKey(t).Open(sealed, "acme", "cms-1")
	assert.Equal(t, "seal_broken", fault.As(err).Code, "another pool's key")
	for i := range sealed {
		changed := []byte(sealed)
		changed[i] ^= 1
		_, err := k.Open(string(changed), "acme", "cms-1")
		require.Error(t, err, "byte %d", i)
		assert.NotContains(t, err.Error(), "a secret")
	}
	for i := range sealed {
		_, err := k.Open(sealed[:i], "acme", "cms-1")
		require.Error(t, err, "%d bytes", i)
	}
}

func TestTheZeroKeyDoesNothing(t *testing.T) {
	var none seal.Key
	_, err := none.Seal("a secret", "acme")
	assert.True(t, fault.Is(err, fault.Unavailable))
	_, err = none.Open("s1.AAAA", "acme")
	assert.Equal(t, "seal_key_missing", fault.As(err).Code)
}

func TestKeysAreChecked(t *testing.T) {
	for _, text := range []string{"", "x", base64.StdEncoding.EncodeToString(make([]byte, 31)), base64.StdEncoding.EncodeToString(make([]byte, 33))} {
		_, err := seal.ParseKey(text)
		require.Error(t, err)
		assert.Equal(t, "seal_key_invalid", fault.As(err).Code)
		if text != "" {
			assert.NotContains(t, err.Error(), text)
		}
	}
	_, err := seal.NewKey(iotest.ErrReader(errors.New("no entropy")))
	assert.ErrorContains(t, err, "no entropy")
}

func Example() {
	key, _ := seal.ParseKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	sealed, _ := key.Seal("whsec_...", "acme", "cms-1")
	opened, _ := key.Open(sealed, "acme", "cms-1")
	_, err := key.Open(sealed, "globex", "cms-1")
	fmt.Println(opened, err)
	// Output: whsec_... seal_broken: was not sealed with this key for this owner
}

func FuzzOpen(f *testing.F) {
	k, err := seal.ParseKey(base64.StdEncoding.EncodeToString(make([]byte, 32)))
	require.NoError(f, err)
	sealed, err := k.Seal("x", "acme")
	require.NoError(f, err)
	f.Add(sealed)
	f.Add("s1.")
	f.Fuzz(func(t *testing.T, text string) {
		if secret, err := k.Open(text, "acme"); err == nil && (secret != "x" || text != sealed) {
			t.Fatalf("%q opens as %q", text, secret)
		}
	})
}
