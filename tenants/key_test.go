package tenants_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

func TestNewKey(t *testing.T) {
	key, err := tenants.NewKey(rand.Reader, "acme-tools")
	require.NoError(t, err)
	assert.Regexp(t, `^lv_acme-tools_[A-Za-z0-9_-]{49}$`, key)
	id, err := tenants.ParseKey(key)
	require.NoError(t, err)
	assert.Equal(t, tenants.ID("acme-tools"), id)

	other, err := tenants.NewKey(rand.Reader, "acme-tools")
	require.NoError(t, err)
	assert.NotEqual(t, key, other)

	_, err = tenants.NewKey(rand.Reader, "Acme")
	assert.Error(t, err)
	_, err = tenants.NewKey(bytes.NewReader(make([]byte, 31)), "acme")
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// The form is pinned: keys that were given out must stay valid.
func TestKeyAndHashArePinned(t *testing.T) {
	const key = "lv_acme_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" + "iqLlrA" // 32 bytes and their checksum
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(i)
	}
	got, err := tenants.NewKey(bytes.NewReader(secret), "acme")
	require.NoError(t, err)
	assert.Equal(t, key, got)
	assert.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", tenants.HashKey("abc"))
}

func TestMistypedKeysAreRefused(t *testing.T) {
	key, err := tenants.NewKey(rand.Reader, "acme")
	require.NoError(t, err)
	for i := range len(key) {
		wrong := []byte(key)
		wrong[i] ^= 1
		_, err := tenants.ParseKey(string(wrong))
		require.Error(t, err, "the character at %d", i)
		require.Equal(t, "unauthorized", fault.As(err).Code)
		require.NotContains(t, err.Error(), key[8:], "errors do not repeat secrets")
	}
	for name, wrong := range map[string]string{
		"empty": "", "prefix only": "lv_", "cut off": key[:len(key)-1], "longer": key + "A", "space": key + " ",
		"other prefix": "xx" + key[2:], "no tenant": strings.Replace(key, "acme", "", 1), "other tenant": strings.Replace(key, "acme", "globex", 1),
		"OpenAI": "sk-abcdefghijklmnopqrstuvwxyz", "case": strings.ToUpper(key), "long": strings.Repeat("lv_acme_", 10_000),
	} {
		_, err := tenants.ParseKey(wrong)
		require.Error(t, err, name)
		assert.Equal(t, "unauthorized", fault.As(err).Code)
	}
}

func TestParseScopes(t *testing.T) {
	scopes, err := tenants.ParseScopes([]string{"search", "chat", "search"})
	require.NoError(t, err)
	assert.Equal(t, []tenants.APIScope{tenants.ScopeChat, tenants.ScopeSearch}, scopes)

	_, err = tenants.ParseScopes([]string{"chat", "serch"})
	require.Error(t, err)
	assert.Equal(t, "scopes[1]", fault.As(err).Field)
	assert.Equal(t, `did you mean "search"?`, fault.As(err).Hint)
	_, err = tenants.ParseScopes([]string{"everything"})
	assert.Contains(t, fault.As(err).Hint, "one of chat, search, ")
}

func TestGrantAllows(t *testing.T) {
	g := &tenants.Grant{Tenant: "acme", Scopes: []tenants.APIScope{tenants.ScopeSearch}}
	assert.True(t, g.Allows(tenants.ScopeSearch))
	assert.False(t, g.Allows(tenants.ScopeIngest))
	assert.False(t, (&tenants.Grant{}).Allows(tenants.ScopeSearch))
}

func TestAnOperatorsKeyOpensWhatItNames(t *testing.T) {
	g := &tenants.Grant{Tenant: "acme", Name: "ops", Also: []tenants.ID{"globex"}}
	for id, opens := range map[tenants.ID]bool{"acme": true, "globex": true, "hazel": false, "": false} {
		assert.Equal(t, opens, g.Opens(id), id)
	}
	assert.Equal(t, []string{"ops", "acme/ops"}, []string{g.ActorAt("acme"), g.ActorAt("globex")})

	key, err := tenants.NewKey(rand.Reader, "acme")
	require.NoError(t, err)
	all, err := tenants.NewKey(rand.Reader, "acme")
	require.NoError(t, err)
	other, err := tenants.NewKey(rand.Reader, "globex")
	require.NoError(t, err)
	keys, err := tenants.ParseKeys(tenants.Keys{"acme": key, "globex": other, tenants.Operator: all}.JSON())
	require.NoError(t, err)
	grants := keys.Grants("local")
	assert.Equal(t, tenants.Grant{Tenant: "acme", Name: "operator", Scopes: tenants.AllScopes, Also: []tenants.ID{"globex"}}, grants[tenants.HashKey(all)])
	assert.Empty(t, grants[tenants.HashKey(key)].Also, "a tenant's own key opens nobody else's")
	assert.Empty(t, grants[tenants.HashKey(other)].Also)
}

func TestKeysFile(t *testing.T) {
	key, err := tenants.NewKey(rand.Reader, "acme")
	require.NoError(t, err)
	keys := tenants.Keys{"acme": key}
	got, err := tenants.ParseKeys(keys.JSON())
	require.NoError(t, err)
	assert.Equal(t, keys, got)
	grants := keys.Grants("local")
	assert.Equal(t, tenants.Grant{Tenant: "acme", Name: "local", Scopes: tenants.AllScopes}, grants[tenants.HashKey(key)])

	for name, text := range map[string]string{
		"no JSON": "{", "no object": "[]", "no text": `{"acme":5}`, "no key": `{"acme":"x"}`,
		"another tenant's key": `{"globex":"` + key + `"}`,
	} {
		_, err := tenants.ParseKeys([]byte(text))
		require.Error(t, err, name)
		assert.Equal(t, "keys_invalid", fault.As(err).Code)
	}
}
