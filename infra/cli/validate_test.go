package cli

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runValidate runs the command on a folder of tenants, given by id.
func runValidate(configs map[string]string, o validateOptions) (stdout, stderr string, err error) {
	dir := fstest.MapFS{}
	for id, text := range configs {
		dir[id+"/tenant.config.json"] = &fstest.MapFile{Data: []byte(text)}
	}
	var out, problems bytes.Buffer
	o.Dir, o.Stdout, o.Stderr = dir, &out, &problems
	err = o.run()
	return out.String(), problems.String(), err
}

var twoTenants = map[string]string{
	"acme":   `{"id":"acme","name":"Acme","allowedHosts":["acme.localhost"],"search":{"filterable":{"year":"number"}}}`,
	"globex": `{"id":"globex","name":"Globex","pool":"shared","auth":{"mode":"open"},"models":{"embedding":"@cf/baai/bge-base-en-v1.5"}}`,
}

func TestValidateShowsTheTenants(t *testing.T) {
	out, problems, err := runValidate(twoTenants, validateOptions{})
	require.NoError(t, err)
	assert.Empty(t, problems)
	assert.Equal(t, `
┌────────┬────────┬──────┬───────────────────────────┬────────────┬────────────────┐
│ TENANT │ POOL   │ AUTH │ EMBEDDING                 │ FILTERABLE │ HOSTS          │
├────────┼────────┼──────┼───────────────────────────┼────────────┼────────────────┤
│ acme   │ acme   │ keys │ @cf/baai/bge-m3           │          1 │ acme.localhost │
│ globex │ shared │ open │ @cf/baai/bge-base-en-v1.5 │          0 │                │
└────────┴────────┴──────┴───────────────────────────┴────────────┴────────────────┘
`, "\n"+out)
}

func TestValidateShowsTheProblems(t *testing.T) {
	broken := map[string]string{
		"acme":   `{"id":"acme","name":"Acme","limits":{"bodybytes":5},"models":{"embedding":"@cf/baai/bge-m4"}}`,
		"globex": "{\n",
	}
	out, problems, err := runValidate(broken, validateOptions{})
	require.EqualError(t, err, "3 problems in the configuration of the tenants")
	assert.Empty(t, out)
	assert.Equal(t, `tenants/acme/tenant.config.json
  limits.bodybytes: is not a known field
    did you mean "bodyBytes"?
  models.embedding: there is no embedding model "@cf/baai/bge-m4"
    did you mean "@cf/baai/bge-m3"?
tenants/globex/tenant.config.json
  line 1, column 2: is not JSON: unexpected end of JSON input
`, problems)

	_, problems, err = runValidate(broken, validateOptions{Tenant: "globex"})
	require.EqualError(t, err, "1 problem in the configuration of the tenants")
	assert.NotContains(t, problems, "acme")
}

func TestValidateForProd(t *testing.T) {
	_, problems, err := runValidate(twoTenants, validateOptions{Env: "prod"})
	require.Error(t, err)
	assert.Contains(t, problems, "auth.mode: open is refused in the environment prod")
	_, _, err = runValidate(twoTenants, validateOptions{Env: "prod", Tenant: "acme"})
	assert.NoError(t, err, "the problem is the other tenant's")
}

func TestValidateChecksWhereTenantsGo(t *testing.T) {
	deploy := func(acme, shared string) validateOptions {
		dir := fstest.MapFS{"deploy.json": {Data: []byte("{\"environments\": {\"prod\": {\"pools\": {\n\"acme\": {" + acme + "},\n\"shared\": {" + shared + "}\n}}}} // the end\n")}}
		for id, text := range twoTenants {
			dir[id+"/tenant.config.json"] = &fstest.MapFile{Data: []byte(text)}
		}
		dir["globex/tenant.config.json"].Data = bytes.Replace(dir["globex/tenant.config.json"].Data, []byte("open"), []byte("keys"), 1)
		return validateOptions{Dir: dir, Env: "prod"}
	}
	run := func(o validateOptions) (string, string, error) {
		var out, problems bytes.Buffer
		o.Stdout, o.Stderr = &out, &problems
		err := o.run()
		return out.String(), problems.String(), err
	}
	const one, two = `"account": "11111111111111111111111111111111", "token": "env:CF_ONE"`, `"account": "22222222222222222222222222222222", "token": "env:CF_TWO"`
	out, problems, err := run(deploy(one+`, "domains": ["acme.example.com"]`, two+`, "workersDev": true`))
	require.NoError(t, err, problems)
	assert.Contains(t, out, "│ HOSTS          │ IN PROD          │")
	assert.Contains(t, out, "│ acme.localhost │ acme.example.com │")
	assert.Contains(t, out, "│                │ workers.dev      │")

	wrong := deploy(one+`, "workersdev": true, "domains": ["x.example.com"]`, `"token": "env:CF_TWO", "workersDev": true`)
	_, problems, err = run(wrong)
	require.EqualError(t, err, "2 problems in the configuration of the tenants")
	assert.Equal(t, `tenants/deploy.json
  line 2, column 80: environments.prod.pools.acme.workersdev: is not a known field
    did you mean "workersDev"?
  line 3, column 1: environments.prod.pools.shared.account: is required
    it is in the address of the account's dashboard, and is no secret
`, problems)
	wrong.Tenant = "globex"
	_, problems, err = run(wrong)
	require.EqualError(t, err, "1 problem in the configuration of the tenants")
	assert.NotContains(t, problems, "acme", "its pool is another")
}

func TestValidateForMachines(t *testing.T) {
	out, _, err := runValidate(twoTenants, validateOptions{JSON: true, Tenant: "globex", Env: "dev"})
	require.NoError(t, err)
	var view validateView
	require.NoError(t, json.Unmarshal([]byte(out), &view))
	assert.True(t, view.OK)
	require.Len(t, view.Tenants, 1)
	assert.Equal(t, "shared", view.Tenants[0].Pool)
	assert.Contains(t, out, `"problems": []`)

	out, problems, err := runValidate(twoTenants, validateOptions{JSON: true, Env: "prod"})
	require.Error(t, err)
	assert.Empty(t, problems)
	view = validateView{}
	require.NoError(t, json.Unmarshal([]byte(out), &view))
	assert.False(t, view.OK)
	require.Len(t, view.Problems, 1)
	assert.Equal(t, "globex/tenant.config.json", view.Problems[0].File)
	assert.Equal(t, "auth.mode", view.Problems[0].Path)
}

func TestValidateOfNoSuchTenant(t *testing.T) {
	_, problems, err := runValidate(twoTenants, validateOptions{Tenant: "acmee"})
	require.Error(t, err)
	assert.Contains(t, problems, `there is no tenant "acmee"`)
	assert.Contains(t, problems, `did you mean "acme"?`)
	out, problems, err := runValidate(nil, validateOptions{JSON: true, Tenant: "acme"})
	require.Error(t, err)
	assert.Empty(t, problems)
	assert.Contains(t, out, `"tenants": []`)
}
