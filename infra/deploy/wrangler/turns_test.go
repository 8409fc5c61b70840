package wrangler

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/deploy/fleet"
	"levada.dev/infra/stack"
)

// deployer is this project's way to deploy a lab's pool.
type deployer struct {
	*lab
	desired *deploy.Desired
	opened  *account.Account
}

// newDeployer deploys into an account of the same id, of another API.
func newDeployer(t *testing.T, l *lab, tenant string) *deployer {
	t.Helper()
	api, url := world(t)
	return deployerAt(t, &lab{site: l.site, pool: l.pool, api: api, url: url, account: l.account, token: l.token}, tenant)
}

// deployerAt deploys into the lab's own account.
func deployerAt(t *testing.T, l *lab, tenant string) *deployer {
	t.Helper()
	source := credential.New(credential.Options{Getenv: func(string) (string, bool) { return "token-of-" + tenant + "-0123456789abcdefghij", true }})
	ref, err := credential.Parse("env:TOKEN")
	require.NoError(t, err)
	token, err := source.Token(t.Context(), tenant, ref)
	require.NoError(t, err)
	l.api.Token(token.Secret(), double.Token{Accounts: []string{l.account}})
	return &deployer{lab: l, opened: account.Open(l.account, token, account.Options{URL: l.url}), desired: &deploy.Desired{
		Unit: l.pool.Unit, Stack: l.pool.Stack,
		Secrets: map[string]string{"SEAL_KEY": "first"},
	}}
}

// plan compares what is built with what is there.
func (d *deployer) plan(t *testing.T, release string, o deploy.PlanOptions) *deploy.Plan {
	t.Helper()
	d.desired.Release = release
	var err error
	d.desired.Code, err = fleet.Read(os.DirFS(filepath.Join(d.dir, "workers")), d.desired.Stack)
	require.NoError(t, err)
	plan, err := deploy.Make(t.Context(), d.opened, d.desired, o)
	require.NoError(t, err)
	return plan
}

// apply carries a plan out, and returns the requests of it.
func (d *deployer) apply(t *testing.T, plan *deploy.Plan) []double.Request {
	t.Helper()
	d.since()
	require.NoError(t, deploy.Apply(t.Context(), plan, deploy.ApplyOptions{Sleep: func(context.Context, time.Duration) error { return nil }}))
	return d.since()
}

func (d *deployer) deploy(t *testing.T, release string) []double.Request {
	t.Helper()
	return d.apply(t, d.plan(t, release, deploy.PlanOptions{}))
}

// still makes sure that there is nothing left to do.
func (d *deployer) still(t *testing.T) {
	t.Helper()
	plan := d.plan(t, d.desired.Release, deploy.PlanOptions{})
	assert.Zero(t, plan.Changes(), "%v", plan.Actions)
}

// Each Worker of this project's own pool is sent as wrangler sends it, too, with another tenant's names in another account.
func TestWranglerSendsTheProjectsPoolAsWeDo(t *testing.T) {
	t.Parallel()
	p := pools("prod")[1]
	api, url := world(t)
	l := newLab(t, &p, api, url, "beta")
	l.write(t, "secrets.env", "SEAL_KEY=first\n")
	d := newDeployer(t, l, "beta")
	ours := d.deploy(t, "v1")
	l.replay(t, ours)
	p.Namespaces = l.namespaces(t)
	l.rewrite(t)
	for _, f := range l.files {
		args := []string{"deploy", "--config", p.configured(f.Role)}
		if w, _ := p.Stack.Worker(f.Role); len(w.Secrets) > 0 {
			args = append(args, "--secrets-file", "secrets.env")
		}
		l.must(t, args...)
	}
	agree(t, onWire(l.since(), l.ids(t)), onWire(ours, d.ids(t)), map[string]bool{})
	d.still(t)
	l.takeOver(t, "beta")
}

// takeOver goes on with what wrangler deployed: it is nobody's until it is adopted, and then what wrangler does is drift that is mended.
func (l *lab) takeOver(t *testing.T, tenant string) {
	t.Helper()
	d := deployerAt(t, l, tenant)
	plan := d.plan(t, "v1", deploy.PlanOptions{})
	refused := map[string]int{}
	for _, a := range plan.Refused() {
		refused[a.Kind]++
	}
	assert.Equal(t, []int{len(l.pool.Stack.Workers), len(l.pool.Stack.Queues)}, []int{refused["worker"], refused["queue"]}, "they have no owner")
	plan = d.plan(t, "v1", deploy.PlanOptions{Adopt: true})
	made := l.writes(d.apply(t, plan))
	for _, kind := range []string{"POST /queues", "POST /storage/kv/namespaces", "POST /r2/buckets", "POST /vectorize/v2/indexes"} {
		assert.NotContains(t, made, kind, "it is there")
	}
	d.still(t)

	l.must(t, "deploy", "--config", l.pool.configured(stack.Workflows))
	plan = d.plan(t, "v1", deploy.PlanOptions{})
	require.Equal(t, 1, plan.Count(deploy.Drift), "%v", plan.Actions)
	for _, a := range plan.Actions {
		if a.Op == deploy.Drift {
			assert.Equal(t, l.pool.Unit.Script(stack.Workflows), a.Name)
			assert.Contains(t, a.Why, "binding IMPORT is not ours", "wrangler's")
		}
	}
	d.apply(t, plan)
	d.still(t)
}

// replay makes the same resources in the lab's account.
func (l *lab) replay(t *testing.T, requests []double.Request) {
	t.Helper()
	resource := regexp.MustCompile(`^/accounts/\w+/(queues|storage/kv/namespaces|r2/buckets|vectorize/v2/indexes|vectorize/v2/indexes/\S+/metadata_index/create)$`)
	for _, r := range requests {
		if r.Method == http.MethodPost && resource.MatchString(r.Path) {
			body, err := json.Marshal(r.Body)
			require.NoError(t, err)
			l.ask(t, r.Method, strings.TrimPrefix(r.Path, "/accounts/"+l.account), string(body), nil)
		}
	}
}
