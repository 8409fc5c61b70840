package quotatest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// Ledger is one that can be barred.
type Ledger interface {
	quota.Ledger
	Bar(ctx context.Context, s tenants.Scope, by string) (busy bool, err error)
	Unbar(ctx context.Context, s tenants.Scope, by string) error
	Still(ctx context.Context, s tenants.Scope, still bool) error
	StandsStill(ctx context.Context, s tenants.Scope) (bool, error)
}

// TestLedger checks the promises of quota.Ledger, and of the gates over it. Runs may follow each other over what the last
// one left: each brings tenants of its own.
func TestLedger(t *testing.T, newLedger func(t *testing.T) Ledger) {
	for name, test := range map[string]func(*testing.T, Ledger){
		"what is used is booked":                         booking,
		"a repeated exchange changes nothing":            repeating,
		"characters are a currency of their own":         speaking,
		"who knows no characters is served as before":    silent,
		"a thousand speak for a hundred":                 speakers,
		"a late exchange is refused":                     late,
		"a budget refuses what does not fit":             refusing,
		"the limits are those of the exchange":           limiting,
		"room is asked for, and not leased":              rooming,
		"a rate lets through what it has":                rating,
		"permits come back":                              returning,
		"what is leased ahead is a part of what is left": leasing,
		"tenants never touch":                            separate,
		"nobody's call is refused":                       nobody,
		"no purse says that":                             nonsense,
		"a statement covers its days":                    statement,
		"a thousand asks for a hundred":                  thousand,
		"a gate that goes quiet holds nothing":           resting,
		"what writes is barred":                          barring,
		"what talks stands still":                        standing,
	} {
		t.Run(name, func(t *testing.T) { test(t, newLedger(t)) })
	}
}

// tenant is one that no run has seen.
func tenant(t *testing.T) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume("t" + uuid.NewString()[:18])
	require.NoError(t, err)
	return s
}

// wide is limits that nothing of a test reaches, but for what it sets. Permits do not come back while it runs.
func wide() quota.Limits {
	rate := tenants.Rate{PerMinute: 1, Burst: 100}
	most := quota.Amount{Tokens: 1_000_000, Chars: 1_000_000, Nanos: 1_000_000_000}
	return quota.Limits{Tenant: rate, User: rate, Day: most, Month: most}
}

func amount(tokens, nanos int64) quota.Amount { return quota.Amount{Tokens: tokens, Nanos: nanos} }

// all is the same of every currency.
func all(n int64) quota.Amount { return quota.Amount{Tokens: n, Chars: n, Nanos: n} }

// user is a user's opaque name.
func user(n int) string { return fmt.Sprintf("%02x-user", n) }

func purse() string { return uuid.NewString() }

// ask is a report that asks for money.
func ask(purse string, seq int64, l quota.Limits, count int, each quota.Amount) quota.Report {
	return quota.Report{
		Purse: purse, Seq: seq, Limits: l, Rates: []quota.Rate{{}}, Wants: []quota.Want{{Count: count, Amount: each}},
	}
}

// permits is a report that asks for permits of a tenant and perhaps of a user.
func permits(l quota.Limits, count int, user string) quota.Report {
	r := quota.Report{Limits: l, Rates: []quota.Rate{{}}, Wants: []quota.Want{{Count: count, Tenant: 1}}}
	if user != "" {
		r.Rates = append(r.Rates, quota.Rate{Key: user})
		r.Wants[0].User, r.Wants[0].Own = 1, 1
	}
	return r
}

func exchange(t *testing.T, l Ledger, s tenants.Scope, r quota.Report) quota.Grant {
	t.Helper()
	g, err := l.Exchange(t.Context(), s, r)
	require.NoError(t, err)
	return g
}

func today(t *testing.T, l Ledger, s tenants.Scope, limits quota.Limits) quota.Statement {
	t.Helper()
	now := time.Now()
	st, err := l.Statement(t.Context(), s, quota.Query{From: quota.DayOf(now.AddDate(0, 0, -1)), To: quota.DayOf(now), Limits: limits})
	require.NoError(t, err)
	return st
}

// line is a call of a day.
func line(day quota.Day, model string, tokens, nanos int64) quota.Line {
	return quota.Line{Day: day, Capability: "chat", Model: model, Calls: 1, Prompt: tokens, Nanos: nanos}
}

func booking(t *testing.T, l Ledger) {
	s, limits, name := tenant(t), wide(), purse()
	g := exchange(t, l, s, ask(name, 1, limits, 2, amount(10, 1000)))
	require.Equal(t, 2, g.Wants[0].Granted)
	assert.Nil(t, g.Wants[0].Refused)
	st := today(t, l, s, limits)
	assert.Empty(t, st.Lines)
	require.Len(t, st.Budgets, 6)
	assert.Equal(t, int64(20), st.Budgets[0].Reserved)
	assert.Equal(t, int64(2000), st.Budgets[3].Reserved)

	exchange(t, l, s, quota.Report{
		Purse: name, Seq: 2, Limits: limits, Rates: []quota.Rate{{}}, Held: amount(10, 1000),
		Lines: []quota.Line{line(g.Day, "@cf/a/b", 3, 300), line(g.Day, "@cf/a/c", 4, 0)},
	})
	exchange(t, l, s, quota.Report{
		Purse: name, Seq: 3, Limits: limits, Rates: []quota.Rate{{}}, Lines: []quota.Line{line(g.Day, "@cf/a/b", 1, 50)},
	})
	st = today(t, l, s, limits)
	assert.Equal(t, []quota.Line{
		{Day: g.Day, Capability: "chat", Model: "@cf/a/b", Calls: 2, Prompt: 4, Nanos: 350},
		{Day: g.Day, Capability: "chat", Model: "@cf/a/c", Calls: 1, Prompt: 4},
	}, st.Lines)
	for i, want := range []quota.Budget{
		{Period: "day", Unit: "tokens", Limit: limits.Day.Tokens, Spent: 8}, {Period: "day", Unit: "nanoUSD", Limit: limits.Day.Nanos, Spent: 350},
		{Period: "month", Unit: "tokens", Limit: limits.Month.Tokens, Spent: 8}, {Period: "month", Unit: "nanoUSD", Limit: limits.Month.Nanos, Spent: 350},
		{Period: "day", Unit: "characters", Limit: limits.Day.Chars}, {Period: "month", Unit: "characters", Limit: limits.Month.Chars},
	} {
		want.Resets = st.Budgets[i].Resets
		assert.Equal(t, want, st.Budgets[i])
		assert.True(t, st.Budgets[i].Resets.After(time.Now()))
	}
}

func repeating(t *testing.T, l Ledger) {
	s, limits, name := tenant(t), wide(), purse()
	first := ask(name, 1, limits, 1, amount(10, 10))
	g := exchange(t, l, s, first)
	assert.Equal(t, g, exchange(t, l, s, first))
	second := ask(name, 2, limits, 1, amount(5, 5))
	second.Lines, second.Rates[0].Ahead = []quota.Line{line(g.Day, "m", 10, 10)}, 3
	g = exchange(t, l, s, second)
	for range 3 {
		assert.Equal(t, g, exchange(t, l, s, second))
	}
	st := today(t, l, s, limits)
	assert.Equal(t, int64(10), st.Budgets[0].Spent)
	assert.Equal(t, int64(5), st.Budgets[0].Reserved)
	assert.Equal(t, int64(1), st.Lines[0].Calls)
}

func late(t *testing.T, l Ledger) {
	s, limits, name := tenant(t), wide(), purse()
	first := ask(name, 1, limits, 1, amount(10, 10))
	exchange(t, l, s, first)
	exchange(t, l, s, ask(name, 2, limits, 1, amount(10, 10)))
	_, err := l.Exchange(t.Context(), s, first)
	assert.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
	assert.Equal(t, "exchange_late", fault.As(err).Code)
}

func refusing(t *testing.T, l Ledger) {
	for i, tight := range []func(*quota.Limits){
		func(l *quota.Limits) { l.Day.Tokens = 95 }, func(l *quota.Limits) { l.Day.Nanos = 95 },
		func(l *quota.Limits) { l.Month.Tokens = 95 }, func(l *quota.Limits) { l.Month.Nanos = 95 },
		func(l *quota.Limits) { l.Day.Chars = 95 }, func(l *quota.Limits) { l.Month.Chars = 95 },
	} {
		s, limits, name := tenant(t), wide(), purse()
		tight(&limits)
		g := exchange(t, l, s, ask(name, 1, limits, 20, all(10)))
		require.Equal(t, 9, g.Wants[0].Granted, i)
		f := g.Wants[0].Refused
		require.NotNil(t, f, i)
		assert.Equal(t, fault.Limited, f.Kind)
		assert.Equal(t, "budget_exhausted", f.Code)
		assert.Equal(t, 2*time.Second, f.RetryAfter, "calls in flight may come back with less")

		other := exchange(t, l, s, ask(purse(), 1, limits, 1, all(5)))
		assert.Equal(t, 1, other.Wants[0].Granted, "a smaller one fits")
		full := ask(name, 2, limits, 1, all(10))
		full.Lines = []quota.Line{line(g.Day, "m", 90, 90)}
		full.Lines[0].Chars = 90
		g = exchange(t, l, s, full)
		assert.Equal(t, 0, g.Wants[0].Granted)
		assert.Contains(t, g.Wants[0].Refused.Message, []string{"95 tokens a day", "$0.000000095 a day", "95 tokens a month", "$0.000000095 a month", "95 characters a day", "95 characters a month"}[i])
		assert.Positive(t, g.Wants[0].Refused.RetryAfter)
		assert.LessOrEqual(t, g.Wants[0].Refused.RetryAfter, 31*24*time.Hour)
	}
}

func limiting(t *testing.T, l Ledger) {
	s, limits, name := tenant(t), wide(), purse()
	limits.Day.Tokens = 10
	assert.Equal(t, 1, exchange(t, l, s, ask(name, 1, limits, 1, amount(10, 10))).Wants[0].Granted)
	held := func(seq int64) quota.Report {
		r := ask(name, seq, limits, 1, amount(10, 10))
		r.Held = amount(10, 10)
		return r
	}
	assert.Equal(t, 0, exchange(t, l, s, held(2)).Wants[0].Granted)
	limits.Day.Tokens = 20
	assert.Equal(t, 1, exchange(t, l, s, held(3)).Wants[0].Granted)
	limits.Day.Tokens = 5
	assert.Equal(t, 0, exchange(t, l, s, held(4)).Wants[0].Granted)
	limits.Tenant = tenants.Rate{}
	v := exchange(t, l, s, permits(limits, 1, "")).Wants[0]
	assert.Equal(t, 0, v.Granted)
	assert.Equal(t, "rate_limited", v.Refused.Code)
}

func rating(t *testing.T, l Ledger) {
	s, limits := tenant(t), wide()
	limits.User.Burst = 30
	g := exchange(t, l, s, permits(limits, 50, user(1)))
	assert.Equal(t, 30, g.Wants[0].Granted)
	require.NotNil(t, g.Wants[0].Refused)
	assert.Equal(t, "rate_limited", g.Wants[0].Refused.Code)
	assert.Contains(t, g.Wants[0].Refused.Message, "one user")
	assert.InDelta(t, time.Minute, g.Wants[0].Refused.RetryAfter, float64(30*time.Second))
	assert.Equal(t, []int{70, 0}, []int{g.Rates[0].Remaining, g.Rates[1].Remaining})
	assert.Equal(t, 30, exchange(t, l, s, permits(limits, 30, user(2))).Wants[0].Granted, "another user has a rate of their own")
	last := exchange(t, l, s, permits(limits, 41, "")).Wants[0]
	assert.Equal(t, 40, last.Granted)
	assert.Contains(t, last.Refused.Message, "this tenant")
	assert.Equal(t, 0, exchange(t, l, s, permits(limits, 1, user(3))).Wants[0].Granted)
}

func returning(t *testing.T, l Ledger) {
	s, limits := tenant(t), wide()
	first := exchange(t, l, s, permits(limits, 60, user(1)))
	back := quota.Report{Limits: limits, Rates: []quota.Rate{{Back: 50, At: first.At}, {Key: user(1), Back: 60, At: first.At}}}
	g := exchange(t, l, s, back)
	assert.Equal(t, []int{90, 100}, []int{g.Rates[0].Remaining, g.Rates[1].Remaining})
	older := quota.Report{Limits: limits, Rates: []quota.Rate{{Back: 5, At: first.At - int64(time.Hour)}}}
	assert.Equal(t, 90, exchange(t, l, s, older).Rates[0].Remaining, "those have come back by themselves")
}

func leasing(t *testing.T, l Ledger) {
	s, limits, name := tenant(t), wide(), purse()
	limits.Day.Tokens = 1000
	r := ask(name, 1, limits, 1, amount(10, 10))
	r.Unit, r.Units, r.Rates[0].Ahead = amount(10, 10), 1000, 1000
	g := exchange(t, l, s, r)
	assert.Equal(t, 12, g.Units, "an eighth of the 990")
	assert.Equal(t, 25, g.Rates[0].Ahead, "a quarter of the 100")
	assert.Equal(t, 75, g.Rates[0].Remaining)
	assert.Equal(t, int64(130), today(t, l, s, limits).Budgets[0].Reserved)
	limits.Day.Tokens = 140
	r = ask(purse(), 1, limits, 1, amount(5, 5))
	r.Unit, r.Units = amount(10, 10), 1000
	g = exchange(t, l, s, r)
	assert.Equal(t, 1, g.Wants[0].Granted)
	assert.Equal(t, 0, g.Units, "little is left")
}

func separate(t *testing.T, l Ledger) {
	a, b, limits, name := tenant(t), tenant(t), wide(), purse()
	limits.Day.Tokens = 10
	assert.Equal(t, 1, exchange(t, l, a, ask(name, 1, limits, 1, amount(10, 10))).Wants[0].Granted)
	assert.Equal(t, 1, exchange(t, l, b, ask(name, 1, limits, 1, amount(10, 10))).Wants[0].Granted)
	exchange(t, l, a, permits(limits, 100, user(1)))
	assert.Equal(t, 100, exchange(t, l, b, permits(limits, 100, user(1))).Wants[0].Granted)
	r := quota.Report{Purse: name, Seq: 2, Limits: limits, Rates: []quota.Rate{{}}, Lines: []quota.Line{line(quota.DayOf(time.Now()), "m", 10, 10)}}
	exchange(t, l, a, r)
	assert.Len(t, today(t, l, a, limits).Lines, 1)
	assert.Empty(t, today(t, l, b, limits).Lines)
}

func nobody(t *testing.T, l Ledger) {
	_, err := l.Exchange(t.Context(), tenants.Scope{}, permits(wide(), 1, ""))
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = l.Statement(t.Context(), tenants.Scope{}, quota.Query{From: "2026-11-22", To: "2026-11-22"})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
}

func nonsense(t *testing.T, l Ledger) {
	s, limits := tenant(t), wide()
	for i, spoil := range []func(*quota.Report){
		func(r *quota.Report) { r.Seq = 0 },
		func(r *quota.Report) { r.Purse = "" },
		func(r *quota.Report) { r.Rates = nil },
		func(r *quota.Report) { r.Rates[0].Back = -1 },
		func(r *quota.Report) { r.Rates = append(r.Rates, quota.Rate{Key: "x"}) },
		func(r *quota.Report) { r.Held.Tokens = -1 },
		func(r *quota.Report) { r.Held.Chars = -1 },
		func(r *quota.Report) { r.Unit.Chars = -1 },
		func(r *quota.Report) { r.Wants[0].Amount.Chars = -1 },
		func(r *quota.Report) { r.Units = 1 },
		func(r *quota.Report) { r.Wants[0].Count = 0 },
		func(r *quota.Report) { r.Wants[0].Amount.Nanos = -1 },
		func(r *quota.Report) { r.Wants[0].User = 1 },
		func(r *quota.Report) { r.Wants[0].Own = 1 },
	} {
		r := ask(purse(), 1, limits, 1, amount(1, 1))
		spoil(&r)
		_, err := l.Exchange(t.Context(), s, r)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), "%d: %v", i, err)
	}
	assert.Equal(t, int64(0), today(t, l, s, limits).Budgets[0].Reserved)
}

func statement(t *testing.T, l Ledger) {
	s, limits, name := tenant(t), wide(), purse()
	g := exchange(t, l, s, ask(name, 1, limits, 1, amount(10, 10)))
	now, err := time.Parse(time.DateOnly, string(g.Day))
	require.NoError(t, err)
	yesterday := quota.DayOf(now.AddDate(0, 0, -1))
	exchange(t, l, s, quota.Report{
		Purse: name, Seq: 2, Limits: limits, Rates: []quota.Rate{{}},
		Lines: []quota.Line{line(g.Day, "m", 1, 1), line(yesterday, "m", 2, 2)},
	})
	for q, want := range map[quota.Query]int{
		{From: yesterday, To: yesterday}: 1, {From: g.Day, To: g.Day}: 1, {From: yesterday, To: g.Day}: 2,
		{From: "2020-01-01", To: "2020-12-31"}: 0,
	} {
		q.Limits = limits
		st, err := l.Statement(t.Context(), s, q)
		require.NoError(t, err)
		assert.Len(t, st.Lines, want, q)
		assert.Equal(t, int64(1), st.Budgets[0].Spent, "budgets are of now")
	}
	for _, q := range []quota.Query{{From: "x", To: g.Day}, {From: g.Day}, {From: g.Day, To: yesterday}, {From: "2020-01-01", To: g.Day}} {
		_, err := l.Statement(t.Context(), s, q)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	}
}

// thousand is the promise that all of this is for: many at once, through several isolates, and as many pass as there is
// money and permits for.
func thousand(t *testing.T, l Ledger) {
	s, neighbour := tenant(t), tenant(t)
	limits := wide()
	limits.Day = amount(100*700, 100*33)
	of := func(context.Context, tenants.Scope) (quota.Limits, error) { return limits, nil }
	gates := isolates(l, of)
	holds := gates.rush(t, s, quota.Ask{Amount: amount(700, 33)}, "budget_exhausted")
	assert.Len(t, holds, 100, "money for a hundred")
	gates.settle(t, s, holds, quota.Use{Capability: "chat", Model: "m", Prompt: 690, Completion: 10, Nanos: 33})
	st := today(t, l, s, limits)
	require.Len(t, st.Lines, 1)
	assert.Equal(t, int64(100), st.Lines[0].Calls)
	assert.Equal(t, limits.Day, amount(st.Budgets[0].Spent, st.Budgets[1].Spent))
	assert.Equal(t, amount(0, 0), amount(st.Budgets[0].Reserved, st.Budgets[1].Reserved))

	holds = gates.rush(t, s, quota.Ask{Requests: 1, User: "u"}, "rate_limited")
	assert.Len(t, holds, 100, "permits for a hundred")
	_, err := gates[0].Acquire(t.Context(), neighbour, quota.Ask{Requests: 1, User: "u", Amount: amount(700, 33)})
	assert.NoError(t, err, "another tenant's is untouched")
}

// resting lets a gate look after itself: it tells what was used and gives the rest back.
func barring(t *testing.T, l Ledger) {
	s, neighbour, limits, name := tenant(t), tenant(t), wide(), purse()
	bar := func(by string) bool {
		busy, err := l.Bar(t.Context(), s, by)
		require.NoError(t, err)
		return busy
	}
	writes := func(s tenants.Scope) quota.Grant {
		r := permits(limits, 2, user(1))
		r.Wants[0].Writes = true
		return exchange(t, l, s, r)
	}
	first := ask(name, 1, limits, 1, amount(10, 10))
	first.Wants[0].Writes = true
	assert.Equal(t, quota.Verdict{Granted: 1}, exchange(t, l, s, first).Wants[0])
	assert.True(t, bar("one"), "a call is in flight")
	assert.True(t, exchange(t, l, s, first).Barred, "an answer that was lost tells of it, too")
	g := writes(s)
	assert.True(t, g.Barred)
	assert.Equal(t, 0, g.Wants[0].Granted)
	require.NotNil(t, g.Wants[0].Refused)
	assert.Equal(t, []any{fault.Conflict, "tenant_erasing"}, []any{g.Wants[0].Refused.Kind, g.Wants[0].Refused.Code})
	assert.Equal(t, 100, g.Rates[0].Remaining, "it took no permit")
	assert.Equal(t, quota.Verdict{Granted: 2}, exchange(t, l, s, permits(limits, 2, user(1))).Wants[0], "who reads is let in")
	assert.Equal(t, quota.Verdict{Granted: 2}, writes(neighbour).Wants[0])

	second := ask(name, 2, limits, 1, amount(10, 10))
	second.Held, second.Unit, second.Units = amount(10, 10), amount(10, 10), 5
	g = exchange(t, l, s, second)
	assert.Equal(t, quota.Verdict{Granted: 1}, g.Wants[0], "what is in flight goes on")
	assert.Equal(t, 0, g.Units, "nothing is leased ahead")
	assert.True(t, bar("one"))
	third := quota.Report{Purse: name, Seq: 3, Limits: limits, Rates: []quota.Rate{{}}}
	exchange(t, l, s, third)
	assert.False(t, bar("one"), "it has ended")
	assert.False(t, bar("two"))
	require.NoError(t, l.Unbar(t.Context(), s, "one"))
	assert.True(t, writes(s).Barred, "another has barred it")
	require.NoError(t, l.Unbar(t.Context(), s, "two"))
	require.NoError(t, l.Unbar(t.Context(), s, "two"))
	assert.Equal(t, quota.Verdict{Granted: 2}, writes(s).Wants[0])
}

func resting(t *testing.T, l Ledger) {
	s, limits := tenant(t), wide()
	g := quota.NewGate(l, func(context.Context, tenants.Scope) (quota.Limits, error) { return limits, nil }, nil)
	h, err := g.Acquire(t.Context(), s, quota.Ask{Requests: 1, User: "u", Amount: amount(100, 100), Ahead: amount(50, 50)})
	require.NoError(t, err)
	assert.Equal(t, int64(150), today(t, l, s, limits).Budgets[0].Reserved)
	h.Settle(t.Context(), quota.Use{Capability: "chat", Model: "m", Prompt: 20, Completion: 10, Nanos: 7})
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		day := quota.DayOf(time.Now())
		st, err := l.Statement(context.Background(), s, quota.Query{From: day, To: day, Limits: limits})
		require.NoError(t, err)
		assert.Equal(t, amount(30, 7), amount(st.Budgets[0].Spent, st.Budgets[1].Spent))
		assert.Equal(t, amount(0, 0), amount(st.Budgets[0].Reserved, st.Budgets[1].Reserved))
	}, time.Minute, 50*time.Millisecond)
}

// quiet looks after nothing: a test asks for everything itself.
func quiet(context.Context, func(context.Context)) error { return nil }

func standing(t *testing.T, l Ledger) {
	s, neighbour, limits := tenant(t), tenant(t), wide()
	talks := func(s tenants.Scope) quota.Grant {
		r := permits(limits, 2, user(1))
		r.Wants[0].Talks = true
		return exchange(t, l, s, r)
	}
	stands := func(s tenants.Scope) bool {
		still, err := l.StandsStill(t.Context(), s)
		require.NoError(t, err)
		return still
	}
	assert.Equal(t, quota.Verdict{Granted: 2}, talks(s).Wants[0])
	assert.False(t, stands(s))
	first := ask(purse(), 1, limits, 1, amount(10, 10))
	assert.False(t, exchange(t, l, s, first).Still)
	for range 2 {
		require.NoError(t, l.Still(t.Context(), s, true))
	}
	assert.True(t, exchange(t, l, s, first).Still, "an answer that was lost tells of it, too")
	assert.Equal(t, []bool{true, false}, []bool{stands(s), stands(neighbour)})
	g := talks(s)
	assert.True(t, g.Still)
	require.NotNil(t, g.Wants[0].Refused)
	assert.Equal(t, []any{fault.Unavailable, "tenant_readonly"}, []any{g.Wants[0].Refused.Kind, g.Wants[0].Refused.Code})
	assert.Positive(t, g.Wants[0].Refused.RetryAfter)
	writes := permits(limits, 2, user(1))
	writes.Wants[0].Writes = true
	assert.Equal(t, quota.Verdict{Granted: 2}, exchange(t, l, s, writes).Wants[0], "only what talks is refused")
	assert.Equal(t, quota.Verdict{Granted: 2}, talks(neighbour).Wants[0])
	for range 2 {
		require.NoError(t, l.Still(t.Context(), s, false))
	}
	assert.False(t, stands(s))
	assert.Equal(t, quota.Verdict{Granted: 2}, talks(s).Wants[0])
}
