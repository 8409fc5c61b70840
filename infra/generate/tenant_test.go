package generate_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/generate"
	"levada.dev/infra/local"
	"levada.dev/tenants"
)

func tenant(t generate.Tenant) func(generate.Options) (*generate.Plan, error) {
	return func(o generate.Options) (*generate.Plan, error) { return generate.NewTenant(o, t) }
}

func TestATenantIsWrittenAsPeopleWriteIt(t *testing.T) {
	root := tenantsOnly(t)
	do(t, root, tenant(generate.Tenant{
		ID: "initech", Name: `Initech "& Sons"`, Pool: "shared", Hosts: []string{"initech.localhost", "i.example.com"}, Auth: "keys",
		Origins: []string{"https://app.example.com"}, Embedding: "@cf/baai/bge-m3", ChatAllowed: []string{"@cf/openai/gpt-oss-120b"}, USDPerDay: 5, TokensPerMonth: 1000,
	}))
	got, err := os.ReadFile(filepath.Join(root, "tenants", "initech", "tenant.config.json"))
	require.NoError(t, err)
	assert.Equal(t, `{
  "$schema": "../tenant.schema.json",
  "id": "initech",
  "name": "Initech \"& Sons\"",
  "pool": "shared",
  "allowedHosts": ["initech.localhost", "i.example.com"],
  "auth": {"mode": "keys"},
  "cors": {"origins": ["https://app.example.com"]},
  "models": {"embedding": "@cf/baai/bge-m3", "chatAllowed": ["@cf/openai/gpt-oss-120b"]},
  "budgets": {"tokensPerMonth": 1000, "usdPerDay": 5}
}
`, string(got))
	configs, err := local.Configs(os.DirFS(filepath.Join(root, "tenants")))
	require.NoError(t, err)
	assert.True(t, slices.ContainsFunc(configs, func(c tenants.Config) bool { return c.ID == "initech" }))
}

func TestATenantThatWouldBeWrongIsNotWritten(t *testing.T) {
	for _, c := range []struct {
		why  string
		is   generate.Tenant
		code string
		says []string
	}{
		{"no id", generate.Tenant{}, "name_invalid", []string{`tenant: "" is not a tenant id (use 2 to 32`}},
		{"upper case", generate.Tenant{ID: "Acme"}, "name_invalid", []string{`"Acme" is not a tenant id`}},
		{"a path", generate.Tenant{ID: "../../x"}, "name_invalid", []string{`"../../x" is not a tenant id`}},
		{"a host of another", generate.Tenant{ID: "initech", Name: "I", Hosts: []string{"acme.localhost"}}, "config_invalid", []string{
			`tenants/initech/tenant.config.json: allowedHosts[0]: "acme.localhost" is also in acme/tenant.config.json (a host leads to one tenant)`,
		}},
		{"everything", generate.Tenant{ID: "initech", Name: " ", Hosts: []string{"NO"}, Auth: "key", Embedding: "@cf/baai/bge-m4", USDPerDay: -1}, "config_invalid", []string{
			`tenants/initech/tenant.config.json: name: `, `allowedHosts[0]: `, `auth.mode: "key"`, `(did you mean "keys"?)`, `(did you mean "@cf/baai/bge-m3"?)`, `budgets.usdPerDay: `,
		}},
	} {
		t.Run(c.why, func(t *testing.T) {
			root := tenantsOnly(t)
			_, err := generate.NewTenant(generate.Options{Root: root, Force: true}, c.is)
			require.Error(t, err)
			assert.Equal(t, c.code, fault.As(err).Code)
			for _, says := range c.says {
				assert.ErrorContains(t, err, says)
			}
			assert.NoDirExists(t, filepath.Join(root, "tenants", "initech"))
		})
	}
}

func TestAnEditedTenantIsWrittenOverByForceAlone(t *testing.T) {
	root := tenantsOnly(t)
	initech := generate.Tenant{ID: "initech", Name: "Initech"}
	do(t, root, tenant(initech))
	file := filepath.Join(root, "tenants", "initech", "tenant.config.json")
	edited := []byte(`{"id": "initech", "name": "Initech", "pool": "shared"}`)
	require.NoError(t, os.WriteFile(file, edited, 0o644))
	require.NoError(t, os.Chmod(file, 0o600))

	_, err := generate.NewTenant(generate.Options{Root: root}, initech)
	var r *generate.Refused
	require.True(t, errors.As(err, &r))
	assert.Equal(t, "file_edited", r.Code)
	assert.Equal(t, "tenants/initech/tenant.config.json: was edited since it was made, or is another's (keep it, or write over it with --force)", err.Error())

	p, err := generate.NewTenant(generate.Options{Root: root, Force: true}, initech)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(edited, ' '), 0o600))
	require.ErrorContains(t, p.Apply(root), "has changed while the command ran")
	require.NoError(t, os.WriteFile(file, edited, 0o600))
	require.NoError(t, p.Apply(root))
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "its mode stays")
}

func TestADryRunIsADiff(t *testing.T) {
	root := tenantsOnly(t)
	p, err := generate.NewTenant(generate.Options{Root: root}, generate.Tenant{ID: "initech", Name: "Initech"})
	require.NoError(t, err)
	assert.Equal(t, `--- /dev/null
+++ b/tenants/initech/tenant.config.json
@@ -0,0 +1,5 @@
+{
+  "$schema": "../tenant.schema.json",
+  "id": "initech",
+  "name": "Initech"
+}
`, p.Diff())
	assert.NoDirExists(t, filepath.Join(root, "tenants", "initech"))
}
