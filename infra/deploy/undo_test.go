package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/stack"
)

// everything is a release in which all has changed that a deployment writes: each kind of what has versions, and of what has none.
func (w *world) everything(release string) *deploy.Desired {
	d := w.desired("acme", release, "two")
	s := &d.Stack
	s.Gateway.Spend[0].USD = 99
	s.Queues[0].MaxRetries++
	s.Queues[0].Retention /= 2
	s.Queues = append(s.Queues, stack.Queue{Name: "letters", Consumer: stack.Consumers, MaxBatchSize: 1, DeadLetter: "audit-dlq"})
	s.Indexes[0].Metadata = append(s.Indexes[0].Metadata, stack.Property{Name: "meta.public", Type: "boolean"})
	s.Workflows[0].Class += "Anew"
	s.Workflows = append(s.Workflows, stack.Workflow{Name: "tour", Class: "Tour", Role: stack.Workflows})
	for i := range s.Workers {
		s.Workers[i].Crons = append(s.Workers[i].Crons, "0 1 * * *")
	}
	extra := s.Workers[0]
	extra.Role, extra.Public, extra.Assets, extra.Bindings, extra.Secrets = "extra", false, nil, nil, nil
	s.Workers = append(s.Workers, extra)
	d.Code["extra"] = module("extra")
	s.Queues = append(s.Queues, stack.Queue{Name: "odd", Consumer: "extra", MaxBatchSize: 1, DeadLetter: "audit-dlq"})
	s.Observability.Logs, s.Observability.TracesTo = 7, "tempo"
	s.WorkersDev = false
	s.Domains = []string{"new.acme.example"}
	s.Routes = []stack.Route{{Pattern: "acme.example/new/*", Zone: "acme.example"}, {Pattern: "acme.other/*", Zone: "acme.other"}}
	d.Secrets[stack.SealKey] = "another key made of many random bits"
	d.Tenants = published(w.t, "acme", "Renamed")
	return d
}

// twoZones is a world in which acme has one zone more.
func twoZones(t *testing.T) *world {
	w := newWorld(t)
	w.api.Zone(otherZone, "acme.other", acmeAccount)
	w.api.Token(acmeToken, double.Token{Accounts: []string{acmeAccount}, Zones: []string{zone, otherZone}})
	return w
}

const otherZone = "dddddddddddddddddddddddddddddddd"

// asBefore: nothing of the release that failed is left but resources.
func (w *world) asBefore(first *deploy.Desired) {
	t := w.t
	drift, err := deploy.MakeDrift(t.Context(), w.acme(), first.Unit)
	require.NoError(t, err)
	require.Empty(t, changes(drift))
	w.still(w.acme(), first)
	_, live, err := deploy.Releases(t.Context(), w.acme(), first.Unit)
	require.NoError(t, err)
	require.Equal(t, first.Release, live.Release)
	for _, queue := range []string{"letters", "odd"} {
		require.Zero(t, w.consumers("acme-prod-"+queue), queue)
	}
	assert.Contains(t, w.health("api.acme.example"), `"version":"v1"`)
	var routes []any
	require.NoError(t, w.acme().Get(t.Context(), "zones/"+otherZone+"/workers/routes", &routes))
	require.Empty(t, routes, "of a zone that the release before has nothing in")
	var extra struct{ Schedules []any }
	if err := w.acme().Get(t.Context(), w.acme().Path("workers", "scripts", "acme-prod-extra", "schedules"), &extra); err == nil {
		require.Empty(t, extra.Schedules)
	}
}

// consumers is how many consumers a queue of acme's has; a queue that is not there has none.
func (w *world) consumers(name string) int {
	var queues []struct {
		Name      string `json:"queue_name"`
		Consumers []any  `json:"consumers"`
	}
	require.NoError(w.t, w.acme().Get(w.t.Context(), w.acme().Path("queues")+"?name="+name, &queues))
	for _, q := range queues {
		if q.Name == name {
			return len(q.Consumers)
		}
	}
	return 0
}

// Whichever write of a release is refused, before or after it had its effect, and whoever leaves at whichever write: afterwards the new
// release is noted, or all is as the old one was noted.
func TestAReleaseIsWholeOrIsNot(t *testing.T) {
	whole := twoZones(t)
	whole.deploy(whole.acme(), whole.desired("acme", "v1", "one"))
	first := whole.writes
	whole.deploy(whole.acme(), whole.everything("v2"))
	all := whole.writes
	for name, fail := range map[string]func(w *world, n int, leave func()){
		"refused":            func(w *world, n int, _ func()) { w.refuseAt = n },
		"refused afterwards": func(w *world, n int, _ func()) { w.refuseAt, w.late = n, true },
		"left before":        func(w *world, n int, leave func()) { w.leavesAt(n, true, leave) },
		"left afterwards":    func(w *world, n int, leave func()) { w.leavesAt(n, false, leave) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			back := 0
			for n := first + 1; n <= all; n++ {
				w := twoZones(t)
				v1, v2 := w.desired("acme", "v1", "one"), w.everything("v2")
				w.deploy(w.acme(), v1)
				p := w.plan(w.acme(), v2)
				ctx, leave := context.WithCancelCause(t.Context())
				fail(w, n, func() { leave(errors.New("the user left")) })
				err := deploy.Apply(ctx, p, w.options())
				w.wrote = nil
				var stuck *deploy.StuckError
				require.False(t, errors.As(err, &stuck), "write %d: %v", n, err)
				_, live, lerr := deploy.Releases(t.Context(), w.acme(), v1.Unit)
				require.NoError(t, lerr)
				if live.Release == "v2" {
					require.NoError(t, err, "write %d", n)
					w.still(w.acme(), v2)
					continue
				}
				require.Error(t, err, "write %d", n)
				back++
				if ok := t.Run(fmt.Sprintf("write %d", n-first), func(t *testing.T) {
					w.t = t
					w.asBefore(v1)
					var gone *deploy.RolledBackError
					if errors.As(err, &gone) {
						assert.Equal(t, "v1", gone.To)
						assert.Empty(t, gone.Stayed)
					}
					w.deploy(w.acme(), v2)
				}); !ok {
					t.Log(err, "\n"+strings.Join(w.said, "\n"))
					return
				}
			}
			assert.Greater(t, back, (all-first)/3)
		})
	}
}

// leavesAt has whoever deploys leave at a write.
func (w *world) leavesAt(n int, before bool, leave func()) {
	w.wrote = func(write int, now bool) {
		if write == n && now == before {
			leave()
		}
	}
}

// What fails after the traffic is taken back with the traffic; what cannot go back is named.
func TestWhatFailsAfterTheTrafficIsTakenBack(t *testing.T) {
	for name, c := range map[string]struct {
		method, path string
		skip         int
	}{
		"a consumer":  {"PUT", `/consumers/`, 0},
		"schedules":   {"PUT", `acme-prod-api/schedules$`, 0},
		"an address":  {"PUT", `/workers/domains$`, 0},
		"the note":    {"PUT", `/bulk$`, 1},
		"a Workflow":  {"PUT", `/workflows/acme-prod-tour$`, 0},
		"the gateway": {"PUT", `/ai-gateway/`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := twoZones(t)
			v1 := w.desired("acme", "v1", "one")
			w.deploy(w.acme(), v1)
			w.api.Fail(double.Fault{Method: c.method, Path: regexp.MustCompile(c.path), Status: http.StatusBadRequest, Code: 1, Message: "no", Times: 1, Skip: c.skip})
			var back *deploy.RolledBackError
			require.ErrorAs(t, w.apply(w.plan(w.acme(), w.everything("v2"))), &back)
			w.asBefore(v1)
		})
	}
}

// What is left of the way back is said, each thing by its name.
func TestAWayBackSaysWhatStayed(t *testing.T) {
	w := twoZones(t)
	v1, v2 := w.desired("acme", "v1", "one"), w.everything("v2")
	v2.Stack.Objects = append(v2.Stack.Objects, stack.Object{Class: "Room", Role: stack.Objects})
	w.deploy(w.acme(), v1)
	fails := func(path string) {
		w.api.Fail(double.Fault{Method: "PUT", Path: regexp.MustCompile(path), Status: http.StatusBadRequest, Code: 1, Message: "no", Times: -1})
	}
	p := w.plan(w.acme(), v2)
	o := w.options()
	o.Progress = func(line string) {
		if strings.HasPrefix(line, "+ domain") {
			fails(`/workers/domains$`)
			fails(`/ai-gateway/`)
		}
	}
	var stuck *deploy.StuckError
	err := deploy.Apply(t.Context(), p, o)
	require.ErrorAs(t, err, &stuck)
	assert.Equal(t, []string{"acme-prod-objects"}, stuck.Stayed)
	assert.ErrorContains(t, err, "without acme-prod-objects, which could not go back")
	assert.ErrorContains(t, stuck.Rollback, "gateway acme-prod-levada: ")
	assert.NotContains(t, stuck.Rollback.Error(), "consumer", "what can go back goes back")
	drift, err := deploy.MakeDrift(t.Context(), w.acme(), v1.Unit)
	require.NoError(t, err)
	assert.Equal(t, "!gateway !worker", kinds(drift))
	w.api.Heal()
	w.deploy(w.acme(), v2)
}

// What was to be mended, and cannot, is no reason to take anything back: it would be the same again.
func TestWhatCannotBeMendedIsNotTakenBack(t *testing.T) {
	w := newWorld(t)
	d := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), d)
	acct := w.acme()
	require.NoError(t, acct.Do(t.Context(), "PUT", acct.Path("workers", "scripts", "acme-prod-api", "schedules"), []map[string]string{{"cron": "0 0 * * *"}}, nil))
	w.api.Fail(double.Fault{Method: "PUT", Path: regexp.MustCompile(`schedules$`), Status: http.StatusBadRequest, Code: 1, Message: "no", Times: 1})
	err := w.apply(w.plan(acct, d))
	assert.ErrorContains(t, err, "crons acme-prod-api")
	var back *deploy.RolledBackError
	assert.False(t, errors.As(err, &back))
	w.deploy(acct, d)
}

// A release that is noted is live: what fails after it, when data is destroyed, is no reason to go back.
func TestANotedReleaseStays(t *testing.T) {
	w := newWorld(t)
	first := w.desired("acme", "v1", "one")
	first.Stack.Namespaces = append(first.Stack.Namespaces, stack.Namespace{Name: "old"})
	w.deploy(w.acme(), first)
	second := w.desired("acme", "v2", "two")
	p := w.plan(w.acme(), second, deploy.PlanOptions{Destroy: []string{"acme-prod-old"}})
	w.api.Fail(double.Fault{Method: "DELETE", Status: http.StatusBadRequest, Code: 1, Message: "no", Times: 1})
	err := w.apply(p)
	assert.ErrorContains(t, err, "kv acme-prod-old")
	var back *deploy.RolledBackError
	assert.False(t, errors.As(err, &back))
	assert.Contains(t, w.health("api.acme.example"), `"version":"v2"`)
	w.still(w.acme(), second)
}

// A Workflow's class is another when the version that has it has the traffic: at once on the way forth, as its old class is gone then, and
// after the traffic on the way back.
func TestAWorkflowGetsItsClassWithTheVersionThatHasIt(t *testing.T) {
	w := newWorld(t)
	first, second := w.desired("acme", "v1", "one"), w.desired("acme", "v2", "two")
	w.deploy(w.acme(), first)
	flow := second.Stack.Workflows[0].Name
	second.Stack.Workflows[0].Class += "Anew"
	traffic := func(from int) string {
		for _, write := range w.api.Writes()[from:] {
			method, path, _ := strings.Cut(write, " ")
			path, _, _ = strings.Cut(path, "?")
			switch {
			case strings.HasSuffix(path, "/workflows/acme-prod-"+flow):
				return "the Workflow first"
			case strings.HasSuffix(path, "/scripts/acme-prod-workflows") && method == "PUT":
				return "at once"
			case strings.HasSuffix(path, "/scripts/acme-prod-workflows/deployments"):
				return "by degrees"
			}
		}
		return "never"
	}
	p := w.plan(w.acme(), second)
	assert.Contains(t, strings.Join(changes(p), "\n"), "all at once: its class "+second.Stack.Workflows[0].Class+" is new")
	from := len(w.api.Writes())
	require.NoError(t, w.apply(p))
	assert.Equal(t, "at once", traffic(from))
	w.still(w.acme(), second)
	back, err := deploy.MakeReturn(t.Context(), w.acme(), first.Unit, "", deploy.PlanOptions{})
	require.NoError(t, err)
	from = len(w.api.Writes())
	require.NoError(t, w.apply(back.Plan))
	assert.Equal(t, "by degrees", traffic(from))
	w.still(w.acme(), first)
}

// What a deployment left that was killed before its note goes back, too, when the next one does not get there: also what that found as it
// should be.
func TestWhatAnotherRunLeftIsTakenBack(t *testing.T) {
	w := twoZones(t)
	v1, v2 := w.desired("acme", "v1", "one"), w.everything("v2")
	w.deploy(w.acme(), v1)
	w.deploy(w.globex(), w.desired("globex", "v1", "one"))
	o := w.options()
	o.Progress = func(line string) {
		if line == "~ release v2" {
			w.cutFrom = w.writes + 1
		}
	}
	var stuck *deploy.StuckError
	require.ErrorAs(t, deploy.Apply(t.Context(), w.plan(w.acme(), v2), o), &stuck)
	w.cutFrom = 0
	p := w.plan(w.acme(), v2)
	require.Equal(t, "~release", kinds(p), "all else is there")
	w.api.Sick(func(script, _, tag string) int { return map[bool]int{true: 500}[tag == "v2"] })
	var back *deploy.RolledBackError
	require.ErrorAs(t, w.apply(p), &back)
	w.api.Sick(nil)
	w.asBefore(v1)
	assert.Equal(t, "Inc", nameOf(t, w, acmeAccount, "acme"))
	w.still(w.globex(), w.desired("globex", "v1", "one"))
}
