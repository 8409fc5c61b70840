package corpustest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
)

// TestWitness checks the promises of corpus.Witness.
func TestWitness(t *testing.T, w corpus.Witness) {
	acme, globex := tenantstest.Two(t)
	t.Run("a name stands for one thing", func(t *testing.T) {
		name := tenantstest.Fresh(t, "webhook:")
		for range 2 {
			require.NoError(t, w.Attest(t.Context(), acme, name, "a"))
			err := w.Attest(t.Context(), acme, name, "b")
			require.Error(t, err)
			assert.Equal(t, fault.Conflict, fault.KindOf(err))
			assert.Equal(t, "delivery_changed", fault.As(err).Code)
			assert.NotEmpty(t, fault.As(err).Hint, "what the sender is to do")
		}
		require.NoError(t, w.Attest(t.Context(), globex, name, "b"), "names are the tenant's")
		require.NoError(t, w.Attest(t.Context(), acme, name+"2", "b"))
		assert.True(t, fault.Is(w.Attest(t.Context(), acme, "", "a"), fault.Invalid))
		assert.ErrorIs(t, w.Attest(t.Context(), tenants.Scope{}, name, "a"), tenants.ErrNoScope)
	})
}
