package nx_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/deploytest"
	"levada.dev/infra/deploy/double"
)

// deployment is a workspace whose tenants go to accounts in the double of the API, by the real command.
type deployment struct {
	*workspace
	world *deploytest.World
}

func newDeployment(t *testing.T, pools ...deploytest.Pool) *deployment {
	t.Helper()
	world := deploytest.New(t, pools...)
	d := &deployment{workspaceIn(t, world.Root, nil), world}
	d.env = append(d.env, world.Environ(t)...)
	program, err := levada()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(d.path("bin"), 0o755))
	require.NoError(t, os.Symlink(program, d.path("bin/levada")))
	d.fine("g @levada/nx:init")
	return d
}

// fine runs a command line of nx that succeeds.
func (d *deployment) fine(line string) (out string) {
	d.t.Helper()
	code, out := d.run(line)
	require.Zero(d.t, code, "nx %s\n%s", line, out)
	return out
}

// fails runs one that does not, because of an exit code of levada.
func (d *deployment) fails(line, because string) (out string) {
	d.t.Helper()
	code, out := d.run(line)
	require.Equal(d.t, 1, code, "nx %s\n%s", line, out)
	require.Contains(d.t, out, because)
	return out
}

// run runs a command line of nx; the levada it calls is there already.
func (d *deployment) run(line string) (code int, out string) {
	d.t.Helper()
	args := strings.Fields(line)
	if strings.HasPrefix(args[0], "run") {
		args = append(args, "--excludeTaskDependencies", "--env", "prod")
	}
	return d.nx(args...)
}

// name is what a pool has published of its tenant: its name.
func (d *deployment) name(pool, tenant string) string {
	d.t.Helper()
	var config struct{ Name string }
	entry := d.world.API.KV(deploytest.AccountID(pool), pool+"-prod-config")["config/"+tenant]
	require.NotEmpty(d.t, entry, "%s was not published", tenant)
	require.NoError(d.t, json.Unmarshal([]byte(entry), &config))
	return config.Name
}

// TestFromTheFirstDeploymentToDrift is what a tenant's own project does, at the double.
func TestFromTheFirstDeploymentToDrift(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, deploytest.Pool{Name: "acme"}, deploytest.Pool{Name: "shared", Tenants: []string{"globex", "demo"}})
	api := d.world.API

	d.fails("run tenant-acme:deploy --dry-run", "levada exited with 2: changes are pending")
	out := d.fails("run tenant-acme:deploy", "levada exited with 1")
	assert.Contains(t, out, "say --yes")
	assert.Empty(t, api.Writes(), "a plan writes nothing, and nobody agreed")

	out = d.fine("run tenant-acme:deploy --release v1 --yes")
	assert.Contains(t, out, "acme in prod, never deployed")
	assert.Contains(t, out, "v1")
	assert.Equal(t, "acme", d.name("acme", "acme"))
	assert.Empty(t, api.KV(deploytest.AccountID("shared"), "shared-prod-config"), "another pool is another deployment")

	before := api.Writes()
	out = d.fine("run tenant-acme:deploy --release v2 --yes")
	assert.Contains(t, out, "no change")
	assert.Equal(t, before, api.Writes(), "there is nothing to write")
	d.fine("run tenant-acme:drift")

	a := d.world.Open("acme")
	require.NoError(t, a.Do(t.Context(), http.MethodPut, a.Path("workers", "scripts", "acme-prod-workflows", "schedules"), []map[string]string{{"cron": "0 0 * * *"}}, nil))
	out = d.fails("run tenant-acme:drift", "levada exited with 2: changes are pending")
	assert.Contains(t, out, "! crons          workflows  ([0 0 * * *] -> [*/5 * * * *])")
	d.fine("run tenant-acme:deploy --yes")
	d.fine("run levada:drift --all")

	api.Edit(deploytest.AccountID("acme"), func(a *double.Account) {
		a.EditSettings("acme-prod-api", func(s *double.Settings) { s.Tags = []string{"managed-by=somebody"} })
	})
	before = api.Writes()
	out = d.fails("run tenant-acme:deploy --yes", "levada exited with 5: it was refused")
	assert.Contains(t, out, "acme-prod-api")
	assert.Equal(t, before, api.Writes(), "what is refused is left as it is")
}

// TestManyPools has one of three fail, and then all of them deployed by the pool's tenants, two of whom share it.
func TestManyPools(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, deploytest.Pool{Name: "acme"}, deploytest.Pool{Name: "broken"}, deploytest.Pool{Name: "shared", Tenants: []string{"globex", "demo"}})
	api := d.world.API
	api.Fail(double.Fault{Method: http.MethodPut, Path: regexp.MustCompile("^/accounts/" + deploytest.AccountID("broken") + "/workers/scripts/"), Status: 400, Message: "not today", Times: -1})

	out := d.fails("run levada:deploy-all --release v1 --yes", "levada exited with 3: some")
	assert.Contains(t, out, "1 of 3 pools did not get there")
	assert.Equal(t, "acme", d.name("acme", "acme"))
	assert.Equal(t, "globex", d.name("shared", "globex"))
	assert.NotContains(t, api.KV(deploytest.AccountID("broken"), "broken-prod-config"), "config/broken")
	api.Heal()
	d.fine("run levada:deploy-all --release v1 --yes")
	assert.Equal(t, "broken", d.name("broken", "broken"))
	before := api.Writes()
	d.fine("run levada:deploy-all --yes")
	assert.Equal(t, before, api.Writes(), "there is nothing to write")

	d.world.Code("two")
	d.world.Tenant("globex", map[string]any{"name": "Renamed", "pool": "shared"})
	api.Fail(double.Fault{Method: http.MethodPost, Path: regexp.MustCompile("/workers/scripts/acme-prod-api/deployments$"), Status: 400, Message: "not today", Skip: 1})
	out = d.fails("run-many -t deploy -p tenant-* --release v2 --yes", "levada exited with 4: it failed, and was rolled back")
	assert.Contains(t, out, "not today")
	assert.Equal(t, "Renamed", d.name("shared", "globex"), "one that fails does not stop the others")
	d.fine("run-many -t drift -p tenant-*")
}
