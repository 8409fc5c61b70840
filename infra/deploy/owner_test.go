package deploy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/stack"
)

// foreign makes one resource of each kind that carries no tags, as somebody else would.
var foreign = map[string]struct {
	kind string
	make func(w *world, a *account.Account) error
}{
	"acme-prod-ingest": {"queue", func(w *world, a *account.Account) error {
		return a.Do(w.t.Context(), "POST", a.Path("queues"), map[string]any{"queue_name": "acme-prod-ingest", "settings": map[string]any{"message_retention_period": 60}}, nil)
	}},
	"acme-prod-cache": {"kv", func(w *world, a *account.Account) error {
		return a.Do(w.t.Context(), "POST", a.Path("storage", "kv", "namespaces"), map[string]string{"title": "acme-prod-cache"}, nil)
	}},
	"acme-prod-config": {"kv", func(w *world, a *account.Account) error {
		var made struct{ ID string }
		if err := a.Do(w.t.Context(), "POST", a.Path("storage", "kv", "namespaces"), map[string]string{"title": "acme-prod-config"}, &made); err != nil {
			return err
		}
		return a.Do(w.t.Context(), "PUT", a.Path("storage", "kv", "namespaces", made.ID, "bulk"), []map[string]string{{"key": "theirs", "value": "x"}}, nil)
	}},
	"acme-prod-corpus": {"r2", func(w *world, a *account.Account) error {
		return a.Do(w.t.Context(), "POST", a.Path("r2", "buckets"), map[string]string{"name": "acme-prod-corpus"}, nil)
	}},
	"acme-prod-bge-m3": {"vectorize", func(w *world, a *account.Account) error {
		config := map[string]any{"dimensions": 1024, "metric": "cosine"}
		return a.Do(w.t.Context(), "POST", a.Path("vectorize", "v2", "indexes"), map[string]any{"name": "acme-prod-bge-m3", "config": config}, nil)
	}},
	"acme-prod-levada": {"gateway", func(w *world, a *account.Account) error {
		return a.Do(w.t.Context(), "POST", a.Path("ai-gateway", "gateways"), map[string]any{"id": "acme-prod-levada",
			"cache_invalidate_on_update": true, "cache_ttl": 60, "collect_logs": false, "rate_limiting_interval": 0, "rate_limiting_limit": 0}, nil)
	}},
	"acme-prod-import": {"workflow", func(w *world, a *account.Account) error {
		upload := account.Upload{Metadata: map[string]any{"main_module": "worker.mjs", "compatibility_date": "2026-11-01", "bindings": []any{}}, Modules: module("x").Modules}
		if err := a.Do(w.t.Context(), "PUT", a.Path("workers", "scripts", "theirs"), upload, nil); err != nil {
			return err
		}
		return a.Do(w.t.Context(), "PUT", a.Path("workflows", "acme-prod-import"), map[string]string{"script_name": "theirs", "class_name": "Theirs"}, nil)
	}},
}

// What has a name of the unit and is not noted as its own is refused, until it is taken over.
func TestWhatIsNotNotedIsLeftAlone(t *testing.T) {
	for name, c := range foreign {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := w.desired("acme", "v1", "one")
			require.NoError(t, c.make(w, w.acme()))
			w.deploy(w.globex(), w.desired("globex", "v1", "one"))
			before := len(w.api.Writes())
			p := w.plan(w.acme(), d)
			require.Len(t, p.Refused(), 1, changes(p))
			assert.Contains(t, p.Refused()[0].String(), "x "+c.kind+" "+name+"  (it is there, and not noted as ours: --adopt takes it over")
			var refused *deploy.RefusedError
			require.ErrorAs(t, w.apply(p), &refused)
			assert.Len(t, w.api.Writes(), before, "nothing was done")

			p = w.plan(w.acme(), d, deploy.PlanOptions{Adopt: true})
			assert.Contains(t, strings.Join(changes(p), "\n"), "~ "+c.kind+" "+name+"  (taken over")
			require.NoError(t, w.apply(p))
			w.still(w.acme(), d)
			assert.Contains(t, w.noted("acme-prod-config")[c.kind], name)
			w.deploy(w.acme(), w.desired("acme", "v2", "two"))
		})
	}
}

// noted are the names that a namespace says are the unit's.
func (w *world) noted(namespace string) map[string][]string {
	w.t.Helper()
	var rec struct{ Names map[string][]string }
	text := w.api.KV(acmeAccount, namespace)["levada/owner"]
	require.NotEmpty(w.t, text)
	require.NoError(w.t, json.Unmarshal([]byte(text), &rec))
	return rec.Names
}

// The names come before what they name: whoever is killed between any two writes finds its own, and somebody else's is still refused.
func TestNamesAreNotedBeforeWhatTheyName(t *testing.T) {
	whole := newWorld(t)
	whole.deploy(whole.acme(), whole.desired("acme", "v1", "one"))
	resources := len(whole.noted("acme-prod-config"))
	assert.Equal(t, 6, resources, "of every kind that has no tags")
	for n := 1; n <= 8; n++ {
		w := newWorld(t)
		d := w.desired("acme", "v1", "one")
		w.cutFrom = n
		require.Error(t, w.apply(w.plan(w.acme(), d)))
		w.cutFrom = 0
		if n > 1 { // the namespace is there, and empty, or has the names
			p := w.plan(w.acme(), d)
			assert.Empty(t, p.Refused(), "write %d", n)
			assert.Equal(t, n == 2, strings.Contains(fmt.Sprint(changes(p)), "+ owner"), "write %d", n)
		}
		w.deploy(w.acme(), d)
	}
	writes := whole.api.Writes()
	assert.Contains(t, writes[0], "/storage/kv/namespaces")
	assert.Contains(t, writes[1], "/bulk")
}

// A pool from before names were noted owns what its release has, and notes it when it makes more.
func TestAPoolWithoutNotedNames(t *testing.T) {
	w := newWorld(t)
	d := w.desired("acme", "v1", "one")
	d.Stack.Queues = append(d.Stack.Queues, stack.Queue{Name: "old", Consumer: stack.Consumers, MaxBatchSize: 1, DeadLetter: "audit-dlq"})
	w.deploy(w.acme(), d)
	a := w.acme()
	require.NoError(t, a.Do(t.Context(), "DELETE", a.Path("storage", "kv", "namespaces", namespaceID(t, a, "acme-prod-config"), "values", "levada/owner"), nil, nil))
	w.api.Forget()
	w.still(a, d)
	for _, r := range w.api.Requests() {
		assert.NotContains(t, r.Path, "levada/owner", "what the release has explains all that is there")
	}
	drift, err := deploy.MakeDrift(t.Context(), a, d.Unit)
	require.NoError(t, err)
	assert.Zero(t, drift.Changes())

	d = w.desired("acme", "v2", "two")
	w.deploy(a, d)
	assert.NotContains(t, w.api.KV(acmeAccount, "acme-prod-config"), "levada/owner", "nothing was made")
	p := w.plan(a, d, deploy.PlanOptions{Destroy: []string{"acme-prod-old"}})
	require.Len(t, p.Refused(), 1, "neither the live release nor a note says that it is ours")
	back, err := deploy.MakeReturn(t.Context(), a, d.Unit, "v1", deploy.PlanOptions{})
	require.NoError(t, err)
	assert.Empty(t, back.Refused(), "the release that is gone back to has it")

	d = w.desired("acme", "v3", "two")
	d.Stack.Queues = append(d.Stack.Queues, stack.Queue{Name: "new", Consumer: stack.Consumers, MaxBatchSize: 1, DeadLetter: "audit-dlq"})
	p = w.plan(a, d)
	assert.Equal(t, "+owner +queue +consumer ~release", kinds(p))
	require.NoError(t, w.apply(p))
	assert.Subset(t, w.noted("acme-prod-config")["queue"], []string{"acme-prod-new", "acme-prod-ingest", "acme-prod-ingest-dlq"})
	w.still(a, d)
}

// What somebody else has under a name of ours is neither drift nor destroyed.
func TestWhatIsNotNotedIsNoDrift(t *testing.T) {
	w := newWorld(t)
	d := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), d)
	a := w.acme()
	require.NoError(t, a.Do(t.Context(), "POST", a.Path("r2", "buckets"), map[string]string{"name": "acme-prod-theirs"}, nil))
	require.NoError(t, a.Do(t.Context(), "POST", a.Path("r2", "buckets"), map[string]string{"name": "not-acme-prod-theirs"}, nil))
	drift, err := deploy.MakeDrift(t.Context(), a, d.Unit)
	require.NoError(t, err)
	assert.Zero(t, drift.Changes())
	w.still(a, d)
	named := deploy.PlanOptions{Destroy: []string{"acme-prod-theirs"}}
	p := w.plan(a, d, named)
	require.Len(t, p.Refused(), 1)
	assert.Contains(t, p.Refused()[0].String(), "it is not noted as ours: --adopt")
	named.Adopt = true
	require.NoError(t, w.apply(w.plan(a, d, named)))
	w.still(a, d)
	assert.Len(t, w.plan(a, d, deploy.PlanOptions{Adopt: true, Destroy: []string{"not-acme-prod-theirs"}}).Refused(), 1)
}

// A bucket that is not wanted any more goes by its name, when nothing is in it.
func TestAnOldBucketGoesWhenItIsEmpty(t *testing.T) {
	w := newWorld(t)
	d := w.desired("acme", "v1", "one")
	for i := range 9 { // more than a page has
		d.Stack.Buckets = append(d.Stack.Buckets, stack.Bucket{Name: fmt.Sprint("old-", i)})
	}
	w.deploy(w.acme(), d)
	d = w.desired("acme", "v2", "one")
	p := w.plan(w.acme(), d)
	stay := 0
	for _, a := range p.Actions {
		if a.Kind == "r2" && a.Op == deploy.Same && strings.Contains(a.String(), "not wanted any more; it stays") {
			stay++
		}
	}
	assert.Equal(t, 9, stay)
	w.deploy(w.acme(), d)

	gone := deploy.PlanOptions{Destroy: []string{"acme-prod-old-8"}}
	w.api.Edit(acmeAccount, func(a *double.Account) { a.FillBucket("acme-prod-old-8") })
	p = w.plan(w.acme(), d, gone)
	assert.Contains(t, lines(p), "- r2 acme-prod-old-8  (if nothing is in it")
	assert.ErrorContains(t, w.apply(p), "r2 acme-prod-old-8: it is not empty, so it stays")
	w.still(w.acme(), d)
	gone.Destroy[0] = "acme-prod-old-7"
	require.NoError(t, w.apply(w.plan(w.acme(), d, gone)))
	w.still(w.acme(), d)
	assert.Len(t, w.plan(w.acme(), d, gone).Refused(), 1, "it is gone")
}

// Destroying is a write like any other: it is gone when the answer is lost, and forgotten by the run after the one that was killed.
func TestDestroyingIsStoppedAnywhere(t *testing.T) {
	prepare := func() (*world, *deploy.Desired) {
		w := newWorld(t)
		d := w.desired("acme", "v1", "one")
		d.Stack.Queues = append(d.Stack.Queues, stack.Queue{Name: "old", Consumer: stack.Consumers, MaxBatchSize: 1, DeadLetter: "audit-dlq"})
		w.deploy(w.acme(), d)
		d = w.desired("acme", "v2", "one")
		p := w.plan(w.acme(), d)
		assert.Contains(t, lines(p), "= queue acme-prod-old  (not wanted any more; it stays, with what is in it, and acme-prod-consumers goes on getting that: --allow-destroy")
		w.deploy(w.acme(), d)
		return w, d
	}
	destroy := deploy.PlanOptions{Destroy: []string{"acme-prod-old"}}
	whole, d := prepare()
	before := whole.writes
	require.NoError(t, whole.apply(whole.plan(whole.acme(), d, destroy)))
	writes := whole.writes - before
	for n := 1; n <= writes; n++ {
		w, d := prepare()
		w.loseAt = w.writes + n
		require.NoError(t, w.apply(w.plan(w.acme(), d, destroy)), "write %d", n)
		assert.NotContains(t, w.noted("acme-prod-config")["queue"], "acme-prod-old", "write %d", n)

		w, d = prepare()
		w.cutFrom = w.writes + n
		require.Error(t, w.apply(w.plan(w.acme(), d, destroy)), "write %d", n)
		w.cutFrom = 0
		w.still(w.acme(), d)
		if p := w.plan(w.acme(), d, destroy); len(p.Refused()) == 0 {
			require.NoError(t, w.apply(p))
		}
		w.still(w.acme(), d)
	}
}

// lines are all lines of a plan.
func lines(p *deploy.Plan) string {
	var b strings.Builder
	for _, a := range p.Actions {
		b.WriteString(a.String() + "\n")
	}
	return b.String()
}
