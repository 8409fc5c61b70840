package book

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
)

// kinds is how many budgets there are.
const kinds = 6

// budgets is how the budgets stand. Their order is kept in the state's row (Told), so others come behind.
func (st *state) budgets(l quota.Limits) [kinds]quota.Budget {
	day, err := time.Parse(time.DateOnly, string(st.Day))
	if err != nil {
		panic(err) // DayOf wrote it
	}
	tomorrow := day.AddDate(0, 0, 1)
	next := time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	return [kinds]quota.Budget{
		{Period: "day", Unit: "tokens", Limit: l.Day.Tokens, Spent: st.Today.Tokens, Reserved: st.Out.Tokens, Resets: tomorrow},
		{Period: "day", Unit: "nanoUSD", Limit: l.Day.Nanos, Spent: st.Today.Nanos, Reserved: st.Out.Nanos, Resets: tomorrow},
		{Period: "month", Unit: "tokens", Limit: l.Month.Tokens, Spent: st.Month.Tokens, Reserved: st.Out.Tokens, Resets: next},
		{Period: "month", Unit: "nanoUSD", Limit: l.Month.Nanos, Spent: st.Month.Nanos, Reserved: st.Out.Nanos, Resets: next},
		{Period: "day", Unit: "characters", Limit: l.Day.Chars, Spent: st.Today.Chars, Reserved: st.Out.Chars, Resets: tomorrow},
		{Period: "month", Unit: "characters", Limit: l.Month.Chars, Spent: st.Month.Chars, Reserved: st.Out.Chars, Resets: next},
	}
}

// starts is the first day of a budget's period.
func starts(b quota.Budget, today quota.Day) quota.Day {
	if b.Period == "month" {
		return today[:7] + "-01"
	}
	return today
}

// room is how much can be leased before any budget is used up; it may be negative.
func (st *state) room(l quota.Limits) quota.Amount {
	return l.Day.Sub(st.Today).Min(l.Month.Sub(st.Month)).Sub(st.Out)
}

// fits is how many amounts fit into a room, with so much left beside them.
func fits(room, each, beside quota.Amount, most int) int {
	n := int64(most)
	for _, c := range [][3]int64{{room.Tokens, each.Tokens, beside.Tokens}, {room.Chars, each.Chars, beside.Chars}, {room.Nanos, each.Nanos, beside.Nanos}} {
		left := c[0] - c[2]
		switch {
		case c[1] > 0:
			n = min(n, max(0, left)/c[1])
		case c[2] > 0 && left < 0:
			n = 0
		}
	}
	return int(n)
}

// whileReserved is when to come back if only calls in flight are in the way.
const whileReserved = 2 * time.Second

// exhausted is the refusal of an amount, by the budget that takes longest to have room for it, and which budgets refuse.
func (st *state) exhausted(now time.Time, l quota.Limits, a quota.Amount) (*fault.Error, []int) {
	var worst *fault.Error
	var which []int
	for i, b := range st.budgets(l) {
		need := b.Part(a)
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

// quantity is a budget's limit for people: "2000 tokens", "500 characters", "$10", "$0.5".
func quantity(b quota.Budget) string {
	if b.Unit != "nanoUSD" {
		return strconv.FormatInt(b.Limit, 10) + " " + b.Unit
	}
	text := fmt.Sprintf("$%d.%09d", b.Limit/1_000_000_000, b.Limit%1_000_000_000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
