package erasuretest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/erasure"
)

// Subject is a store, and a way to put things of a tenant into it.
type Subject struct {
	erasure.Store
	// Fill puts the tenant's n-th thing there, of whatever kind the store has.
	Fill func(ctx context.Context, s tenants.Scope, n int) error
	// AtOnce is how many things it removes at once whatever it is told; 0 when it heeds what it is told.
	AtOnce int
}

// things is how many things the suite puts into a store.
const things = 13

// TestStore checks the promises of erasure.Store.
func TestStore(t *testing.T, newSubject func(t *testing.T) Subject) {
	t.Run("what is a tenant's is swept, and nobody else's", func(t *testing.T) {
		x, gone, stays := newSubject(t), fresh(t), fresh(t)
		x.fill(t, gone, stays)
		assert.GreaterOrEqual(t, x.sweep(t, gone, 500), things)
		assert.Zero(t, x.left(t, gone))
		assert.Equal(t, things, x.left(t, stays))
	})
	t.Run("a tenant's name may begin as another's", func(t *testing.T) {
		x, gone := newSubject(t), fresh(t)
		longer := tenantstest.Scope(t, string(gone.Tenant())+"-2")
		x.fill(t, gone, longer)
		x.sweep(t, gone, 500)
		assert.Zero(t, x.left(t, gone))
		assert.Equal(t, things, x.left(t, longer))
		x.sweep(t, longer, 500)
		assert.Zero(t, x.left(t, longer))
	})
	t.Run("a sweep takes so many at most", func(t *testing.T) {
		x, gone := newSubject(t), fresh(t)
		x.fill(t, gone)
		x.sweep(t, gone, 5)
		assert.Zero(t, x.left(t, gone))
	})
	t.Run("what is swept may be swept again, and nothing as well", func(t *testing.T) {
		x, gone := newSubject(t), fresh(t)
		assert.Zero(t, x.sweep(t, gone, 5), "there was never anything")
		x.fill(t, gone)
		x.sweep(t, gone, 500)
		assert.Zero(t, x.sweep(t, gone, 500))
	})
	t.Run("what comes after a sweep is seen, and swept", func(t *testing.T) {
		x, gone := newSubject(t), fresh(t)
		x.fill(t, gone)
		x.sweep(t, gone, 500)
		require.NoError(t, x.Fill(t.Context(), gone, things))
		assert.Equal(t, 1, x.left(t, gone))
		assert.Equal(t, 1, x.sweep(t, gone, 500))
		assert.Zero(t, x.left(t, gone))
	})
	t.Run("nobody's sweep is refused", func(t *testing.T) {
		x := newSubject(t)
		_, _, err := x.Sweep(t.Context(), tenants.Scope{}, 5)
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		_, err = x.Left(t.Context(), tenants.Scope{})
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		assert.NotEmpty(t, x.Name())
	})
}

// fresh is a tenant that nobody has used: suites share real stores.
func fresh(t *testing.T) tenants.Scope {
	t.Helper()
	id := tenantstest.Fresh(t, "")
	return tenantstest.Scope(t, "e-"+id[len(id)-12:])
}

func (x Subject) fill(t *testing.T, ss ...tenants.Scope) {
	t.Helper()
	for _, s := range ss {
		for n := range things {
			require.NoError(t, x.Fill(t.Context(), s, n))
		}
		require.Equal(t, things, x.left(t, s))
	}
}

func (x Subject) left(t *testing.T, s tenants.Scope) int {
	t.Helper()
	n, err := x.Left(t.Context(), s)
	require.NoError(t, err)
	return n
}

// sweep sweeps until there is no more, and says how much it was.
func (x Subject) sweep(t *testing.T, s tenants.Scope, limit int) (removed int) {
	t.Helper()
	for range 20 {
		n, more, err := x.Sweep(t.Context(), s, limit)
		require.NoError(t, err)
		assert.LessOrEqual(t, n, max(limit, x.AtOnce))
		if removed += n; !more {
			return removed
		}
	}
	t.Fatal("there is always more")
	return removed
}
