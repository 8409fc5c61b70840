package deploy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/tenants"
)

// Which API keys and tenants come back or go with the configuration is said before it goes back.
func TestAWayBackSaysWhoComesBack(t *testing.T) {
	w := newWorld(t)
	configs := func(ids ...string) (all []tenants.Config) {
		for _, id := range ids {
			all = append(all, tenants.Config{ID: tenants.ID(id), Name: id, Pool: "acme"})
		}
		return all
	}
	publish := func(d *deploy.Desired, all []tenants.Config, grants map[string]tenants.Grant) {
		entries, err := tenants.Publish(all, grants, nil)
		require.NoError(t, err)
		d.Tenants = entries
	}
	grant := func(tenant, name string, scopes ...tenants.APIScope) tenants.Grant {
		return tenants.Grant{Tenant: tenants.ID(tenant), Name: name, Scopes: scopes}
	}
	all := tenants.AllScopes
	v1, v2 := w.desired("acme", "v1", "one"), w.desired("acme", "v2", "two")
	ops := grant("acme", "ops", all...)
	ops.Also = []tenants.ID{"gone"}
	publish(v1, configs("acme", "gone"), map[string]tenants.Grant{
		tenants.HashKey("e"): ops,
		tenants.HashKey("a"): grant("acme", "ci", all...), tenants.HashKey("b"): grant("acme", "leaked", all...), tenants.HashKey("c"): grant("gone", "app", all...),
	})
	publish(v2, configs("acme", "new"), map[string]tenants.Grant{
		tenants.HashKey("e"): grant("acme", "ops", all...),
		tenants.HashKey("a"): grant("acme", "ci", all[0]), tenants.HashKey("d"): grant("new", "app", all...),
	})
	w.deploy(w.acme(), v1)
	w.deploy(w.acme(), v2)
	back, err := deploy.MakeReturn(t.Context(), w.acme(), v1.Unit, "", deploy.PlanOptions{})
	require.NoError(t, err)
	rights := make([]string, len(all))
	for i, scope := range all {
		rights[i] = string(scope)
	}
	assert.Equal(t, []string{
		"the tenant gone is served again",
		"the tenant new is served no more",
		"the API key app of gone works again",
		"the API key app of new works no more",
		"the API key ci of acme has its earlier rights again: " + strings.Join(rights, ", "),
		"the API key leaked of acme works again",
		"the API key ops of acme opens what it did before again: acme, gone",
	}, back.Access)
}
