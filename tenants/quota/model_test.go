package quota_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/book"
	"levada.dev/tenants/tenantstest"
)

// world is two tenants whose calls go through isolates that come and die, over a ledger that loses questions and answers.
type world struct {
	t      *testing.T
	rng    *rand.Rand
	ledger *memory.Quota
	limits quota.Limits
	gates  []*isolate
	scopes []tenants.Scope

	deaths   int
	offset   atomic.Int64 // of the clock, nanoseconds
	losing   atomic.Int64 // which part of the exchanges is lost on either way, in percent
	refusals int
	closings int
	units    map[string]bool // of budgets that have refused a call
}

// isolate is a gate and its calls in flight.
type isolate struct {
	*quota.Purses
	die   context.CancelFunc
	holds []*call
	used  map[tenants.ID]quota.Amount // that it has settled
	calls map[tenants.ID]int64

	neurons map[tenants.ID]quota.Neurons
}

type call struct {
	quota.Hold
	s    tenants.Scope
	most quota.Amount
}

func (w *world) start() *isolate {
	life, die := context.WithCancel(context.Background())
	i := &isolate{die: die, used: map[tenants.ID]quota.Amount{}, calls: map[tenants.ID]int64{}, neurons: map[tenants.ID]quota.Neurons{}}
	of := func(context.Context, tenants.Scope) (quota.Limits, error) { return w.limits, nil }
	i.Purses = quota.NewGate(w.ledger, of, &quota.Options{Now: w.now, Background: func(_ context.Context, f func(context.Context)) error {
		if life.Err() != nil {
			return life.Err()
		}
		go f(life)
		return nil
	}})
	return i
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }

// lose is the hook before and after each call of the ledger.
func (w *world) lose(op string) error {
	if op != "statement" && rand.Int64N(100) < w.losing.Load() {
		return fault.Unavailablef(nil, "lost", "the ledger was lost")
	}
	return nil
}

// step is one thing that happens.
func (w *world) step() {
	i := w.gates[w.rng.IntN(len(w.gates))]
	s := w.scopes[w.rng.IntN(len(w.scopes))]
	switch n := w.rng.IntN(100); {
	case n < 45:
		w.ask(i, s)
	case n < 80:
		w.settle(i)
	case n < 96:
		time.Sleep(time.Duration(w.rng.Int64N(int64(3 * time.Second))))
	case n < 98:
		// The clock jumps: the isolates were frozen, and the ledger has closed their purses.
		w.offset.Add(w.rng.Int64N(int64(100 * time.Minute)))
		w.alarm()
	default:
		w.kill()
	}
}

func (w *world) ask(i *isolate, s tenants.Scope) {
	most := quota.Amount{Tokens: 1 + w.rng.Int64N(60), Nanos: w.rng.Int64N(600)}
	switch w.rng.IntN(3) {
	case 0: // speech
		most.Tokens, most.Chars = 0, 1+w.rng.Int64N(200)
	case 1: // a model that is paid by both
		most.Chars = 1 + w.rng.Int64N(100)
	}
	a := quota.Ask{Requests: w.rng.IntN(2), User: fmt.Sprint(w.rng.IntN(3)), Amount: most}
	if w.rng.IntN(3) == 0 {
		a.Ahead = most
	}
	if w.rng.IntN(4) == 0 { // nothing is to be held
		a.Amount, a.Room, most = quota.Amount{}, most, quota.Amount{}
	}
	h, err := i.Acquire(context.Background(), s, a)
	if err != nil {
		require.Contains(w.t, []string{"budget_exhausted", "rate_limited", "quota_unavailable"}, fault.As(err).Code, "%v", err)
		w.refusals++
		return
	}
	i.holds = append(i.holds, &call{h, s, most})
}

func (w *world) settle(i *isolate) {
	if len(i.holds) == 0 {
		return
	}
	n := w.rng.IntN(len(i.holds))
	c := i.holds[n]
	i.holds = append(i.holds[:n], i.holds[n+1:]...)
	if w.rng.IntN(5) == 0 {
		c.Settle(context.Background())
		return
	}
	u := quota.Use{
		Capability: []string{"chat", "search"}[w.rng.IntN(2)], Purpose: []string{"chat", "query"}[w.rng.IntN(2)], Model: "m", Estimated: w.rng.IntN(9) == 0,
		Neurons: quota.Neurons(w.rng.Int64N(1e9)),
		Prompt:  w.rng.Int64N(c.most.Tokens + 1), Chars: w.rng.Int64N(c.most.Chars + 1), Nanos: w.rng.Int64N(c.most.Nanos + 1),
	}
	c.Settle(context.Background(), u)
	c.Settle(context.Background(), u) // does nothing
	i.neurons[c.s.Tenant()] += u.Neurons
	i.used[c.s.Tenant()] = i.used[c.s.Tenant()].Add(u.Amount())
	i.calls[c.s.Tenant()]++
}

// kill ends an isolate with all that it had.
func (w *world) kill() {
	if w.deaths == 0 {
		return
	}
	w.deaths--
	n := w.rng.IntN(len(w.gates))
	w.gates[n].die()
	w.gates[n] = w.start()
}

func (w *world) alarm() {
	for _, s := range w.scopes {
		_, err := w.ledger.Close(s)
		require.NoError(w.t, err)
	}
}

// check looks at what must hold at every moment: no period is overspent, and what is booked is what was told.
func (w *world) check() {
	for _, s := range w.scopes {
		st := w.statement(s)
		days, months := map[quota.Day]quota.Amount{}, map[quota.Day]quota.Amount{}
		for _, l := range st.Lines {
			a := quota.Amount{Tokens: l.Prompt + l.Completion, Chars: l.Chars, Nanos: l.Nanos}
			days[l.Day], months[l.Day[:7]] = days[l.Day].Add(a), months[l.Day[:7]].Add(a)
			require.True(w.t, a.Tokens >= 0 && a.Chars >= 0 && a.Nanos >= 0 && l.Calls >= 0 && l.Estimated >= 0, "%+v", l)
		}
		for day, sum := range days {
			require.LessOrEqual(w.t, sum.Tokens, w.limits.Day.Tokens, day)
			require.LessOrEqual(w.t, sum.Chars, w.limits.Day.Chars, day)
			require.LessOrEqual(w.t, sum.Nanos, w.limits.Day.Nanos, day)
		}
		for month, sum := range months {
			require.LessOrEqual(w.t, sum.Tokens, w.limits.Month.Tokens, month)
			require.LessOrEqual(w.t, sum.Chars, w.limits.Month.Chars, month)
			require.LessOrEqual(w.t, sum.Nanos, w.limits.Month.Nanos, month)
		}
		for _, b := range st.Budgets {
			require.GreaterOrEqual(w.t, b.Reserved, int64(0))
		}
	}
}

func (w *world) statement(s tenants.Scope) quota.Statement {
	now := w.now()
	st, err := w.ledger.Statement(context.Background(), s, quota.Query{From: quota.DayOf(now.AddDate(0, 0, -4)), To: quota.DayOf(now.AddDate(0, 0, 2)), Limits: w.limits})
	require.NoError(w.t, err)
	return st
}

// told adds up what the ledger's events say, in the order of the account.
func (w *world) told(s tenants.Scope) map[quota.Line]quota.Line {
	evs, err := w.ledger.Told(s)
	require.NoError(w.t, err)
	sums := map[quota.Line]quota.Line{}
	exhausted := map[string]bool{}
	for _, e := range evs {
		switch e.Type {
		case events.TypeUsageRecorded:
			var f events.UsageRecorded
			require.NoError(w.t, e.As(&f))
			for _, l := range f.Lines {
				if l.Capability == book.Unsettled && l.Calls > 0 {
					w.closings++
				}
				key := quota.Line{Day: quota.Day(l.Day), Capability: l.Capability, Purpose: l.Purpose, Model: l.Model}
				sum := sums[key]
				sum.Calls, sum.Prompt, sum.Completion = sum.Calls+l.Calls, sum.Prompt+l.Prompt, sum.Completion+l.Completion
				sum.Neurons += quota.Neurons(math.Round(l.Neurons * 1e6))
				sum.Chars, sum.Nanos, sum.Estimated = sum.Chars+l.Chars, sum.Nanos+l.Nanos, sum.Estimated+l.Estimated
				sums[key] = sum
			}
		case events.TypeBudgetExhausted:
			var f events.BudgetExhausted
			require.NoError(w.t, json.Unmarshal(e.Data, &f))
			key := f.Period + f.Unit + f.Starts
			require.False(w.t, exhausted[key], "told twice: %s", key)
			exhausted[key] = true
			w.units[f.Unit] = true
		}
	}
	for key, sum := range sums {
		if sum == (quota.Line{}) {
			delete(sums, key)
		}
	}
	return sums
}

// end lets everything come to rest and compares the account with what was used.
func (w *world) end(died bool) {
	w.losing.Store(0)
	for _, i := range w.gates {
		for len(i.holds) > 0 {
			w.settle(i)
		}
	}
	time.Sleep(2 * time.Minute)
	synctest.Wait()
	for _, i := range w.gates { // what an isolate could not tell before, it tells with its next event
		for _, s := range w.scopes {
			_, err := i.Statement(context.Background(), s, quota.DayOf(w.now()), quota.DayOf(w.now()))
			require.NoError(w.t, err)
		}
	}
	time.Sleep(time.Minute)
	w.alarm()
	w.check()
	for _, s := range w.scopes {
		var want quota.Amount
		var calls int64
		var used, neurons quota.Neurons
		for _, i := range w.gates {
			want, calls = want.Add(i.used[s.Tenant()]), calls+i.calls[s.Tenant()]
			used += i.neurons[s.Tenant()]
		}
		st := w.statement(s)
		var got quota.Amount
		var booked int64
		told := w.told(s)
		require.Len(w.t, told, len(st.Lines))
		for _, l := range st.Lines {
			sum := l
			sum.Day, sum.Capability, sum.Purpose, sum.Model = "", "", "", ""
			require.Equal(w.t, sum, told[l.Empty()], "the events make the account")
			neurons += l.Neurons
			got = got.Add(quota.Amount{Tokens: l.Prompt + l.Completion, Chars: l.Chars, Nanos: l.Nanos})
			if l.Capability != book.Unsettled {
				booked += l.Calls
			}
			require.True(w.t, died || l.Capability != book.Unsettled, "%+v", l)
		}
		if died {
			require.GreaterOrEqual(w.t, got.Tokens, want.Tokens, "what the dead held is booked, too")
			require.GreaterOrEqual(w.t, got.Chars, want.Chars, "what the dead held is booked, too")
			require.GreaterOrEqual(w.t, got.Nanos, want.Nanos, "what the dead held is booked, too")
		} else {
			require.Equal(w.t, want, got, "everything is booked once")
			require.Equal(w.t, calls, booked)
			require.Equal(w.t, used, neurons)
		}
		for _, b := range st.Budgets {
			require.Zero(w.t, b.Reserved, "nothing is leased any more")
		}
	}
}

func simulate(t *testing.T, seed uint64, deaths int, units map[string]bool) (closings, refusals int) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t: t, rng: rand.New(rand.NewPCG(seed, 7)), deaths: deaths, units: units,
			limits: quota.Limits{
				Tenant: tenants.Rate{PerMinute: 600, Burst: 100}, User: tenants.Rate{PerMinute: 300, Burst: 50},
				Day: quota.Amount{Tokens: 400, Chars: 1000, Nanos: 4000}, Month: quota.Amount{Tokens: 3000, Chars: 1500, Nanos: 30_000},
			},
			scopes: []tenants.Scope{tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")},
		}
		w.ledger = memory.NewQuota(w.now)
		w.ledger.Before, w.ledger.After = w.lose, w.lose
		// A day turns in the middle of it, and every other time a month.
		w.offset.Store(int64(time.Until(time.Date(2026, 11, 29+int(seed%2), 18, 0, 0, 0, time.UTC))))
		for range 3 {
			w.gates = append(w.gates, w.start())
		}
		w.losing.Store(20)
		for n := range 600 {
			w.step()
			if n%20 == 0 {
				w.check()
			}
		}
		w.end(deaths > 0)
		for _, i := range w.gates {
			i.die()
		}
		closings, refusals = w.closings, w.refusals
	})
	return closings, refusals
}

// TestEverythingIsBookedOnceAndNothingOverspent runs random days of isolates over a ledger that loses questions and
// answers. Isolates that live have every call booked as it was; what the dead held is booked by estimate.
func TestEverythingIsBookedOnceAndNothingOverspent(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	var closings, refusals int
	units := map[string]bool{}
	for _, deaths := range []int{0, 5} {
		for seed := range uint64(25) {
			t.Run(fmt.Sprintf("%d die/%d", deaths, seed), func(t *testing.T) {
				c, r := simulate(t, seed, deaths, units)
				closings, refusals = closings+c, refusals+r
			})
		}
	}
	assert.Positive(t, closings, "purses were closed, and some of them spoke later")
	assert.Positive(t, refusals)
	assert.Equal(t, map[string]bool{"tokens": true, "nanoUSD": true, "characters": true}, units, "each currency was short")
}
