package quotatest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// speech is what a call costs that is paid by characters.
func speech(chars, nanos int64) quota.Amount { return quota.Amount{Chars: chars, Nanos: nanos} }

// spoken is how the budgets of characters stand, of the day and of the month.
func spoken(t *testing.T, st quota.Statement) (out [2]quota.Budget) {
	t.Helper()
	for _, b := range st.Budgets {
		if b.Unit == "characters" {
			out[map[string]int{"day": 0, "month": 1}[b.Period]] = b
		}
	}
	require.Equal(t, []string{"day", "month"}, []string{out[0].Period, out[1].Period})
	return out
}

// speaking: characters are reserved, booked, told and refused as the others are, and stop nothing that does not speak.
func speaking(t *testing.T, l Ledger) {
	s, neighbour, limits, name := tenant(t), tenant(t), wide(), purse()
	limits.Day.Chars, limits.Month.Chars = 1000, 1200
	first := ask(name, 1, limits, 1, speech(400, 40))
	first.Unit, first.Units = speech(100, 10), 50
	g := exchange(t, l, s, first)
	require.Equal(t, quota.Verdict{Granted: 1}, g.Wants[0])
	assert.Zero(t, g.Units, "a part of the 600 is less than one")
	for _, b := range spoken(t, today(t, l, s, limits)) {
		assert.Equal(t, []int64{0, 400}, []int64{b.Spent, b.Reserved}, b.Period)
	}

	second := ask(name, 2, limits, 1, speech(601, 0))
	second.Lines = []quota.Line{{Day: g.Day, Capability: "speech", Model: "@cf/a/v", Calls: 1, Chars: 390, Nanos: 39}}
	second.Held = speech(10, 1)
	for range 2 {
		g = exchange(t, l, s, second)
		require.NotNil(t, g.Wants[0].Refused)
		assert.Equal(t, []any{fault.Limited, "budget_exhausted"}, []any{g.Wants[0].Refused.Kind, g.Wants[0].Refused.Code})
		assert.Contains(t, g.Wants[0].Refused.Message, "1000 characters a day")
	}
	st := today(t, l, s, limits)
	assert.Equal(t, []quota.Line{{Day: g.Day, Capability: "speech", Model: "@cf/a/v", Calls: 1, Chars: 390, Nanos: 39}}, st.Lines)
	for i, b := range spoken(t, st) {
		assert.Equal(t, []int64{[]int64{1000, 1200}[i], 390, 10}, []int64{b.Limit, b.Spent, b.Reserved}, b.Period)
	}
	assert.Equal(t, []int64{0, 39}, []int64{st.Budgets[0].Spent, st.Budgets[1].Spent}, "no token")

	mixed := quota.Report{Purse: purse(), Seq: 1, Limits: limits, Rates: []quota.Rate{{}}, Wants: []quota.Want{
		{Count: 2, Amount: speech(600, 0)}, {Count: 2, Amount: amount(500, 5)}, {Count: 1, Amount: all(1)},
	}}
	g = exchange(t, l, s, mixed)
	assert.Equal(t, []int{1, 2, 0}, []int{g.Wants[0].Granted, g.Wants[1].Granted, g.Wants[2].Granted}, "who does not speak is let in")
	assert.Equal(t, 2*time.Second, g.Wants[2].Refused.RetryAfter, "calls in flight hold the rest")
	assert.Equal(t, 2, exchange(t, l, neighbour, ask(purse(), 1, limits, 3, speech(500, 0))).Wants[0].Granted, "another tenant's own")
}

// silent: an isolate of yesterday names no characters, in its limits either.
func silent(t *testing.T, l Ledger) {
	s, limits, name := tenant(t), wide(), purse()
	speaker := ask(purse(), 1, limits, 1, speech(500, 0))
	require.Equal(t, 1, exchange(t, l, s, speaker).Wants[0].Granted)
	limits.Day.Chars, limits.Month.Chars = 0, 0
	first := ask(name, 1, limits, 2, amount(10, 10))
	first.Unit, first.Units = amount(5, 5), 3
	g := exchange(t, l, s, first)
	assert.Equal(t, []any{quota.Verdict{Granted: 2}, 3}, []any{g.Wants[0], g.Units})
	exchange(t, l, s, quota.Report{Purse: name, Seq: 2, Limits: limits, Rates: []quota.Rate{{}}, Lines: []quota.Line{line(g.Day, "m", 7, 8)}})
	st := today(t, l, s, wide())
	assert.Equal(t, []quota.Line{line(g.Day, "m", 7, 8)}, st.Lines)
	assert.Equal(t, []int64{7, 8}, []int64{st.Budgets[0].Spent, st.Budgets[1].Spent})
	for _, b := range spoken(t, st) {
		assert.Equal(t, []int64{0, 500}, []int64{b.Spent, b.Reserved}, "the speaker's lease is untouched")
	}
}

// speakers is the thousand that ask for a hundred, of two tenants, whose budgets are of characters.
func speakers(t *testing.T, l Ledger) {
	limits := wide()
	limits.Month.Chars = 100 * 280
	gates := isolates(l, func(context.Context, tenants.Scope) (quota.Limits, error) { return limits, nil })
	for _, s := range []tenants.Scope{tenant(t), tenant(t)} {
		holds := gates.rush(t, s, quota.Ask{Amount: speech(280, 21)}, "budget_exhausted")
		assert.Len(t, holds, 100, "characters for a hundred")
		gates.settle(t, s, holds, quota.Use{Capability: "speech", Model: "v", Chars: 280, Nanos: 21})
		st := today(t, l, s, limits)
		require.Len(t, st.Lines, 1)
		assert.Equal(t, []int64{100, 100 * 280, 100 * 21}, []int64{st.Lines[0].Calls, st.Lines[0].Chars, st.Lines[0].Nanos})
		for _, b := range spoken(t, st) {
			assert.Equal(t, []int64{100 * 280, 0}, []int64{b.Spent, b.Reserved}, b.Period)
		}
		h, err := gates[0].Acquire(t.Context(), s, quota.Ask{Amount: amount(700, 33)})
		require.NoError(t, err, "who does not speak is let in")
		h.Settle(t.Context())
	}
}

// rooming: whether there is room for what others pay later is answered as to a call, of whichever budget, and nothing is leased.
func rooming(t *testing.T, l Ledger) {
	s, neighbour, limits := tenant(t), tenant(t), wide()
	limits.Day.Chars = 1000
	room := func(n int64) quota.Report {
		return quota.Report{Limits: limits, Rates: []quota.Rate{{}}, Wants: []quota.Want{{Count: 3, Room: speech(n, 10)}}}
	}
	g := exchange(t, l, s, room(1000))
	assert.Equal(t, quota.Verdict{Granted: 3}, g.Wants[0], "each has it")
	name := purse()
	both := ask(name, 1, limits, 3, speech(300, 0))
	both.Wants[0].Room = speech(200, 0)
	g = exchange(t, l, s, both)
	assert.Equal(t, 2, g.Wants[0].Granted, "the third would leave 100")
	assert.Equal(t, []any{"budget_exhausted", 2 * time.Second}, []any{g.Wants[0].Refused.Code, g.Wants[0].Refused.RetryAfter})
	for i, b := range spoken(t, today(t, l, s, limits)) {
		assert.Equal(t, []int64{[]int64{1000, 1_000_000}[i], 0, 600}, []int64{b.Limit, b.Spent, b.Reserved}, "the calls alone are leased")
	}
	assert.Equal(t, 3, exchange(t, l, s, room(400)).Wants[0].Granted)
	g = exchange(t, l, s, room(401))
	require.NotNil(t, g.Wants[0].Refused)
	assert.Equal(t, []any{0, "budget_exhausted"}, []any{g.Wants[0].Granted, g.Wants[0].Refused.Code})
	assert.Contains(t, g.Wants[0].Refused.Message, "1000 characters a day")
	assert.Equal(t, 3, exchange(t, l, neighbour, room(401)).Wants[0].Granted, "another tenant's own")
	silent := quota.Report{Limits: limits, Rates: []quota.Rate{{}}, Wants: []quota.Want{{Count: 1, Room: amount(500, 0)}}}
	assert.Equal(t, 1, exchange(t, l, s, silent).Wants[0].Granted, "who does not speak is let in")
	silent.Wants[0].Room.Nanos = -1
	_, err := l.Exchange(t.Context(), s, silent)
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
}
