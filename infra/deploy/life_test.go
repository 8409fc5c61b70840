package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/stack"
)

// workersInTable is how many Workers a pool has; levada new adds some.
var workersInTable = len(stack.Levada(stack.Pool{Name: "acme"}).Workers)

func TestTheFirstDeployment(t *testing.T) {
	w := newWorld(t)
	d := w.desired("acme", "v1", "one")
	p := w.plan(w.acme(), d)
	assert.Equal(t, "+kv +owner +queue +r2 +vectorize +metadata index +gateway +worker +workflow +consumer +crons +workers.dev +domain +route +tenants +release", kinds(p))
	var order []string
	shipped := []string{"acme-prod-objects", "acme-prod-api", "acme-prod-workflows", "acme-prod-consumers"}
	for _, a := range p.Actions {
		if a.Kind == "worker" && slices.Contains(shipped, a.Name) {
			order = append(order, a.Name)
		}
	}
	assert.Equal(t, shipped, order, "behind what they bind to")
	require.NoError(t, w.apply(p))
	assert.Contains(t, w.health("api.acme.example"), `"version":"v1"`)
	assert.Contains(t, w.health("acme-prod-api.acme.workers.dev"), "200")
	assert.Contains(t, w.health("acme-prod-objects.acme.workers.dev"), "404", "what is not public answers nobody")
	assert.Equal(t, "Inc", nameOf(t, w, acmeAccount, "acme"))
	w.still(w.acme(), d)

	for _, r := range w.api.Requests() {
		assert.NotContains(t, r.Path, globexAccount)
	}
	text, err := json.Marshal(p)
	require.NoError(t, err)
	assert.NotContains(t, string(text), sealKey, "a plan has no secret")
}

func nameOf(t *testing.T, w *world, accountID, tenant string) string {
	t.Helper()
	var c struct{ Name string }
	require.NoError(t, json.Unmarshal([]byte(w.api.KV(accountID, tenant+"-prod-config")["config/"+tenant]), &c))
	return c.Name
}

// Two pools in one account, and one in another: each sees its own.
func TestPoolsDoNotSeeEachOther(t *testing.T) {
	w := newWorld(t)
	acme, globex, second := w.desired("acme", "v1", "one"), w.desired("globex", "v7", "one"), w.desired("initech", "v3", "one")
	w.deploy(w.acme(), acme)
	w.deploy(w.globex(), globex)
	w.deploy(w.acme(), second)
	for _, d := range []*deploy.Desired{acme, second} {
		w.still(w.acme(), d)
	}
	w.still(w.globex(), globex)
	assert.Empty(t, w.api.KV(acmeAccount, "initech-prod-config")["config/acme"])

	_, err := w.tryPlan(w.open(acmeAccount, globexToken), acme)
	assert.True(t, account.IsStatus(err, 403), "%v", err)
	assert.ErrorContains(t, err, "the token lacks the permission")
	_, err = w.tryPlan(w.open(acmeAccount, "nobodys-token-0123456789abcdefghij"), acme)
	assert.True(t, account.IsStatus(err, 401, 403), "%v", err)
}

func TestAReleaseIsTriedOutByDegrees(t *testing.T) {
	w := newWorld(t)
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
	d := w.desired("acme", "v2", "two")
	p := w.plan(w.acme(), d)
	assert.Equal(t, "~worker ~release", kinds(p))
	w.said = nil
	require.NoError(t, w.apply(p))
	var traffic []string
	for _, line := range w.said {
		if strings.HasPrefix(line, "traffic") {
			traffic = append(traffic, line)
		}
	}
	var steps []string
	for _, percent := range []int{0, 10, 50, 100} {
		steps = append(steps, fmt.Sprintf("traffic %d %%: %d Workers", percent, workersInTable))
	}
	assert.Equal(t, steps, traffic)
	assert.Contains(t, w.health("api.acme.example"), `"version":"v2"`)
	w.still(w.acme(), d)

	names, live, err := deploy.Releases(t.Context(), w.acme(), d.Unit)
	require.NoError(t, err)
	assert.Equal(t, []string{"v1", "v2"}, names)
	assert.Equal(t, []string{"v2", "v1"}, []string{live.Release, live.Before})
}

func TestASickVersionGetsNoTraffic(t *testing.T) {
	for name, c := range map[string]struct {
		sick func(w *world, script, tag string) bool
		at   string
	}{
		"from the start":           {func(_ *world, _, tag string) bool { return tag == "v2" }, "at 0 %"},
		"with some of the traffic": {func(w *world, _, tag string) bool { return tag == "v2" && w.told("traffic 10 %") }, "at 10 %"},
		"with most of it":          {func(w *world, _, tag string) bool { return tag == "v2" && w.told("traffic 100 %") }, "at 100 %"},
		"with its configuration":   {func(w *world, _, _ string) bool { return nameOf(t, w, acmeAccount, "acme") == "Renamed" }, "answers 500"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first := w.desired("acme", "v1", "one")
			w.deploy(w.acme(), first)
			w.deploy(w.globex(), w.desired("globex", "v1", "one"))
			w.said = nil
			w.api.Sick(func(script, _, tag string) int {
				if strings.HasPrefix(script, "acme-") && c.sick(w, script, tag) {
					return 500
				}
				return 0
			})
			second := w.desired("acme", "v2", "two")
			second.Tenants = published(t, "acme", "Renamed")
			err := w.apply(w.plan(w.acme(), second))
			var back *deploy.RolledBackError
			require.ErrorAs(t, err, &back)
			assert.Equal(t, "v1", back.To)
			assert.ErrorContains(t, err, c.at)
			w.api.Sick(nil)
			assert.Contains(t, w.health("api.acme.example"), `"version":"v1"`)
			assert.Equal(t, "Inc", nameOf(t, w, acmeAccount, "acme"), "the configuration is the old one")
			p := w.plan(w.acme(), first)
			assert.Zero(t, p.Count(deploy.Create, deploy.Update, deploy.Destroy), changes(p))
			require.NoError(t, w.apply(p))

			w.deploy(w.acme(), second)
			assert.Equal(t, "Renamed", nameOf(t, w, acmeAccount, "acme"))
			w.still(w.globex(), w.desired("globex", "v1", "one"))
		})
	}
}

func TestDriftIsSeenAndMended(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(a *account.Account) error
		says string
	}{
		"what is observed": {func(a *account.Account) error {
			return a.Do(t.Context(), "PATCH", a.Path("workers", "scripts", "acme-prod-api", "script-settings"), map[string]any{"observability": map[string]any{"enabled": false}}, nil)
		}, "! worker acme-prod-api  (observability"},
		"schedules": {func(a *account.Account) error {
			return a.Do(t.Context(), "PUT", a.Path("workers", "scripts", "acme-prod-workflows", "schedules"), []map[string]string{{"cron": "0 0 * * *"}}, nil)
		}, "! crons acme-prod-workflows  ([0 0 * * *] -> [*/5 * * * *])"},
		"schedules of another": {func(a *account.Account) error {
			return a.Do(t.Context(), "PUT", a.Path("workers", "scripts", "acme-prod-api", "schedules"), []map[string]string{{"cron": "0 0 * * *"}}, nil)
		}, "! crons acme-prod-api  ([0 0 * * *] -> [])"},
		"an internal Worker on the internet": {func(a *account.Account) error {
			return a.Do(t.Context(), "POST", a.Path("workers", "scripts", "acme-prod-objects", "subdomain"), map[string]bool{"enabled": true, "previews_enabled": false}, nil)
		}, "! workers.dev acme-prod-objects  (enabled true -> false)"},
		"a line for each event": {func(a *account.Account) error {
			return a.Do(t.Context(), "PATCH", a.Path("workers", "scripts", "acme-prod-api", "script-settings"), map[string]any{"observability": map[string]any{
				"enabled": true, "logs": map[string]any{"enabled": true, "invocation_logs": true}, "traces": map[string]any{"enabled": true, "head_sampling_rate": 0.1}}}, nil)
		}, "! worker acme-prod-api  (observability.logs.invocation_logs true -> false)"},
		"a queue that is paused": {func(a *account.Account) error {
			return editQueue(t, a, "acme-prod-ingest", map[string]any{"delivery_paused": true})
		}, "! queue acme-prod-ingest  (delivery_paused true -> false)"},
		"a queue that loses sooner": {func(a *account.Account) error {
			return editQueue(t, a, "acme-prod-ingest-dlq", map[string]any{"message_retention_period": 60, "delivery_delay": 30})
		}, "! queue acme-prod-ingest-dlq  (delivery_delay 30 -> 0; message_retention_period 60 -> 1209600)"},
		"a secret": {func(a *account.Account) error {
			return a.Do(t.Context(), "PUT", a.Path("workers", "scripts", "acme-prod-api", "secrets"), map[string]string{"name": "X", "type": "secret_text", "text": "x"}, nil)
		}, "secret X is not ours"},
		"the gateway": {func(a *account.Account) error {
			return a.Do(t.Context(), "PUT", a.Path("ai-gateway", "gateways", "acme-prod-levada"), map[string]any{
				"cache_invalidate_on_update": true, "cache_ttl": 60, "collect_logs": false, "rate_limiting_interval": 0, "rate_limiting_limit": 0}, nil)
		}, "! gateway acme-prod-levada  (cache_ttl 60 -> 0; collect_logs false -> true"},
		"a tenant": {func(a *account.Account) error {
			id := namespaceID(t, a, "acme-prod-config")
			return a.Do(t.Context(), "PUT", a.Path("storage", "kv", "namespaces", id, "bulk"), []map[string]string{{"key": "config/acme", "value": "{}"}, {"key": "key/evil", "value": "{}"}}, nil)
		}, "! tenants acme-prod-config  (1 entry to write, 1 to take away: config/acme, key/evil)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := w.desired("acme", "v1", "one")
			w.deploy(w.acme(), d)
			require.NoError(t, c.edit(w.acme()))
			p := w.plan(w.acme(), d)
			assert.Equal(t, 1, p.Count(deploy.Drift), changes(p))
			assert.True(t, slices.ContainsFunc(changes(p), func(l string) bool { return strings.Contains(l, c.says) }), changes(p))
			p, err := deploy.MakeDrift(t.Context(), w.acme(), d.Unit) // which knows nothing but the release
			require.NoError(t, err)
			assert.Equal(t, []int{1, 1}, []int{p.Count(deploy.Drift), p.Changes()}, changes(p))
			assert.True(t, slices.ContainsFunc(changes(p), func(l string) bool { return strings.Contains(l, c.says) || strings.Contains(l, "the release has") }), changes(p))
			w.deploy(w.acme(), d)
		})
	}
}

// editQueue is what somebody does to a queue by hand.
func editQueue(t *testing.T, a *account.Account, name string, settings map[string]any) error {
	t.Helper()
	all, err := account.List[struct {
		ID   string `json:"queue_id"`
		Name string `json:"queue_name"`
	}](t.Context(), a, a.Path("queues"))
	require.NoError(t, err)
	for _, q := range all {
		if q.Name == name {
			return a.Do(t.Context(), "PATCH", a.Path("queues", q.ID), map[string]any{"settings": settings}, nil)
		}
	}
	require.Fail(t, "there is no queue", name)
	return nil
}

func namespaceID(t *testing.T, a *account.Account, title string) string {
	t.Helper()
	all, err := account.List[struct{ ID, Title string }](t.Context(), a, a.Path("storage", "kv", "namespaces"))
	require.NoError(t, err)
	for _, n := range all {
		if n.Title == title {
			return n.ID
		}
	}
	require.Fail(t, "there is no namespace", title)
	return ""
}

func TestWhatIsWantedChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change func(d *deploy.Desired)
		lines  string
	}{
		"code of one Worker": {func(d *deploy.Desired) { recode(d, stack.API, "two") }, "~worker ~release"},
		"a queue's settings": {func(d *deploy.Desired) { d.Stack.Queues[0].MaxRetries++ }, "~consumer ~release"},
		"a new queue": {func(d *deploy.Desired) {
			d.Stack.Queues = append(d.Stack.Queues, stack.Queue{Name: "letters", Consumer: stack.Consumers, MaxBatchSize: 1, DeadLetter: "audit-dlq"})
		}, "~owner +queue +consumer ~release"},
		"a schedule": {func(d *deploy.Desired) { d.Stack.Workers[0].Crons = []string{"0 1 * * *"} }, "~crons ~release"},
		"a budget":   {func(d *deploy.Desired) { d.Stack.Gateway.Spend[0].USD = 99 }, "~gateway ~release"},
		"a filterable field": {func(d *deploy.Desired) {
			d.Stack.Indexes[0].Metadata = append(d.Stack.Indexes[0].Metadata, stack.Property{Name: "meta.public", Type: "boolean"})
		}, "+metadata index ~release"},
		"a secret":              {func(d *deploy.Desired) { d.Secrets[stack.SealKey] = "another" }, "~worker ~release"},
		"a secret is not given": {func(d *deploy.Desired) { d.Secrets = nil }, ""},
		"a tenant's name":       {func(d *deploy.Desired) { d.Tenants = published(t, "acme", "Renamed") }, "~tenants ~release"},
		"a class of objects": {func(d *deploy.Desired) {
			d.Stack.Objects = append(d.Stack.Objects, stack.Object{Class: "Room", Role: stack.Objects})
		}, "~worker ~release"},
		"a workflow": {func(d *deploy.Desired) {
			d.Stack.Workflows = append(d.Stack.Workflows, stack.Workflow{Name: "tour", Class: "Tour", Role: stack.Workflows})
		}, "~owner +workflow ~release"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := w.desired("acme", "v1", "one")
			w.deploy(w.acme(), d)
			d = w.desired("acme", "v2", "one")
			c.change(d)
			assert.Equal(t, c.lines, kinds(w.plan(w.acme(), d)))
			w.deploy(w.acme(), d)
		})
	}
}

// Killed before or after any write and run again, it converges; so does the release of a second version.
func TestStoppedAnywhereItGoesOn(t *testing.T) {
	whole := newWorld(t)
	whole.deploy(whole.acme(), whole.desired("acme", "v1", "one"))
	first := whole.writes
	whole.deploy(whole.acme(), whole.desired("acme", "v2", "two"))
	require.Greater(t, whole.writes, first)
	for n := 1; n <= whole.writes; n++ {
		w := newWorld(t)
		d := w.desired("acme", "v1", "one")
		if n > first {
			w.deploy(w.acme(), d)
			d = w.desired("acme", "v2", "two")
		}
		w.cutFrom = n
		require.Error(t, w.apply(w.plan(w.acme(), d)), "write %d", n)
		w.cutFrom = 0
		w.deploy(w.acme(), d)
	}
}

// An answer that is lost is not a write that is lost: what was to be made is found, and made once.
func TestLostAnswers(t *testing.T) {
	whole := newWorld(t)
	whole.deploy(whole.acme(), whole.desired("acme", "v1", "one"))
	first := whole.writes
	whole.deploy(whole.acme(), whole.desired("acme", "v2", "two"))
	for n := 1; n <= whole.writes; n++ {
		w := newWorld(t)
		d := w.desired("acme", "v1", "one")
		if n > first {
			w.deploy(w.acme(), d)
			d = w.desired("acme", "v2", "two")
		}
		w.loseAt = n
		require.NoError(t, w.apply(w.plan(w.acme(), d)), "write %d", n)
		w.still(w.acme(), d)
	}
}

func TestWhatIsNotOursIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	theirs := w.desired("acme", "v1", "one")
	upload := account.Upload{Metadata: map[string]any{"main_module": "worker.mjs", "compatibility_date": "2026-11-01", "bindings": []any{}}, Modules: module("x").Modules}
	acct := w.acme()
	require.NoError(t, acct.Do(t.Context(), "PUT", acct.Path("workers", "scripts", "acme-prod-api"), upload, nil))
	p := w.plan(acct, theirs)
	assert.Len(t, p.Refused(), 1)
	before := len(w.api.Writes())
	var refused *deploy.RefusedError
	require.ErrorAs(t, w.apply(p), &refused)
	assert.ErrorContains(t, refused, "--adopt takes it over")
	assert.Len(t, w.api.Writes(), before, "nothing was done")

	p = w.plan(acct, theirs, deploy.PlanOptions{Adopt: true})
	require.NoError(t, w.apply(p))
	w.still(acct, theirs)

	tags := map[string]any{"tags": []string{"managed-by=levada", "pool=globex", "env=prod"}}
	require.NoError(t, acct.Do(t.Context(), "PATCH", acct.Path("workers", "scripts", "acme-prod-api", "script-settings"), tags, nil))
	p = w.plan(acct, theirs, deploy.PlanOptions{Adopt: true})
	require.Len(t, p.Refused(), 1)
	assert.Contains(t, p.Refused()[0].String(), "it belongs to globex in prod")
}

func TestDataIsTakenAwayByNameAlone(t *testing.T) {
	w := newWorld(t)
	d := w.desired("acme", "v1", "one")
	d.Stack.Namespaces = append(d.Stack.Namespaces, stack.Namespace{Name: "old"})
	w.deploy(w.acme(), d)
	d = w.desired("acme", "v2", "one")
	p := w.plan(w.acme(), d)
	assert.Zero(t, p.Count(deploy.Destroy))
	w.deploy(w.acme(), d)
	namespaceID(t, w.acme(), "acme-prod-old")

	for _, wrong := range []string{"acme-prod-config", "globex-prod-config", "acme-prod-nothing", ""} {
		assert.Len(t, w.plan(w.acme(), d, deploy.PlanOptions{Destroy: []string{wrong}}).Refused(), 1, wrong)
	}
	p = w.plan(w.acme(), d, deploy.PlanOptions{Destroy: []string{"acme-prod-old"}})
	assert.Equal(t, "-kv ~owner", kinds(p))
	require.NoError(t, w.apply(p))
	assert.Nil(t, w.api.KV(acmeAccount, "acme-prod-old"))
	assert.NotContains(t, w.api.KV(acmeAccount, "acme-prod-config")["levada/owner"], "acme-prod-old")
	w.still(w.acme(), d)
}

func TestTheWayBack(t *testing.T) {
	w := newWorld(t)
	unit := deploy.Unit{Pool: "acme", Env: "prod"}
	_, err := deploy.MakeReturn(t.Context(), w.acme(), unit, "", deploy.PlanOptions{})
	assert.ErrorContains(t, err, "has no release yet")
	first := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), first)
	_, err = deploy.MakeReturn(t.Context(), w.acme(), unit, "", deploy.PlanOptions{})
	assert.ErrorContains(t, err, "at its first release")

	second := w.desired("acme", "v2", "two")
	second.Tenants = published(t, "acme", "Renamed")
	second.Stack.Workers[2].Crons = []string{"0 1 * * *"}
	second.Stack.Workers[0].Bindings = append(second.Stack.Workers[0].Bindings, stack.Binding{Name: "EXTRA", Kind: stack.KV, Target: "cache"})
	w.deploy(w.acme(), second)
	_, err = deploy.MakeReturn(t.Context(), w.acme(), unit, "v9", deploy.PlanOptions{})
	assert.ErrorContains(t, err, `no release "v9"`)

	back, err := deploy.MakeReturn(t.Context(), w.acme(), unit, "", deploy.PlanOptions{})
	require.NoError(t, err)
	assert.Equal(t, "~worker ~crons ~tenants ~release", kinds(back.Plan))
	assert.True(t, back.Config)
	assert.Contains(t, strings.Join(back.Stays, "\n"), "data stays as it is")
	require.NoError(t, w.apply(back.Plan))
	assert.Contains(t, w.health("api.acme.example"), `"version":"v1"`)
	assert.Equal(t, "Inc", nameOf(t, w, acmeAccount, "acme"))
	w.still(w.acme(), first)
	_, err = deploy.MakeReturn(t.Context(), w.acme(), unit, "", deploy.PlanOptions{})
	assert.ErrorContains(t, err, "at its first release")

	forth, err := deploy.MakeReturn(t.Context(), w.acme(), unit, "v2", deploy.PlanOptions{})
	require.NoError(t, err)
	require.NoError(t, w.apply(forth.Plan))
	assert.Equal(t, "Renamed", nameOf(t, w, acmeAccount, "acme"))
	w.still(w.acme(), second)
}

func TestWhatCannotGoBackIsSaidBefore(t *testing.T) {
	w := newWorld(t)
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
	d := w.desired("acme", "v2", "two")
	d.Stack.Objects = append(d.Stack.Objects, stack.Object{Class: "Room", Role: stack.Objects})
	w.deploy(w.acme(), d)
	before := len(w.api.Writes())
	back, err := deploy.MakeReturn(t.Context(), w.acme(), d.Unit, "v1", deploy.PlanOptions{})
	require.NoError(t, err)
	assert.Contains(t, strings.Join(back.Stays, "\n"), "the class Room of Durable Objects came after v1")
	require.Len(t, back.Refused(), 1)
	var refused *deploy.RefusedError
	require.ErrorAs(t, w.apply(back.Plan), &refused)
	assert.Len(t, w.api.Writes(), before)
}

func TestOnlyOneWorker(t *testing.T) {
	w := newWorld(t)
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
	d := w.desired("acme", "v2", "two")
	p := w.plan(w.acme(), d, deploy.PlanOptions{Only: []stack.Role{stack.API}})
	assert.Equal(t, 2, p.Changes(), changes(p))
	require.NoError(t, w.apply(p))
	assert.Len(t, w.plan(w.acme(), d).Refused(), 1, "v2 is that one Worker's, with the others as they were")
	d = w.desired("acme", "v3", "two")
	p = w.plan(w.acme(), d)
	assert.Equal(t, workersInTable, p.Changes(), "all the others, and the release: %v", changes(p))
	w.deploy(w.acme(), d)
}

func TestWhoeverLeavesTakesItBack(t *testing.T) {
	w := newWorld(t)
	first := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), first)
	p := w.plan(w.acme(), w.desired("acme", "v2", "two"))
	ctx, leave := context.WithCancelCause(t.Context())
	o := w.options()
	left := errors.New("the user left")
	o.Progress = func(line string) {
		if strings.HasPrefix(line, "traffic 50") {
			leave(left)
		}
	}
	err := deploy.Apply(ctx, p, o)
	var back *deploy.RolledBackError
	require.ErrorAs(t, err, &back)
	require.ErrorIs(t, err, left)
	assert.Contains(t, w.health("api.acme.example"), `"version":"v1"`)
	assert.Empty(t, changes(w.plan(w.acme(), first)))
}

func TestAWayBackThatFailsIsSaidLoudly(t *testing.T) {
	w := newWorld(t)
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
	p := w.plan(w.acme(), w.desired("acme", "v2", "two"))
	o := w.options()
	o.Progress = func(line string) {
		if strings.HasPrefix(line, "traffic 10") {
			w.api.Fail(double.Fault{Method: "POST", Path: regexp.MustCompile(`/deployments$`), Status: 500, Code: 1, Message: "broken", Times: -1})
		}
	}
	err := deploy.Apply(t.Context(), p, o)
	var stuck *deploy.StuckError
	require.ErrorAs(t, err, &stuck)
	assert.ErrorContains(t, err, "AND THE ROLLBACK FAILED")
}

func TestHonestRefusalsBeforeAnyRequest(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		spoil func(d *deploy.Desired)
		says  string
	}{
		"no code":         {func(d *deploy.Desired) { delete(d.Code, stack.API) }, "worker api: there is neither code nor a version"},
		"an empty secret": {func(d *deploy.Desired) { d.Secrets["SEAL_KEY"] = "" }, "secret SEAL_KEY: is empty"},
		"a bad table":     {func(d *deploy.Desired) { d.Stack.Queues[0].MaxBatchSize = 500 }, "max_batch_size is 500"},
		"a release":       {func(d *deploy.Desired) { d.Release = "a b" }, "is not the name of a release"},
		"an environment":  {func(d *deploy.Desired) { d.Unit.Env = "production" }, "there is no environment"},
	} {
		d := w.desired("acme", "v1", "one")
		c.spoil(d)
		_, err := w.tryPlan(w.acme(), d)
		assert.ErrorContains(t, err, c.says, name)
	}
	assert.Empty(t, w.api.Requests())
}

// A Worker whose new workflow made it go up at once goes back with the others.
func TestWhatWentUpAtOnceGoesBack(t *testing.T) {
	w := newWorld(t)
	first := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), first)
	second := w.desired("acme", "v2", "two")
	second.Stack.Workflows = append(second.Stack.Workflows, stack.Workflow{Name: "tour", Class: "Tour", Role: stack.Workflows})
	second.Tenants = published(t, "acme", "Renamed")
	w.api.Sick(func(script, _, _ string) int {
		if nameOf(t, w, acmeAccount, "acme") == "Renamed" {
			return 500
		}
		return 0
	})
	var back *deploy.RolledBackError
	require.ErrorAs(t, w.apply(w.plan(w.acme(), second)), &back)
	w.api.Sick(nil)
	p := w.plan(w.acme(), first)
	for _, a := range p.Actions {
		assert.False(t, a.Kind == "worker" && a.Op != deploy.Same, "%s", a)
	}
}

// Secrets are sent with the upload, and are nowhere else.
func TestSecretsAreNowhere(t *testing.T) {
	w := newWorld(t)
	d := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), d)
	d = w.desired("acme", "v2", "two")
	d.Secrets[stack.SealKey] = "another key made of many random bits"
	p := w.plan(w.acme(), d)
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.NoError(t, w.apply(p))
	status, err := deploy.ReadStatus(t.Context(), w.acme(), d.Unit)
	require.NoError(t, err)
	shown, err := json.Marshal(status)
	require.NoError(t, err)
	everything := string(text) + string(shown) + strings.Join(w.said, "\n") + fmt.Sprint(w.api.KV(acmeAccount, "acme-prod-config"))
	for _, secret := range []string{sealKey, d.Secrets[stack.SealKey], acmeToken} {
		assert.NotContains(t, everything, secret)
	}
	require.Len(t, status.Workers, workersInTable)
	for _, one := range status.Workers {
		assert.True(t, one.Ours)
		require.Len(t, one.Traffic, 1, one.Script)
		assert.Equal(t, "v2", one.Traffic[0].Release)
	}
}

func TestTheAPIsBadDays(t *testing.T) {
	for name, f := range map[string]double.Fault{
		"busy":            {Status: 429, Code: 10000, Message: "slow down", RetryAfter: "1", Times: 3},
		"broken for once": {Method: "PUT", Status: 502, Times: 2},
		"reading fails":   {Method: "GET", Status: 503, Times: 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.api.Fail(f)
			w.deploy(w.acme(), w.desired("acme", "v1", "one"))
		})
	}
	w := newWorld(t)
	w.api.Fail(double.Fault{Method: "PUT", Path: regexp.MustCompile(`/scripts/acme-prod-api$`), Status: 400, Code: 10021, Message: "Uncaught SyntaxError", Times: 1})
	err := w.apply(w.plan(w.acme(), w.desired("acme", "v1", "one")))
	assert.ErrorContains(t, err, "worker acme-prod-api: PUT")
	assert.ErrorContains(t, err, "Uncaught SyntaxError")
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
}
