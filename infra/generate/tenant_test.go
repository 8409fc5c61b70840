package generate_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/target"
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
		ID: "initech", Name: `Initech "& Sons"`, Pool: "solo", Hosts: []string{"initech.localhost", "i.example.com"}, Auth: "keys",
		Origins: []string{"https://app.example.com"}, Embedding: "@cf/baai/bge-m3", ChatAllowed: []string{"@cf/openai/gpt-oss-120b"}, USDPerDay: 5, TokensPerMonth: 1000,
		CharactersPerDay: 500, CharactersPerMonth: 5000,
		Speech: "@cf/deepgram/aura-1",
	}))
	got, err := os.ReadFile(filepath.Join(root, "tenants", "initech", "tenant.config.json"))
	require.NoError(t, err)
	assert.Equal(t, `{
  "$schema": "../tenant.schema.json",
  "id": "initech",
  "name": "Initech \"& Sons\"",
  "pool": "solo",
  "allowedHosts": ["initech.localhost", "i.example.com"],
  "auth": {"mode": "keys"},
  "cors": {"origins": ["https://app.example.com"]},
  "models": {"embedding": "@cf/baai/bge-m3", "chatAllowed": ["@cf/openai/gpt-oss-120b"]},
  "budgets": {"tokensPerMonth": 1000, "charactersPerDay": 500, "charactersPerMonth": 5000, "usdPerDay": 5},
  "speech": {"enabled": true, "model": "@cf/deepgram/aura-1"}
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
		{"everything", generate.Tenant{ID: "initech", Name: " ", Hosts: []string{"NO"}, Auth: "key", Embedding: "@cf/baai/bge-m4", USDPerDay: -1, Speech: "@cf/deepgram/aura-3"}, "config_invalid", []string{
			`tenants/initech/tenant.config.json: name: `, `allowedHosts[0]: `, `auth.mode: "key"`, `(did you mean "keys"?)`, `(did you mean "@cf/baai/bge-m3"?)`, `budgets.usdPerDay: `, `there is no model that speaks "@cf/deepgram/aura-3"`,
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

func TestATenantsPoolIsAddedToWhatIsDeployed(t *testing.T) {
	root := tenantsOnly(t)
	initech := generate.Tenant{ID: "initech", Name: "Initech", Deploy: generate.Deploy{
		Envs: []string{"stage", "prod"}, Account: "33333333333333333333333333333333", Token: "env:CF_TOKEN_INITECH",
	}}
	p := do(t, root, tenant(initech))
	assert.Len(t, p.Changed(), 2)
	text, err := os.ReadFile(filepath.Join(root, "tenants", "deploy.json"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "// its door is open", "comments stay")
	for _, env := range []string{"stage", "prod"} {
		e, problems := target.Load(os.DirFS(filepath.Join(root, "tenants")), env)
		require.Empty(t, problems)
		found, err := e.Find("initech")
		require.NoError(t, err)
		assert.Equal(t, []any{"initech", "33333333333333333333333333333333", true}, []any{found.Pool, found.Account, found.WorkersDev})
	}
	p = do(t, root, tenant(generate.Tenant{ID: "umbrella", Name: "Umbrella", Pool: "shared"}))
	assert.Len(t, p.Changed(), 1, "its pool is deployed")
	assert.NotContains(t, strings.Join(p.Notes, "\n"), "deployed nowhere")
	p = do(t, root, tenant(generate.Tenant{ID: "hooli", Name: "Hooli"}))
	assert.Contains(t, strings.Join(p.Notes, "\n"), "deployed nowhere yet: --account and --token add it to tenants/deploy.json")
}

func TestADeploymentThatWouldBeWrongIsNotWritten(t *testing.T) {
	for _, c := range []struct {
		why    string
		pool   string
		auth   string
		deploy generate.Deploy
		says   string
	}{
		{"no account", "", "", generate.Deploy{Token: "env:CF_X"}, "account: is missing"},
		{"no such environment", "", "", generate.Deploy{Envs: []string{"production"}, Account: "33333333333333333333333333333333", Token: "env:CF_X"}, `env: there is no environment "production" (one of dev, stage, prod)`},
		{"no id of an account", "", "", generate.Deploy{Envs: []string{"prod"}, Account: "33", Token: "env:CF_X"}, "tenants/deploy.json: environments.prod.pools.initech.account: is not the id of an account"},
		{"the token itself", "", "", generate.Deploy{Envs: []string{"prod"}, Account: "33333333333333333333333333333333", Token: "v1.0-0123456789abcdef0123456789"}, "tenants/deploy.json: environments.prod.pools.initech.token: "},
		{"another's account", "", "", generate.Deploy{Envs: []string{"prod"}, Account: "acacacacacacacacacacacacacacacac", Token: "env:CF_X"}, "is also the account of "},
		{"another's pool", "shared", "", generate.Deploy{Envs: []string{"prod"}, Account: "33333333333333333333333333333333", Token: "env:CF_X"}, "environments.prod.pools.shared is there already, and says something else"},
		{"an open door", "shared", "open", generate.Deploy{}, "tenants/initech/tenant.config.json: auth.mode: open is refused in the environment prod"},
	} {
		t.Run(c.why, func(t *testing.T) {
			root := tenantsOnly(t)
			before := snapshot(t, root)
			_, err := generate.NewTenant(generate.Options{Root: root}, generate.Tenant{ID: "initech", Name: "Initech", Pool: c.pool, Auth: c.auth, Deploy: c.deploy})
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "0123456789abcdef", "what may be a token is not shown")
			assert.NotEmpty(t, fault.As(err).Hint)
			assert.Equal(t, before, snapshot(t, root))
		})
	}
}
