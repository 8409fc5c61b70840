package deploy_test

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// The same small pool goes through its life on the double and, where CF_LIVE_ACCOUNT and CF_LIVE_TOKEN name an account for such things, on
// Cloudflare. It takes away all that it made.

func TestALifeOnTheDouble(t *testing.T) {
	w := newWorld(t)
	aLife(t, w.acme(), deploy.Site{HTTP: w.site, Sleep: atOnce})
}

func TestALifeOnCloudflare(t *testing.T) {
	id, there := os.LookupEnv("CF_LIVE_ACCOUNT")
	if !there {
		t.Skip("CF_LIVE_ACCOUNT and CF_LIVE_TOKEN name no account to try it in")
	}
	ref, err := credential.Parse("env:CF_LIVE_TOKEN")
	require.NoError(t, err)
	token, err := credential.New(credential.Options{}).Token(t.Context(), "the live test", ref)
	require.NoError(t, err)
	aLife(t, account.Open(id, token, account.Options{}), deploy.Site{})
}

// small is a Worker that says which version it is, with a queue, a namespace and an index.
const small = `export default {
  async fetch(request, env) { return Response.json({ ok: true, data: { status: "ok", versionId: env.VERSION_METADATA.id, text: "TEXT" } }) },
  async queue(batch) { batch.ackAll() },
};
`

func smallPool(unit deploy.Unit, release string) *deploy.Desired {
	return &deploy.Desired{
		Unit: unit, Release: release,
		Stack: stack.Stack{
			Workers: []stack.Worker{{
				Role: stack.API, Public: true, CompatibilityDate: stack.CompatibilityDate, MemoryMiB: 1, BudgetKiB: 1, Secrets: []string{stack.SealKey},
				Bindings: []stack.Binding{{Name: stack.VersionBinding, Kind: stack.Version}, {Name: "CONFIG", Kind: stack.KV, Target: "config"}, {Name: "JOBS", Kind: stack.Producer, Target: "jobs"}},
			}},
			Queues: []stack.Queue{
				{Name: "jobs", Consumer: stack.API, MaxBatchSize: 5, MaxWaitTime: time.Second, DeadLetter: "jobs-dlq"},
				{Name: "jobs-dlq"},
			},
			Namespaces: []stack.Namespace{{Name: "config"}},
			Indexes:    []stack.Index{{Name: "small", Model: "small", Dimensions: 32, Metric: "cosine", Metadata: []stack.Property{{Name: "year", Type: "number"}}}},
			WorkersDev: true,
		},
		Code:    map[stack.Role]deploy.Code{stack.API: {Digest: release, Modules: []account.Module{{Name: "worker.mjs", Type: account.ESModule, Body: []byte(small + "// " + release)}}}},
		Secrets: map[string]string{stack.SealKey: "a key that is made of many random bits"},
		Tenants: tenants.Entries{"config/small": []byte("{}"), tenants.HashEntry: []byte(release)},
	}
}

func aLife(t *testing.T, a *account.Account, gate deploy.Site) {
	t.Helper()
	var random [4]byte
	_, _ = rand.Read(random[:])
	unit := deploy.Unit{Pool: "try-" + hex.EncodeToString(random[:]), Env: "dev"}
	defer clean(t, a, unit)
	options := deploy.ApplyOptions{Gate: gate, Canary: deploy.Canary{Steps: []int{0, 50}}, Progress: func(line string) { t.Log(line) }, Sleep: gate.Sleep}
	plan := func(d *deploy.Desired) *deploy.Plan {
		p, err := deploy.Make(t.Context(), a, d, deploy.PlanOptions{})
		require.NoError(t, err)
		return p
	}
	one, two := smallPool(unit, "v1"), smallPool(unit, "v2")
	for _, d := range []*deploy.Desired{one, two} {
		require.NoError(t, deploy.Apply(t.Context(), plan(d), options))
		assert.Empty(t, changes(plan(d)), "a second deployment of %s has nothing to do", d.Release)
	}
	back, err := deploy.MakeReturn(t.Context(), a, unit, "", deploy.PlanOptions{})
	require.NoError(t, err)
	require.NoError(t, deploy.Apply(t.Context(), back.Plan, options))
	assert.Empty(t, changes(plan(one)))
}

// clean takes away what the unit has, the last thing first.
func clean(t *testing.T, a *account.Account, unit deploy.Unit) {
	t.Helper()
	ctx := t.Context()
	remove := func(path string) {
		if err := a.Do(ctx, http.MethodDelete, path, nil, nil); !account.IsStatus(err, http.StatusNotFound) {
			assert.NoError(t, err)
		}
	}
	queues, err := account.List[struct {
		ID        string `json:"queue_id"`
		Name      string `json:"queue_name"`
		Consumers []struct {
			ID string `json:"consumer_id"`
		} `json:"consumers"`
	}](ctx, a, a.Path("queues"))
	require.NoError(t, err)
	for _, q := range queues {
		for _, c := range q.Consumers {
			if q.Name == unit.Name("jobs") {
				remove(a.Path("queues", q.ID, "consumers", c.ID))
			}
		}
	}
	remove(a.Path("workers", "scripts", unit.Name("api")))
	for _, q := range queues {
		if q.Name == unit.Name("jobs") || q.Name == unit.Name("jobs-dlq") {
			remove(a.Path("queues", q.ID))
		}
	}
	remove(a.Path("vectorize", "v2", "indexes", unit.Name("small")))
	remove(a.Path("storage", "kv", "namespaces", namespaceID(t, a, unit.Name("config"))))
}
