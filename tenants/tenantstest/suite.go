package tenantstest

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// TestDirectory checks the promises of tenants.Directory. Each make returns one that knows what the entries say, and
// nothing more; they are published before it is asked.
func TestDirectory(t *testing.T, make func(t *testing.T, entries tenants.Entries) tenants.Directory) {
	acme := Config(t, "acme", func(c *tenants.Config) {
		c.AllowedHosts = []string{"acme.localhost", "acme.example.com"}
		c.Search.Filterable = map[string]tenants.FieldType{"year": tenants.FieldNumber}
		c.Prompts = map[string]string{"terse@2": "Be terse. {{fence}} {{language}}\n---\n{{sources}} {{question}}", "terse@1": "Be acme's. {{fence}}\n---\n{{sources}} {{question}}"}
	})
	globex := Config(t, "globex", func(c *tenants.Config) {
		c.Pool = "shared"
		c.Prompts = map[string]string{"terse@1": "Be globex's. {{fence}}\n---\n{{sources}} {{question}}"}
	})
	initrode := Config(t, "initrode", nil)
	keys := Keys(t, acme, globex, initrode)
	grants := keys.Grants("suite")
	readOnly := tenants.HashKey("lv_acme_read-only")
	grants[readOnly] = tenants.Grant{Tenant: "acme", Name: "reader", Scopes: []tenants.APIScope{tenants.ScopeSearch}}
	entries, err := tenants.Publish([]tenants.Config{acme, globex, initrode}, grants, nil)
	require.NoError(t, err)
	ctx := t.Context()

	t.Run("configurations", func(t *testing.T) {
		d := make(t, entries)
		for _, want := range []tenants.Config{acme, globex, initrode} {
			want.Prompts = nil // they stand beside it
			got, err := d.Config(ctx, want.ID)
			require.NoError(t, err)
			assert.Equal(t, want, *got)
		}
		for _, id := range []tenants.ID{"initech", "", "Acme", "../acme"} {
			_, err := d.Config(ctx, id)
			requireMissing(t, err, "tenant_not_found")
		}
	})
	t.Run("the list of tenants", func(t *testing.T) {
		lists, ok := make(t, entries).(interface {
			Tenants(ctx context.Context) ([]tenants.ID, error)
		})
		require.True(t, ok)
		ids, err := lists.Tenants(ctx)
		require.NoError(t, err)
		assert.Equal(t, []tenants.ID{"acme", "globex", "initrode"}, ids)
	})
	t.Run("hosts", func(t *testing.T) {
		d := make(t, entries)
		for host, want := range map[string]tenants.ID{"acme.localhost": "acme", "acme.example.com": "acme", "globex.localhost": "globex"} {
			got, err := d.Host(ctx, host)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		for _, host := range []string{"", "localhost", "example.com", "x.acme.localhost", "acme.localhost.", "a b"} {
			_, err := d.Host(ctx, host)
			requireMissing(t, err, "tenant_not_found")
		}
	})
	t.Run("prompts", func(t *testing.T) {
		d := make(t, entries)
		for range 2 {
			for id, want := range map[tenants.ID][]string{"acme": {"terse@1", "terse@2"}, "globex": {"terse@1"}, "initrode": nil, "initech": nil, "": nil, "../acme": nil, "acme/": nil} {
				names, err := d.Prompts(ctx, id)
				require.NoError(t, err, id)
				assert.Equal(t, want, names, id)
				for _, name := range names {
					p, err := d.Prompt(ctx, id, name)
					require.NoError(t, err)
					assert.Equal(t, name, p.Name)
				}
			}
			for id, says := range map[tenants.ID]string{"acme": "Be acme's.", "globex": "Be globex's."} {
				p, err := d.Prompt(ctx, id, "terse@1")
				require.NoError(t, err)
				assert.Contains(t, p.System[0].Text, says)
			}
			for id, name := range map[tenants.ID]string{"globex": "terse@2", "initrode": "terse@1", "initech": "terse@1", "acme": tenants.DefaultPrompt, "acme/../globex": "terse@1"} {
				_, err := d.Prompt(ctx, id, name)
				requireMissing(t, err, "prompt_not_found")
			}
		}
	})
	t.Run("API keys", func(t *testing.T) {
		d := make(t, entries)
		for id, key := range keys {
			grant, err := d.Key(ctx, tenants.HashKey(key))
			require.NoError(t, err)
			assert.Equal(t, tenants.Grant{Tenant: id, Name: "suite", Scopes: tenants.AllScopes}, *grant)
		}
		grant, err := d.Key(ctx, readOnly)
		require.NoError(t, err)
		assert.True(t, grant.Allows(tenants.ScopeSearch))
		assert.False(t, grant.Allows(tenants.ScopeIngest))
		for _, hash := range []string{"", tenants.HashKey("x"), keys["acme"], "hash"} {
			_, err := d.Key(ctx, hash)
			requireMissing(t, err, "unauthorized")
		}
	})
	t.Run("at the same time", func(t *testing.T) {
		d := make(t, entries)
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				_, err := d.Config(ctx, "acme")
				assert.NoError(t, err)
				_, err = d.Host(ctx, "globex.localhost")
				assert.NoError(t, err)
				_, err = d.Config(ctx, "initech")
				assert.Error(t, err)
			})
		}
		all.Wait()
	})
}

func requireMissing(t *testing.T, err error, code string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	require.Equal(t, code, fault.As(err).Code)
}
