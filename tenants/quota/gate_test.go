package quota_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/book"
	"levada.dev/tenants/tenantstest"
)

// room is a tenant, its ledger and isolates, in a bubble of time that begins at noon.
type room struct {
	*testing.T
	ledger *memory.Quota
	limits quota.Limits
	acme   tenants.Scope
	stop   []context.CancelFunc
}

func inRoom(t *testing.T, test func(t *testing.T, r *room)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)))
		r := &room{T: t, ledger: memory.NewQuota(time.Now), acme: tenantstest.Scope(t, "acme"), limits: quota.Limits{
			Tenant: tenants.Rate{PerMinute: 1, Burst: 100}, User: tenants.Rate{PerMinute: 1, Burst: 100},
			Day: quota.Amount{Tokens: 1000, Nanos: 1000}, Month: quota.Amount{Tokens: 2000, Nanos: 2000},
		}}
		test(t, r)
		for _, stop := range r.stop {
			stop()
		}
	})
}

// gate is an isolate's. It dies with what it has when the function is called.
func (r *room) gate() (*quota.Purses, context.CancelFunc) {
	life, die := context.WithCancel(context.Background())
	r.stop = append(r.stop, die)
	of := func(context.Context, tenants.Scope) (quota.Limits, error) { return r.limits, nil }
	return quota.NewGate(r.ledger, of, &quota.Options{Background: func(_ context.Context, f func(context.Context)) error {
		if life.Err() == nil {
			go f(life)
		}
		return life.Err()
	}}), die
}

func (r *room) statement() quota.Statement {
	r.Helper()
	today := time.Now()
	st, err := r.ledger.Statement(r.Context(), r.acme, quota.Query{From: quota.DayOf(today.AddDate(0, 0, -3)), To: quota.DayOf(today), Limits: r.limits})
	require.NoError(r, err)
	return st
}

func (r *room) reserved() int64 { return r.statement().Budgets[0].Reserved }

func (r *room) exchanges() int {
	calls, _ := r.ledger.Cost(r.acme)
	return calls
}

func tokens(n int64) quota.Ask { return quota.Ask{Amount: quota.Amount{Tokens: n, Nanos: n}} }

func request(user string) quota.Ask { return quota.Ask{Requests: 1, User: user} }

func use(n int64) quota.Use { return quota.Use{Capability: "chat", Model: "m", Prompt: n, Nanos: n} }

func pass(t *testing.T, g quota.Gate, s tenants.Scope, a quota.Ask) quota.Hold {
	t.Helper()
	h, err := g.Acquire(t.Context(), s, a)
	require.NoError(t, err)
	return h
}

func refused(t *testing.T, g quota.Gate, s tenants.Scope, a quota.Ask, code string) *fault.Error {
	t.Helper()
	_, err := g.Acquire(t.Context(), s, a)
	require.Error(t, err)
	f := fault.As(err)
	require.Equal(t, code, f.Code, "%v", err)
	return f
}

func TestLeasesGrowWhileTheyAreUsedUpQuickly(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, _ := r.gate()
		pass(t, g, r.acme, request("u"))
		assert.Equal(t, 1, r.exchanges(), "the first asks for what it needs")
		time.Sleep(3 * time.Second)
		assert.Equal(t, 1, r.exchanges(), "and has nothing to give back")
		pass(t, g, r.acme, request("u"))
		assert.Equal(t, 2, r.exchanges(), "in a quiet moment nothing is leased")
		for range 40 {
			pass(t, g, r.acme, request("u"))
		}
		assert.Equal(t, 8, r.exchanges(), "leases of 1, 2, 4, 8 and 12 (an eighth of the burst) saw to the next 40")
		other, _ := r.gate()
		time.Sleep(3 * time.Second)
		for range 58 {
			pass(t, other, r.acme, quota.Ask{Requests: 1})
		}
		refused(t, other, r.acme, quota.Ask{Requests: 1}, "rate_limited")
	})
}

func TestARefusedRateSaysWhenAndIsNotAskedAgainAtOnce(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		r.limits.User.Burst = 2
		g, _ := r.gate()
		h := pass(t, g, r.acme, request("u"))
		assert.Equal(t, quota.Standing{Limit: 2, Remaining: 1, Reset: time.Minute}, h.Standing(), "the user's rate is the narrower")
		pass(t, g, r.acme, request("u"))
		f := refused(t, g, r.acme, request("u"), "rate_limited")
		assert.Equal(t, fault.Limited, f.Kind)
		assert.Equal(t, time.Minute, f.RetryAfter)
		n := r.exchanges()
		for range 100 {
			refused(t, g, r.acme, request("u"), "rate_limited")
		}
		assert.Equal(t, n, r.exchanges())
		pass(t, g, r.acme, request("other"))
		time.Sleep(time.Minute)
		pass(t, g, r.acme, request("u"))
		refused(t, g, r.acme, request("u"), "rate_limited")
	})
}

func TestWhatIsLeasedAheadSavesAnExchangeAndComesBack(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, _ := r.gate()
		other, _ := r.gate()
		ask := request("u")
		ask.Ahead = quota.Amount{Tokens: 50, Nanos: 50}
		pass(t, g, r.acme, ask)
		assert.Equal(t, int64(50), r.reserved())
		n := r.exchanges()
		h := pass(t, g, r.acme, tokens(50))
		assert.Equal(t, n, r.exchanges(), "it lay there")
		h.Settle(t.Context(), use(10))
		time.Sleep(4 * time.Second)
		st := r.statement()
		assert.Equal(t, int64(0), st.Budgets[0].Reserved, "the rest is given back")
		assert.Equal(t, int64(10), st.Budgets[0].Spent)
		pass(t, other, r.acme, tokens(990)).Settle(t.Context())
		assert.Equal(t, "budget_exhausted", refused(t, g, r.acme, tokens(991), "budget_exhausted").Code)
	})
}

func TestABudgetSaysWhichAndWhenItResets(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, _ := r.gate()
		h := pass(t, g, r.acme, tokens(1000))
		f := refused(t, g, r.acme, tokens(1), "budget_exhausted")
		assert.Equal(t, 2*time.Second, f.RetryAfter, "the call in flight may use less")
		h.Settle(t.Context(), use(1000))
		f = refused(t, g, r.acme, tokens(1), "budget_exhausted")
		assert.Equal(t, 12*time.Hour, f.RetryAfter)
		assert.Equal(t, "the budget of 1000 tokens a day has no room for this call: it is used up; it resets at 2026-11-23T00:00:00Z", f.Message)
		r.limits.Day.Tokens, r.limits.Day.Nanos = 1500, 1500
		pass(t, g, r.acme, tokens(500)).Settle(t.Context(), use(500))
		time.Sleep(12 * time.Hour)
		pass(t, g, r.acme, tokens(500)).Settle(t.Context(), use(500))
		f = refused(t, g, r.acme, tokens(1), "budget_exhausted")
		assert.Contains(t, f.Message, "2000 tokens a month")
		assert.Equal(t, 8*24*time.Hour, f.RetryAfter)
		told, err := r.ledger.Told(r.acme)
		require.NoError(t, err)
		var subjects []string
		for _, e := range told {
			if e.Subject != "usage" {
				subjects = append(subjects, e.Subject)
			}
		}
		assert.ElementsMatch(t, []string{"budgets/day/tokens", "budgets/day/nanoUSD", "budgets/month/tokens", "budgets/month/nanoUSD"}, subjects, "once each")
	})
}

// Who writes may use what was leased before for as long as a lease lives, and asks the ledger from when an isolate has heard of the bar.
func TestWhatWritesIsBarred(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		r.limits.Tenant = tenants.Rate{PerMinute: 6000, Burst: 1000}
		g, _ := r.gate()
		other, _ := r.gate()
		write := quota.Ask{Requests: 1, Writes: true, Ahead: tokens(10).Amount}
		read := quota.Ask{Requests: 1}
		for range 8 { // so that permits lie here
			pass(t, g, r.acme, write)
		}
		_, err := r.ledger.Bar(t.Context(), r.acme, "erasure")
		require.NoError(t, err)
		refused(t, other, r.acme, write, "tenant_erasing")
		time.Sleep(1600 * time.Millisecond)
		refused(t, g, r.acme, write, "tenant_erasing")
		for range 8 {
			pass(t, g, r.acme, read)
			refused(t, g, r.acme, write, "tenant_erasing")
		}
		time.Sleep(3 * time.Second)
		busy, err := r.ledger.Bar(t.Context(), r.acme, "erasure")
		require.NoError(t, err)
		require.False(t, busy, "nothing is leased ahead any more")
		pass(t, g, r.acme, tokens(10)).Settle(t.Context(), use(1))
		require.NoError(t, r.ledger.Unbar(t.Context(), r.acme, "erasure"))
		pass(t, g, r.acme, write)
		pass(t, other, r.acme, write)
	})
}

// Who talks may use what was leased before for as long as a lease lives, and asks the ledger once the isolate has heard.
func TestWhatTalksStandsStill(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		r.limits.Tenant = tenants.Rate{PerMinute: 6000, Burst: 1000}
		g, _ := r.gate()
		other, _ := r.gate()
		talk, write := quota.Ask{Requests: 1, Writes: true, Talks: true}, quota.Ask{Requests: 1, Writes: true}
		for range 8 { // so that permits lie here
			pass(t, g, r.acme, talk)
		}
		require.NoError(t, r.ledger.Still(t.Context(), r.acme, true))
		refused(t, other, r.acme, talk, "tenant_readonly")
		time.Sleep(1600 * time.Millisecond)
		for range 8 {
			pass(t, g, r.acme, write)
			refused(t, g, r.acme, talk, "tenant_readonly")
		}
		pass(t, g, tenantstest.Scope(t, "globex"), talk)
		require.NoError(t, r.ledger.Still(t.Context(), r.acme, false))
		pass(t, g, r.acme, talk)
		pass(t, other, r.acme, talk)
	})
}

// A bar that nobody renews ends.
func TestABarEnds(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, _ := r.gate()
		_, err := r.ledger.Bar(t.Context(), r.acme, "erasure")
		require.NoError(t, err)
		write := quota.Ask{Requests: 1, Writes: true}
		time.Sleep(book.BarLife - time.Second)
		refused(t, g, r.acme, write, "tenant_erasing")
		time.Sleep(time.Second)
		pass(t, g, r.acme, write)
	})
}

func TestALeaseIsBookedOnTheDayOfItsUse(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, _ := r.gate()
		time.Sleep(12*time.Hour - 10*time.Second)
		before, after := pass(t, g, r.acme, tokens(100)), pass(t, g, r.acme, tokens(900))
		before.Settle(t.Context(), use(100))
		time.Sleep(20 * time.Second)
		after.Settle(t.Context(), use(700))
		time.Sleep(5 * time.Second)
		st := r.statement()
		require.Len(t, st.Lines, 2)
		assert.Equal(t, []quota.Day{"2026-11-22", "2026-11-23"}, []quota.Day{st.Lines[0].Day, st.Lines[1].Day})
		assert.Equal(t, int64(700), st.Budgets[0].Spent)
		assert.Equal(t, int64(800), st.Budgets[2].Spent)
		pass(t, g, r.acme, tokens(300))
		refused(t, g, r.acme, tokens(1), "budget_exhausted")
	})
}

func TestWhoAsksMeanwhileShareTheNextExchange(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, _ := r.gate()
		began, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		r.ledger.Before = func(string) error {
			once.Do(func() { close(began); <-goOn })
			return nil
		}
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var leader, leaver error
		wg.Go(func() { _, leader = g.Acquire(ctx, r.acme, tokens(5)) })
		<-began
		wg.Go(func() { _, leaver = g.Acquire(ctx, r.acme, tokens(7)) })
		for range 50 {
			wg.Go(func() { pass(t, g, r.acme, tokens(10)).Settle(t.Context(), use(10)) })
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		close(goOn)
		wg.Wait()
		assert.NoError(t, errors.Join(leader), "an answer that has come is given")
		assert.Equal(t, "quota_unavailable", fault.As(leaver).Code, "who leaves gets none")
		assert.Equal(t, 2, r.exchanges(), "one for the leader, one for all the others")
		time.Sleep(5 * time.Second)
		st := r.statement()
		assert.Equal(t, int64(500), st.Budgets[0].Spent)
		assert.Equal(t, int64(5), st.Budgets[0].Reserved, "the leader's call is in flight, nobody's lease is left over")
	})
}

func TestALedgerThatIsLost(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			inRoom(t, func(t *testing.T, r *room) {
				g, _ := r.gate()
				lost := 0
				lose := func(string) error {
					if lost > 0 {
						lost--
						return fault.Unavailablef(nil, "lost", "lost")
					}
					return nil
				}
				if when == "before" {
					r.ledger.Before = lose
				} else {
					r.ledger.After = lose
				}
				lost = 1
				pass(t, g, r.acme, tokens(100)).Settle(t.Context(), use(60))
				lost = 2
				f := refused(t, g, r.acme, tokens(941), "quota_unavailable")
				assert.Equal(t, fault.Unavailable, f.Kind)
				refused(t, g, r.acme, tokens(941), "budget_exhausted")
				time.Sleep(5 * time.Second)
				st := r.statement()
				require.Len(t, st.Lines, 1)
				assert.Equal(t, int64(1), st.Lines[0].Calls, "booked once")
				assert.Equal(t, []int64{60, 0}, []int64{st.Budgets[0].Spent, st.Budgets[0].Reserved})
				pass(t, g, r.acme, tokens(940))
			})
		})
	}
}

func TestACallInFlightIsHeardOf(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, _ := r.gate()
		h := pass(t, g, r.acme, tokens(100))
		for range 20 {
			time.Sleep(30 * time.Second)
			_, err := r.ledger.Close(r.acme)
			require.NoError(t, err)
		}
		assert.Equal(t, int64(100), r.reserved())
		assert.LessOrEqual(t, r.exchanges(), 32, "every twenty seconds")
		h.Settle(t.Context(), use(40))
		time.Sleep(5 * time.Second)
		assert.Equal(t, []quota.Line{{Day: "2026-11-22", Capability: "chat", Model: "m", Calls: 1, Prompt: 40, Nanos: 40}}, r.statement().Lines)
	})
}

func TestADeadIsolatesHoldIsBookedAndCorrectedIfItLives(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, die := r.gate()
		one, two := pass(t, g, r.acme, tokens(100)), pass(t, g, r.acme, tokens(200))
		die() // nobody looks after its calls
		time.Sleep(2 * time.Minute)
		_, err := r.ledger.Close(r.acme)
		require.NoError(t, err)
		dead := []quota.Line{{Day: "2026-11-22", Capability: book.Unsettled, Calls: 1, Prompt: 300, Nanos: 300, Estimated: 1}}
		assert.Equal(t, dead, r.statement().Lines)
		assert.Zero(t, r.reserved())

		one.Settle(t.Context(), use(60)) // it was frozen, not dead
		h := pass(t, g, r.acme, tokens(500))
		assert.Equal(t, []quota.Line{
			{Day: "2026-11-22", Capability: "chat", Model: "m", Calls: 1, Prompt: 60, Nanos: 60},
			{Day: "2026-11-22", Capability: book.Unsettled, Calls: 1, Prompt: 200, Nanos: 200, Estimated: 1},
		}, r.statement().Lines)
		refused(t, g, r.acme, tokens(241), "budget_exhausted")
		two.Settle(t.Context(), use(150))
		h.Settle(t.Context(), use(500))
		pass(t, g, r.acme, tokens(290)).Settle(t.Context())
		st := r.statement()
		assert.Equal(t, []quota.Line{{Day: "2026-11-22", Capability: "chat", Model: "m", Calls: 3, Prompt: 710, Nanos: 710}}, st.Lines)
		assert.Equal(t, int64(710), st.Budgets[0].Spent)
	})
}

// TestAnotherEventGoesOn lets the flusher's event end: that of a call in flight goes on with it.
func TestAnotherEventGoesOn(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		type key struct{}
		var mu sync.Mutex
		live := map[string]bool{"first": true, "second": true}
		var started []string
		of := func(context.Context, tenants.Scope) (quota.Limits, error) { return r.limits, nil }
		g := quota.NewGate(r.ledger, of, &quota.Options{Background: func(ctx context.Context, f func(context.Context)) error {
			mu.Lock()
			defer mu.Unlock()
			name := ctx.Value(key{}).(string)
			if !live[name] {
				return errors.New("the event is over")
			}
			started = append(started, name)
			go f(context.WithoutCancel(ctx))
			return nil
		}})
		event := func(name string) context.Context { return context.WithValue(t.Context(), key{}, name) }
		one, err := g.Acquire(event("first"), r.acme, tokens(100))
		require.NoError(t, err)
		two, err := g.Acquire(event("second"), r.acme, tokens(100))
		require.NoError(t, err)
		one.Settle(event("first"), use(10))
		mu.Lock()
		live["first"] = false
		mu.Unlock()
		time.Sleep(2 * time.Minute)
		_, err = r.ledger.Close(r.acme)
		require.NoError(t, err)
		assert.Equal(t, int64(100), r.reserved(), "the second call is heard of")
		mu.Lock()
		assert.Equal(t, []string{"first", "second", "second", "second", "second"}, started, "a turn is 25 seconds")
		mu.Unlock()
		two.Settle(event("second"), use(20))
		time.Sleep(time.Minute)
		assert.Equal(t, int64(30), r.statement().Budgets[0].Spent)
		assert.Zero(t, r.reserved())
	})
}

func TestAPanicIsEverybodysErrorAndNobodysEnd(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, _ := r.gate()
		r.ledger.Before = func(string) error { panic("broken") }
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { refused(t, g, r.acme, tokens(10), "quota_unavailable") })
		}
		wg.Wait()
		r.ledger.Before = nil
		pass(t, g, r.acme, tokens(1000)).Settle(t.Context())
	})
}

func TestAConfigurationThatIsGoneStopsCallsButNotTheAccount(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		var gone atomic.Bool
		of := func(context.Context, tenants.Scope) (quota.Limits, error) {
			if gone.Load() {
				return quota.Limits{}, fault.Missing("tenant_not_found", "no")
			}
			return r.limits, nil
		}
		g := quota.NewGate(r.ledger, of, nil)
		h := pass(t, g, r.acme, tokens(10))
		gone.Store(true)
		refused(t, g, r.acme, tokens(10), "tenant_not_found")
		h.Settle(t.Context(), use(4))
		time.Sleep(5 * time.Second)
		assert.Equal(t, []int64{4, 0}, []int64{r.statement().Budgets[0].Spent, r.reserved()})
	})
}

func TestLimitsAreThoseOfTheConfiguration(t *testing.T) {
	c := &tenants.Config{Rates: tenants.Rates{Tenant: tenants.Rate{PerMinute: 1, Burst: 2}, User: tenants.Rate{PerMinute: 3, Burst: 4}},
		Budgets: tenants.Budgets{TokensPerDay: 5, TokensPerMonth: 6, CharactersPerDay: 9, CharactersPerMonth: 10, USDPerDay: 7, USDPerMonth: 8}}
	assert.Equal(t, quota.Limits{
		Tenant: tenants.Rate{PerMinute: 1, Burst: 2}, User: tenants.Rate{PerMinute: 3, Burst: 4},
		Day: quota.Amount{Tokens: 5, Chars: 9, Nanos: 7_000_000_000}, Month: quota.Amount{Tokens: 6, Chars: 10, Nanos: 8_000_000_000},
	}, quota.LimitsOf(c))
}

func TestTenantsNeverTouch(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		globex := tenantstest.Scope(t, "globex")
		g, _ := r.gate()
		pass(t, g, r.acme, tokens(1000)).Settle(t.Context(), use(1000))
		refused(t, g, r.acme, tokens(1), "budget_exhausted")
		pass(t, g, globex, tokens(1000)).Settle(t.Context(), use(7))
		a := request("u")
		a.Requests = 100
		pass(t, g, r.acme, a)
		refused(t, g, r.acme, request("u"), "rate_limited")
		pass(t, g, globex, a)
		st, err := g.Statement(t.Context(), globex, "2026-11-22", "2026-11-22")
		require.NoError(t, err)
		assert.Equal(t, int64(7), st.Budgets[0].Spent)
		_, err = g.Acquire(t.Context(), tenants.Scope{}, tokens(1))
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		refused(t, g, r.acme, tokens(-1), "ask_invalid")
		refused(t, g, r.acme, quota.Ask{Amount: quota.Amount{Chars: -1}}, "ask_invalid")
	})
}

// TestMoreThanWasHeldIsBooked keeps the account true when a bound was too low.
func TestMoreThanWasHeldIsBooked(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, _ := r.gate()
		one, two := pass(t, g, r.acme, tokens(100)), pass(t, g, r.acme, tokens(100))
		one.Settle(t.Context(), use(150))
		one.Settle(t.Context(), use(150))
		time.Sleep(5 * time.Second)
		assert.Equal(t, int64(150), r.statement().Budgets[0].Spent)
		assert.Equal(t, int64(100), r.reserved())
		two.Settle(t.Context())
		pass(t, g, r.acme, quota.Ask{Requests: 1}).Settle(t.Context(), use(5))
		time.Sleep(5 * time.Second)
		assert.Equal(t, []int64{155, 0}, []int64{r.statement().Budgets[0].Spent, r.reserved()})
	})
}

// TestWhatItCosts counts object calls and rows for the patterns that docs/design/quota.md has in its table.
func TestWhatItCosts(t *testing.T) {
	chat := func(r *room, g quota.Gate, user string) {
		a := request(user)
		a.Ahead = quota.Amount{Tokens: 2000, Nanos: 100_000}
		pass(r.T, g, r.acme, a)
		h := pass(r.T, g, r.acme, quota.Ask{Amount: a.Ahead})
		go func() {
			time.Sleep(300 * time.Millisecond)
			h.Settle(context.Background(), use(700))
		}()
	}
	for _, c := range []struct {
		name        string
		every       time.Duration
		users       int
		chat        bool
		calls, rows float64 // for a request, at most
	}{
		{"1 request a second", time.Second, 1, false, 1.01, 2.02},
		{"1 chat a second", time.Second, 1, true, 1.05, 6.1},
		{"1000 requests a second, one user", time.Millisecond, 1, false, 0.01, 0.02},
		{"1000 requests a second, 100 users", time.Millisecond, 100, false, 0.25, 0.3},
		{"1000 chats a second, 100 users", time.Millisecond, 100, true, 0.25, 1.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inRoom(t, func(t *testing.T, r *room) {
				rate := tenants.Rate{PerMinute: 120_000, Burst: 12_000}
				most := quota.Amount{Tokens: 1e12, Nanos: 1e15}
				r.limits = quota.Limits{Tenant: rate, User: tenants.Rate{PerMinute: 120_000, Burst: 12_000}, Day: most, Month: most}
				g, _ := r.gate()
				const n = 3000
				for i := range n {
					user := fmt.Sprint("user ", i%c.users)
					if c.chat {
						chat(r, g, user)
					} else {
						pass(t, g, r.acme, request(user))
					}
					time.Sleep(c.every)
				}
				time.Sleep(5 * time.Second)
				calls, written := r.ledger.Cost(r.acme)
				told, err := r.ledger.Told(r.acme)
				require.NoError(t, err)
				perCall, perRow := float64(calls)/n, float64(written+len(told))/n // an event is removed once it is sent
				t.Logf("%s: %.4f object calls, %.4f rows, %.4f events a request", c.name, perCall, perRow, float64(len(told))/n)
				assert.LessOrEqual(t, perCall, c.calls)
				assert.LessOrEqual(t, perRow, c.rows)
			})
		})
	}
}
