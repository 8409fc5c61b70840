package speechtest

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/speech"
)

// TestSounds checks the promises of speech.Sounds. Each open returns the store of tenants acme and globex, which may hold sounds of earlier runs.
func TestSounds(t *testing.T, open func(t *testing.T) speech.Sounds) {
	for name, test := range map[string]func(*testing.T, store){
		"a part is read where it is asked for": reads,
		"a large part comes whole":             largePart,
		"what is put twice is the same":        twice,
		"a reel is dropped, and no other":      drops,
		"sounds are the tenant's":              ownSounds,
		"nobody's call is refused":             nobodysSounds,
	} {
		t.Run(name, func(t *testing.T) {
			x := store{T: t, sounds: open(t), reel: tenantstest.Fresh(t, "") + "-1"}
			x.acme, x.globex = tenantstest.Two(t)
			test(t, x)
		})
	}
}

type store struct {
	*testing.T
	sounds       speech.Sounds
	reel         string
	acme, globex tenants.Scope
}

func (x store) put(s tenants.Scope, reel, name string, part []byte) {
	x.Helper()
	require.NoError(x, x.sounds.Put(x.Context(), s, reel, name, part))
}

func (x store) read(s tenants.Scope, reel, name string, from, n int64) []byte {
	x.Helper()
	r, err := x.sounds.Open(x.Context(), s, reel, name, from, n)
	require.NoError(x, err)
	b, err := io.ReadAll(r)
	require.NoError(x, err)
	require.NoError(x, r.Close())
	return b
}

func (x store) missing(s tenants.Scope, reel, name string) {
	x.Helper()
	_, err := x.sounds.Open(x.Context(), s, reel, name, 0, 1)
	f := fault.As(err)
	assert.Equal(x, []any{fault.NotFound, "sound_not_found"}, []any{f.Kind, f.Code}, "%v", err)
}

// drop drops until there is no more.
func (x store) drop(s tenants.Scope, reel string) {
	x.Helper()
	for range 10 {
		more, err := x.sounds.Drop(x.Context(), s, reel)
		require.NoError(x, err)
		if !more {
			return
		}
	}
	x.Fatal("there is always more")
}

func reads(t *testing.T, x store) {
	part := []byte{0, 1, 2, 3, 4, 255}
	x.put(x.acme, x.reel, "p", part)
	assert.Equal(t, part, x.read(x.acme, x.reel, "p", 0, 6))
	assert.Equal(t, part[:1], x.read(x.acme, x.reel, "p", 0, 1))
	assert.Equal(t, part[2:4], x.read(x.acme, x.reel, "p", 2, 2))
	assert.Equal(t, part[5:], x.read(x.acme, x.reel, "p", 5, 1))
	part[0] = 9
	assert.Equal(t, byte(0), x.read(x.acme, x.reel, "p", 0, 1)[0], "it has its own bytes")
	x.missing(x.acme, x.reel, "q")
	x.missing(x.acme, x.reel+"0", "p")
}

func largePart(t *testing.T, x store) {
	part := bytes.Repeat([]byte("0123456789abcdef"), 3_600_000/16)
	x.put(x.acme, x.reel, "p", part)
	assert.True(t, bytes.Equal(part, x.read(x.acme, x.reel, "p", 0, int64(len(part)))))
	assert.True(t, bytes.Equal(part[3:2_000_003], x.read(x.acme, x.reel, "p", 3, 2_000_000)))
}

func twice(t *testing.T, x store) {
	for range 2 {
		x.put(x.acme, x.reel, "p", []byte("same"))
	}
	assert.Equal(t, "same", string(x.read(x.acme, x.reel, "p", 0, 4)))
}

func drops(t *testing.T, x store) {
	for _, name := range []string{"a", "b", "c"} {
		x.put(x.acme, x.reel, name, []byte(name))
	}
	x.put(x.acme, x.reel+"0", "a", []byte("another reel"))
	x.put(x.globex, x.reel, "a", []byte("another tenant"))
	for range 2 {
		x.drop(x.acme, x.reel)
	}
	for _, name := range []string{"a", "b", "c"} {
		x.missing(x.acme, x.reel, name)
	}
	assert.Equal(t, "another reel", string(x.read(x.acme, x.reel+"0", "a", 0, 12)))
	assert.Equal(t, "another tenant", string(x.read(x.globex, x.reel, "a", 0, 14)))
}

func ownSounds(t *testing.T, x store) {
	x.put(x.acme, x.reel, "p", []byte("acme"))
	x.missing(x.globex, x.reel, "p")
	x.put(x.globex, x.reel, "p", []byte("globex"))
	assert.Equal(t, "acme", string(x.read(x.acme, x.reel, "p", 0, 4)))
}

func nobodysSounds(t *testing.T, x store) {
	assert.ErrorIs(t, x.sounds.Put(t.Context(), tenants.Scope{}, x.reel, "p", []byte("a")), tenants.ErrNoScope)
	_, err := x.sounds.Open(t.Context(), tenants.Scope{}, x.reel, "p", 0, 1)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = x.sounds.Drop(t.Context(), tenants.Scope{}, x.reel)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
}
