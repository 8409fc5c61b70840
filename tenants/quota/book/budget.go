package book

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
)

// budgets is how the four budgets stand.
func (st *state) budgets(l quota.Limits) [4]quota.Budget {
	day, err := time.Parse(time.DateOnly, string(st.Day))
	if err != nil {
		panic(err) // DayOf wrote it
	}
	tomorrow := day.AddDate(0, 0, 1)
	next := time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	return [4]quota.Budget{
		{Period: "day", Unit: "tokens", Limit: l.Day.Tokens, Spent: st.Today.Tokens, Reserved: st.Out.Tokens, Resets: tomorrow},
		{Period: "day", Unit: "nanoUSD", Limit: l.Day.Nanos, Spent: st.Today.Nanos, Reserved: st.Out.Nanos, Resets: tomorrow},
		{Period: "month", Unit: "tokens", Limit: l.Month.Tokens, Spent: st.Month.Tokens, Reserved: st.Out.Tokens, Resets: next},
		{Period: "month", Unit: "nanoUSD", Limit: l.Month.Nanos, Spent: st.Month.Nanos, Reserved: st.Out.Nanos, Resets: next},
	}
}

// starts is the first day of a budget's period.
func starts(b quota.Budget, today quota.Day) quota.Day {
	if b.Period == "month" {
		return today[:7] + "-01"
	}
	return today
}

// part is the budget's side of an amount.
func part(b quota.Budget, a quota.Amount) int64 {
	if b.Unit == "tokens" {
		return a.Tokens
	}
	return a.Nanos
}

// room is how much can be leased before any budget is used up; it may be negative.
func (st *state) room(l quota.Limits) quota.Amount {
	return quota.Amount{
		Tokens: min(l.Day.Tokens-st.Today.Tokens, l.Month.Tokens-st.Month.Tokens) - st.Out.Tokens,
		Nanos:  min(l.Day.Nanos-st.Today.Nanos, l.Month.Nanos-st.Month.Nanos) - st.Out.Nanos,
	}
}

// fits is how many amounts fit into a room.
func fits(room, each quota.Amount, most int) int {
	n := int64(most)
	if each.Tokens > 0 {
		n = min(n, max(0, room.Tokens)/each.Tokens)
	}
	if each.Nanos > 0 {
		n = min(n, max(0, room.Nanos)/each.Nanos)
	}
	return int(n)
}

func times(a quota.Amount, n int) quota.Amount {
	return quota.Amount{Tokens: a.Tokens * int64(n), Nanos: a.Nanos * int64(n)}
}

// whileReserved is when to come back if only calls in flight are in the way.
const whileReserved = 2 * time.Second

// exhausted is the refusal of an amount, by the budget that takes longest to have room for it, and which budgets refuse.
func (st *state) exhausted(now time.Time, l quota.Limits, a quota.Amount) (*fault.Error, []int) {
	var worst *fault.Error
	var which []int
	for i, b := range st.budgets(l) {
		need := part(b, a)
		if need == 0 || b.Spent+b.Reserved+need <= b.Limit {
			continue
		}
		which = append(which, i)
		wait, why := whileReserved, "calls in flight have reserved the rest"
		if b.Spent+need > b.Limit {
			wait, why = max(time.Second, b.Resets.Sub(now)), "it is used up"
		}
		if worst == nil || wait > worst.RetryAfter {
			worst = fault.New(fault.Limited, "budget_exhausted", fmt.Sprintf("the budget of %s a %s has no room for this call: %s; it resets at %s",
				quantity(b), b.Period, why, b.Resets.Format(time.RFC3339)), nil).WithRetryAfter(wait)
		}
	}
	return worst, which
}

// quantity is a budget's limit for people: "2000 tokens", "$10", "$0.5".
func quantity(b quota.Budget) string {
	if b.Unit == "tokens" {
		return strconv.FormatInt(b.Limit, 10) + " tokens"
	}
	text := fmt.Sprintf("$%d.%09d", b.Limit/1_000_000_000, b.Limit%1_000_000_000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
