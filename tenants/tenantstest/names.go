package tenantstest

import (
	"testing"

	"github.com/google/uuid"

	"levada.dev/tenants"
)

// Two are the tenants of a suite: every behaviour is tried with two.
func Two(t testing.TB) (acme, globex tenants.Scope) {
	t.Helper()
	return Scope(t, "acme"), Scope(t, "globex")
}

// Fresh is a name that no run before has used, for suites on stores that keep what they have. Later ones are greater.
func Fresh(t testing.TB, prefix string) string {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return prefix + id.String()
}
