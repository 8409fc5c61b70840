package eventstest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// TestClaims checks the promises of events.Claims. Each make returns a store for tenants acme and globex, which may
// hold claims of earlier runs.
func TestClaims(t *testing.T, make func(t *testing.T) events.Claims) {
	acme, globex := tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")
	name := func(t *testing.T, n int) string { return fmt.Sprintf("%s.%d", fresh(t), n) }

	t.Run("what was put is got", func(t *testing.T) {
		c := make(t)
		for i, data := range [][]byte{[]byte(`{"a":"ä"}`), {0, 1, 0xff, 0xfe}, {}, bytes.Repeat([]byte("0123456789"), 500_000)} {
			n := name(t, i)
			require.NoError(t, c.Put(t.Context(), acme, n, data))
			got, err := c.Get(t.Context(), acme, n)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, got), "%d bytes put, %d got", len(data), len(got))
		}
	})
	t.Run("put again", func(t *testing.T) {
		c, n := make(t), name(t, 0)
		require.NoError(t, c.Put(t.Context(), acme, n, []byte("1")))
		require.NoError(t, c.Put(t.Context(), acme, n, []byte("1")))
		require.NoError(t, c.Put(t.Context(), acme, n, []byte("2")))
		got, err := c.Get(t.Context(), acme, n)
		require.NoError(t, err)
		assert.Equal(t, "2", string(got))
	})
	t.Run("unknown", func(t *testing.T) {
		_, err := make(t).Get(t.Context(), acme, name(t, 0))
		requireCode(t, err, fault.NotFound, "claim_not_found")
	})
	t.Run("another tenant's is unknown", func(t *testing.T) {
		c, n := make(t), name(t, 0)
		require.NoError(t, c.Put(t.Context(), acme, n, []byte("acme's")))
		_, err := c.Get(t.Context(), globex, n)
		requireCode(t, err, fault.NotFound, "claim_not_found")
		require.NoError(t, c.Put(t.Context(), globex, n, []byte("globex's")))
		got, err := c.Get(t.Context(), acme, n)
		require.NoError(t, err)
		assert.Equal(t, "acme's", string(got))
		_, err = c.Get(t.Context(), globex, "../acme/"+n)
		requireCode(t, err, fault.NotFound, "claim_not_found")
	})
	t.Run("nobody's scope", func(t *testing.T) {
		c := make(t)
		require.ErrorIs(t, c.Put(t.Context(), tenants.Scope{}, "a", []byte("x")), tenants.ErrNoScope)
		_, err := c.Get(t.Context(), tenants.Scope{}, "a")
		require.ErrorIs(t, err, tenants.ErrNoScope)
	})
	t.Run("slices are not shared", func(t *testing.T) {
		c, n := make(t), name(t, 0)
		data := []byte("abc")
		require.NoError(t, c.Put(t.Context(), acme, n, data))
		data[0] = 'X'
		got, err := c.Get(t.Context(), acme, n)
		require.NoError(t, err)
		require.Equal(t, "abc", string(got))
		got[0] = 'Y'
		got, err = c.Get(t.Context(), acme, n)
		require.NoError(t, err)
		assert.Equal(t, "abc", string(got))
	})
	t.Run("at the same time", func(t *testing.T) {
		c := make(t)
		var all sync.WaitGroup
		for i := range 8 {
			n := name(t, i)
			all.Go(func() {
				data := []byte(n)
				if assert.NoError(t, c.Put(t.Context(), acme, n, data)) {
					got, err := c.Get(t.Context(), acme, n)
					assert.NoError(t, err)
					assert.Equal(t, n, string(got))
				}
			})
		}
		all.Wait()
	})
}

func requireCode(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	require.Error(t, err)
	f := fault.As(err)
	require.Equal(t, kind, f.Kind, err)
	require.Equal(t, code, f.Code, err)
}
