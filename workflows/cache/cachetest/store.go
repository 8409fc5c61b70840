package cachetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/cache"
)

// Subject is a store that is tested. The port lets a store lose what it has; this one must not do so during the suite.
type Subject struct {
	Store cache.Store
	// Advance moves the store's clock. Without it the suite does not see values expire.
	Advance func(d time.Duration)
}

// life is for how long the suite keeps values.
const life = time.Hour

// TestStore checks the promises of cache.Store. Names are new in each run, so a store that keeps its state may run it again.
func TestStore(t *testing.T, open func(t *testing.T) Subject) {
	acme, globex := scope(t, "acme"), scope(t, "globex")

	t.Run("what was put is got, byte for byte", func(t *testing.T) {
		x := open(t).Store
		for i, value := range [][]byte{[]byte("água\x00\r\n\xff"), {}, bytes.Repeat([]byte("levada!\n"), cache.MaxValue/8)} {
			key := fresh(t, fmt.Sprint("value", i))
			require.NoError(t, x.Put(t.Context(), acme, key, value, life))
			assert.True(t, bytes.Equal(value, got(t, x, acme, key)), "value %d", i)
		}
	})
	t.Run("what was never put is a miss", func(t *testing.T) {
		misses(t, open(t).Store, acme, fresh(t, "x"))
	})
	t.Run("a value belongs to its tenant", func(t *testing.T) {
		x, key := open(t).Store, fresh(t, "x")
		require.NoError(t, x.Put(t.Context(), acme, key, []byte("of acme"), life))
		misses(t, x, globex, key)
		other := fresh(t, "y")
		require.NoError(t, x.Put(t.Context(), acme, other, []byte("of acme"), life))
		require.NoError(t, x.Put(t.Context(), globex, other, []byte("of globex"), life))
		assert.Equal(t, "of acme", string(got(t, x, acme, other)))
		assert.Equal(t, "of globex", string(got(t, x, globex, other)))
	})
	t.Run("keys that look alike are others", func(t *testing.T) {
		x, name := open(t).Store, fresh(t, "").Name
		keys := []cache.Key{
			{Kind: "a", Name: name}, {Kind: "b", Name: name}, {Kind: "a/b", Name: name}, {Kind: "a", Name: "b/" + name}, {Kind: "a%2Fb", Name: name},
			{Kind: "a", Name: name + " "}, {Kind: "a", Name: strings.ToUpper(name)}, {Kind: "a", Name: "../../globex/cache/a/" + name},
			{Kind: "a", Name: name + strings.Repeat("é", 600)}, {Kind: "a", Name: name + strings.Repeat("é", 601)},
		}
		for i, key := range keys {
			misses(t, x, acme, key)
			require.NoError(t, x.Put(t.Context(), acme, key, []byte(fmt.Sprint(i)), life))
		}
		for i, key := range keys {
			assert.Equal(t, fmt.Sprint(i), string(got(t, x, acme, key)), "%+.80q", key)
		}
	})
	t.Run("a later value replaces", func(t *testing.T) {
		x, key := open(t).Store, fresh(t, "x")
		require.NoError(t, x.Put(t.Context(), acme, key, []byte("first"), life))
		require.NoError(t, x.Put(t.Context(), acme, key, []byte("second"), life))
		assert.Equal(t, "second", string(got(t, x, acme, key)))
	})
	t.Run("slices are not shared", func(t *testing.T) {
		x, key, value := open(t).Store, fresh(t, "x"), []byte("abc")
		require.NoError(t, x.Put(t.Context(), acme, key, value, life))
		value[0] = 'X'
		got(t, x, acme, key)[1] = 'X'
		assert.Equal(t, "abc", string(got(t, x, acme, key)))
	})
	t.Run("what the store does not take is refused", func(t *testing.T) {
		x, key := open(t).Store, fresh(t, "x")
		refused(t, x.Put(t.Context(), acme, key, make([]byte, cache.MaxValue+1), life), "cache_value")
		refused(t, x.Put(t.Context(), acme, key, []byte("x"), cache.MinTTL-1), "cache_ttl")
		refused(t, x.Put(t.Context(), acme, cache.Key{Name: key.Name}, []byte("x"), life), "cache_key")
		refused(t, x.Put(t.Context(), acme, cache.Key{Kind: "x"}, []byte("x"), life), "cache_key")
		misses(t, x, acme, key)
		require.NoError(t, x.Put(t.Context(), acme, key, []byte("x"), cache.MinTTL))
	})
	t.Run("nobody's call is refused", func(t *testing.T) {
		x, key := open(t).Store, fresh(t, "x")
		assert.ErrorIs(t, x.Put(t.Context(), tenants.Scope{}, key, []byte("x"), life), tenants.ErrNoScope)
		_, err := x.Get(t.Context(), tenants.Scope{}, key)
		assert.ErrorIs(t, err, tenants.ErrNoScope)
	})
	t.Run("a call whose time is up fails", func(t *testing.T) {
		x, key := open(t).Store, fresh(t, "x")
		require.NoError(t, x.Put(t.Context(), acme, key, []byte("x"), life))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := x.Get(ctx, acme, key)
		assert.Equal(t, "cache_unavailable", fault.As(err).Code, "%v", err)
		err = x.Put(ctx, acme, key, []byte("y"), life)
		assert.Equal(t, "cache_unavailable", fault.As(err).Code, "%v", err)
	})
	t.Run("calls at once do not mix", func(t *testing.T) { testAtOnce(t, open(t).Store, acme, globex) })
	testExpiry(t, open, acme)
}

// testAtOnce has both tenants write and read the same keys.
func testAtOnce(t *testing.T, x cache.Store, scopes ...tenants.Scope) {
	key := fresh(t, "x")
	var wg sync.WaitGroup
	for i := range 16 {
		s := scopes[i%len(scopes)]
		own := cache.Key{Kind: key.Kind, Name: fmt.Sprint(key.Name, i/len(scopes))}
		wg.Go(func() {
			value := fmt.Sprintf("%s %d", s.Tenant(), i)
			if !assert.NoError(t, x.Put(t.Context(), s, own, []byte(value), life)) {
				return
			}
			b, err := x.Get(t.Context(), s, own)
			assert.NoError(t, err)
			assert.Equal(t, value, string(b))
		})
	}
	wg.Wait()
}

func testExpiry(t *testing.T, open func(t *testing.T) Subject, s tenants.Scope) {
	if open(t).Advance == nil {
		return
	}
	t.Run("a value lives as long as was said", func(t *testing.T) {
		x, key := open(t), fresh(t, "x")
		require.NoError(t, x.Store.Put(t.Context(), s, key, []byte("x"), life))
		x.Advance(life - time.Second)
		got(t, x.Store, s, key)
		x.Advance(time.Second)
		misses(t, x.Store, s, key)
	})
	t.Run("a later value has its own life", func(t *testing.T) {
		x, key := open(t), fresh(t, "x")
		require.NoError(t, x.Store.Put(t.Context(), s, key, []byte("long"), life))
		require.NoError(t, x.Store.Put(t.Context(), s, key, []byte("short"), cache.MinTTL))
		x.Advance(cache.MinTTL)
		misses(t, x.Store, s, key)
	})
}

func got(t *testing.T, x cache.Store, s tenants.Scope, key cache.Key) []byte {
	t.Helper()
	value, err := x.Get(t.Context(), s, key)
	require.NoError(t, err)
	return value
}

func misses(t *testing.T, x cache.Store, s tenants.Scope, key cache.Key) {
	t.Helper()
	_, err := x.Get(t.Context(), s, key)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
	assert.Equal(t, "cache_miss", fault.As(err).Code)
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	assert.Equal(t, code, fault.As(err).Code)
}

func scope(t *testing.T, tenant string) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume(tenant)
	require.NoError(t, err)
	return s
}

// fresh is a key that no run before has used.
func fresh(t *testing.T, kind string) cache.Key {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	return cache.Key{Kind: "test-" + kind, Name: id.String()}
}
