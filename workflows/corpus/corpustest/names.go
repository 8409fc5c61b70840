package corpustest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
)

// two are the tenants of a suite.
func two(t *testing.T) (acme, globex tenants.Scope) {
	t.Helper()
	acme, err := tenants.Resume("acme")
	require.NoError(t, err)
	globex, err = tenants.Resume("globex")
	require.NoError(t, err)
	return acme, globex
}

// fresh is a name that no run before has used. Later ones are greater.
func fresh(t *testing.T, prefix string) string {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	return prefix + id.String()
}
