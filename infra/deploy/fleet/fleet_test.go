package fleet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
	assert.Equal(t, []int{4, 4}, []int{done, of})
	require.NoError(t, f.Close())
	other.Apply(t.Context(), held)
	assert.Equal(t, []State{Done}, states(held))
	require.NoError(t, other.Close())
}
