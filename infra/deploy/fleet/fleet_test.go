package fleet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/deploytest"
	"levada.dev/infra/stack"
)

// In no five minutes a token sends more than the API takes of it, and in no second do all of them; a token that is idle does not hold up
// another.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPaces()
		start := time.Now()
		var sent []time.Time
		for range 3000 {
			require.NoError(t, p.of("env:A").Wait(t.Context()))
			sent = append(sent, time.Now())
		}
		assert.LessOrEqual(t, most(sent, 5*time.Minute), 1200)
		assert.Greater(t, most(sent, 5*time.Minute), 1100, "and not much less")
		busy := time.Since(start)

		start = time.Now()
		require.NoError(t, p.of("env:B").Wait(t.Context()))
		assert.Less(t, time.Since(start), time.Second, "after %v of another", busy)
	})
	synctest.Test(t, func(t *testing.T) {
		p := newPaces()
		var sent []time.Time
		for i := range 1000 {
			require.NoError(t, p.of(fmt.Sprint("env:", i/200)).Wait(t.Context()))
			sent = append(sent, time.Now())
		}
		assert.LessOrEqual(t, most(sent, time.Second), 200)
	})
	synctest.Test(t, func(t *testing.T) {
		p := newPaces()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Hour, cancel)
		var err error
		for err == nil {
			err = p.of("env:A").Wait(ctx)
		}
		assert.ErrorIs(t, err, context.Canceled, "a wait ends with its context")
	})
}

// most is the most that was sent in any span of time.
func most(sent []time.Time, span time.Duration) int {
	n, from := 0, 0
	for to := range sent {
		for sent[to].Sub(sent[from]) >= span {
			from++
		}
		n = max(n, to-from+1)
	}
	return n
}

func TestOnlyTheAPIItselfIsPaced(t *testing.T) {
	for url, real := range map[string]bool{"": true, account.DefaultURL: true, "https://api.cloudflare.com/client/v4": true, "http://127.0.0.1:8787/client/v4": false} {
		assert.Equal(t, real, isReal(url), url)
	}
}

func TestOnePoolIsDeployedOnce(t *testing.T) {
	folder, now := filepath.Join(t.TempDir(), "a", "b"), time.Date(2026, 11, 22, 20, 5, 0, 0, time.UTC)
	u := deploy.Unit{Pool: "acme", Env: "prod"}
	first, err := lock(folder, "one", u, now)
	require.NoError(t, err)
	_, err = lock(folder, "one", u, now.Add(time.Hour))
	assert.True(t, fault.Is(err, fault.Conflict))
	assert.ErrorContains(t, err, fmt.Sprintf("another deployment of acme in prod runs on this machine: process %d, since 2026-11-22T20:05:00Z", os.Getpid()))
	for _, other := range []struct {
		account string
		unit    deploy.Unit
	}{{"two", u}, {"one", deploy.Unit{Pool: "acme", Env: "dev"}}, {"one", deploy.Unit{Pool: "globex", Env: "prod"}}} {
		l, err := lock(folder, other.account, other.unit, now)
		require.NoError(t, err)
		require.NoError(t, l.Close())
	}
	require.NoError(t, first.Close())
	again, err := lock(folder, "one", u, now)
	require.NoError(t, err, "who has ended holds nothing")
	require.NoError(t, again.Close())
}

// job is a pool of a world, with its table and small modules.
func job(t *testing.T, w *deploytest.World, pool, release string) Job {
	t.Helper()
	code, err := Read(os.DirFS(w.Workers()), stack.Levada(stack.Pool{}))
	require.NoError(t, err)
	d := &deploy.Desired{Unit: deploy.Unit{Pool: pool, Env: "prod"}, Release: release, Stack: stack.Levada(stack.Pool{Name: pool, Env: "prod"}), Code: code}
	token, ref := w.Token(pool)
	return Job{Unit: d.Unit, Account: deploytest.AccountID(pool), Ref: ref, Token: token, Plan: func(ctx context.Context, a *account.Account) (*deploy.Plan, error) {
		return deploy.Make(ctx, a, d, deploy.PlanOptions{})
	}}
}

func states(all []*Outcome) (states []State) {
	for _, o := range all {
		states = append(states, o.State)
	}
	return states
}

// A plan that has become old is made again. What nobody was shown is not done.
func TestAnOldPlanIsMadeAgain(t *testing.T) {
	w := deploytest.New(t, deploytest.Pools(2)...)
	now := time.Date(2026, 11, 22, 20, 5, 0, 0, time.UTC)
	api := account.Options{URL: deploytest.URL, HTTP: w.Client()}
	var said []string
	f := New(Options{API: api, Locks: t.TempDir(), Now: func() time.Time { return now }, Tell: func(s Step) { said = append(said, s.Line) }})
	jobs := []Job{job(t, w, "t001", "v1"), job(t, w, "t002", "v1")}
	f.Apply(t.Context(), f.Plan(t.Context(), jobs, true))
	require.NoError(t, f.Close())

	w.Code("two")
	jobs = []Job{job(t, w, "t001", "v2"), job(t, w, "t002", "v2")}
	all := f.Plan(t.Context(), jobs, true)
	assert.Equal(t, []State{Pending, Pending}, states(all))
	a := w.Open("t002") // somebody is at it by hand meanwhile
	require.NoError(t, a.Do(t.Context(), "PUT", a.Path("workers", "scripts", "t002-prod-api", "schedules"), []map[string]string{{"cron": "0 0 * * *"}}, nil))
	now, said = now.Add(time.Hour), nil
	f.Apply(t.Context(), all)
	require.NoError(t, f.Close())
	assert.Equal(t, []State{Done, Failed}, states(all))
	assert.ErrorContains(t, all[1].Err, "plan_stale: since it was planned something has changed: ! crons t002-prod-api")
	assert.Contains(t, said, "planned again: the plan is old")

	all = f.Plan(t.Context(), jobs, true)
	f.Apply(t.Context(), all)
	require.NoError(t, f.Close())
	assert.Equal(t, []State{Unchanged, Done}, states(all))
}

// As many at a time as was said, and one that is held by another is left alone.
func TestAsManyAtATime(t *testing.T) {
	w := deploytest.New(t, deploytest.Pools(9)...)
	locks := t.TempDir()
	api := account.Options{URL: deploytest.URL, HTTP: w.Client()}
	other := New(Options{API: api, Locks: locks})
	held := other.Plan(t.Context(), []Job{job(t, w, "t005", "v1")}, true)
	require.Equal(t, []State{Pending}, states(held))

	f := New(Options{API: api, Locks: locks, Concurrency: 3})
	var at, most atomic.Int32
	var jobs []Job
	for _, p := range deploytest.Pools(9) {
		j := job(t, w, p.Name, "v1")
		plan := j.Plan
		j.Plan = func(ctx context.Context, a *account.Account) (*deploy.Plan, error) {
			n := at.Add(1)
			defer at.Add(-1)
			for {
				if was := most.Load(); n <= was || most.CompareAndSwap(was, n) {
					break
				}
			}
			return plan(ctx, a)
		}
		jobs = append(jobs, j)
	}
	all := f.Plan(t.Context(), jobs, true)
	assert.LessOrEqual(t, most.Load(), int32(3))
	assert.Equal(t, Failed, all[4].State)
	assert.ErrorContains(t, all[4].Err, "deployment_running")
	f.Apply(t.Context(), all)
	assert.Equal(t, []State{Done, Done, Done, Done, Failed, Done, Done, Done, Done}, states(all))
	done, of := all[0].Workers()
	n := len(stack.Levada(stack.Pool{}).Workers)
	assert.Equal(t, []int{n, n}, []int{done, of})
	require.NoError(t, f.Close())
	other.Apply(t.Context(), held)
	assert.Equal(t, []State{Done}, states(held))
	require.NoError(t, other.Close())
}

// What was shown is what is done: the same things, for the same reasons. That a part of it is well by now is no reason to ask again.
func TestAPlanThatIsMadeAgainDoesNoMoreThanWasShown(t *testing.T) {
	type hand func(method, path string, body any)
	crons := func(all ...string) (body []map[string]string) {
		for _, c := range all {
			body = append(body, map[string]string{"cron": c})
		}
		return body
	}
	const schedules = "workers/scripts/t001-prod-api/schedules"
	consumer := func(w *deploytest.World, hand hand, edit func(path string, settings map[string]any)) {
		a := w.Open("t001")
		var queues []struct {
			ID   string `json:"queue_id"`
			Name string `json:"queue_name"`
		}
		require.NoError(t, a.Get(t.Context(), a.Path("queues"), &queues))
		for _, q := range queues {
			if q.Name != "t001-prod-fetch" {
				continue
			}
			var found []struct {
				ID       string         `json:"consumer_id"`
				Settings map[string]any `json:"settings"`
			}
			require.NoError(t, a.Get(t.Context(), a.Path("queues", q.ID, "consumers"), &found))
			edit("queues/"+q.ID+"/consumers/"+found[0].ID, found[0].Settings)
		}
	}
	put := func(hand hand, size, retries int) func(path string, settings map[string]any) {
		return func(path string, settings map[string]any) {
			settings["batch_size"], settings["max_retries"] = size, retries
			hand("PUT", path, map[string]any{"type": "worker", "script_name": "t001-prod-consumers", "dead_letter_queue": "t001-prod-fetch-dlq", "settings": settings})
		}
	}
	for name, test := range map[string]struct {
		shown, meanwhile func(w *deploytest.World, hand hand)
		says             string // nothing: it is done
	}{
		"the same":       {},
		"another reason": {func(w *deploytest.World, hand hand) { hand("PUT", schedules, crons("0 0 * * *")) }, func(w *deploytest.World, hand hand) { hand("PUT", schedules, crons("0 1 * * *")) }, "! crons t001-prod-api  ([0 1 * * *] -> []"},
		"a reason more":  {func(w *deploytest.World, hand hand) { consumer(w, hand, put(hand, 7, 3)) }, func(w *deploytest.World, hand hand) { consumer(w, hand, put(hand, 7, 9)) }, "max_retries 9 ->"},
		"a reason less":  {func(w *deploytest.World, hand hand) { consumer(w, hand, put(hand, 7, 9)) }, func(w *deploytest.World, hand hand) { consumer(w, hand, put(hand, 7, 3)) }, ""},
		"another operation": {func(w *deploytest.World, hand hand) { consumer(w, hand, put(hand, 7, 9)) }, func(w *deploytest.World, hand hand) {
			consumer(w, hand, func(path string, _ map[string]any) { hand("DELETE", path, nil) })
		}, "+ consumer t001-prod-fetch -> t001-prod-consumers"},
	} {
		t.Run(name, func(t *testing.T) {
			w := deploytest.New(t, deploytest.Pools(1)...)
			now := time.Date(2026, 11, 22, 20, 5, 0, 0, time.UTC)
			f := New(Options{API: account.Options{URL: deploytest.URL, HTTP: w.Client()}, Locks: t.TempDir(), Now: func() time.Time { return now }})
			f.Apply(t.Context(), f.Plan(t.Context(), []Job{job(t, w, "t001", "v1")}, true))
			require.NoError(t, f.Close())
			a := w.Open("t001")
			hand := func(method, path string, body any) {
				require.NoError(t, a.Do(t.Context(), method, a.Path(strings.Split(path, "/")...), body, nil))
			}
			if test.shown != nil {
				test.shown(w, hand)
			}
			w.Code("two")
			all := f.Plan(t.Context(), []Job{job(t, w, "t001", "v2")}, true)
			require.Equal(t, []State{Pending}, states(all))
			if test.meanwhile != nil {
				test.meanwhile(w, hand)
			}
			now = now.Add(time.Hour)
			f.Apply(t.Context(), all)
			require.NoError(t, f.Close())
			if test.says == "" {
				assert.Equal(t, []State{Done}, states(all), "%v", all[0].Err)
				return
			}
			require.Equal(t, []State{Failed}, states(all))
			assert.ErrorContains(t, all[0].Err, "plan_stale")
			assert.ErrorContains(t, all[0].Err, test.says)
		})
	}
}
