package view_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter/view"
	"levada.dev/tenants/quota"
)

func line(day quota.Day, capability string, tokens, nanos int64) quota.Line {
	return quota.Line{Day: day, Capability: capability, Model: "m", Calls: 1, Prompt: tokens, Neurons: quota.Neurons(3 * nanos), Nanos: nanos}
}

func TestCost(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) // 21 days of the month are over, and 9 are not
	w, err := view.Look(view.Day, now)
	require.NoError(t, err)
	from, to := view.CostDays(w)
	assert.Equal(t, []quota.Day{"2026-11-01", "2026-11-22"}, []quota.Day{from, to})

	got := view.CostOf(w, quota.Statement{
		Lines: []quota.Line{
			line("2026-11-01", "chat", 50, 500),
			line("2026-11-21", "chat", 20, 200),
			{Day: "2026-11-21", Capability: "speech", Model: "v", Calls: 2, Chars: 7, Neurons: 5, Nanos: 100, Estimated: 1},
			line("2026-11-22", "chat", 4, 100),
		},
		Budgets: []quota.Budget{
			{Period: "month", Unit: "nanoUSD", Limit: 1000, Spent: 900, Reserved: 5, Resets: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)},
			{Period: "day", Unit: "characters", Limit: 0, Spent: 7, Resets: now.AddDate(0, 0, 1)},
		},
	})
	assert.Equal(t, []any{quota.Day("2026-11-21"), quota.Day("2026-11-22")}, []any{got.FromDay, got.ToDay})
	assert.Equal(t, []view.CostLine{
		{Capability: "chat", Model: "m", Calls: 2, Prompt: 24, Neurons: 900, Nanos: 300, Part: value(0.75)},
		{Capability: "speech", Model: "v", Calls: 2, Chars: 7, Neurons: 5, Nanos: 100, Estimated: 1, Part: value(0.25)},
	}, got.Lines)
	assert.Equal(t, view.CostLine{Calls: 4, Prompt: 24, Chars: 7, Neurons: 905, Nanos: 400, Estimated: 1, Part: value(1)}, got.Total)
	assert.Equal(t, []view.CostDay{{"2026-11-21", 20, 7, 300}, {"2026-11-22", 4, 0, 100}}, got.Days)
	// One day has gone since the pace began, in which 400 were spent; nine are to come.
	assert.Equal(t, view.CostForecast{
		From: "2026-11-01", Ends: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), PaceFrom: "2026-11-21",
		Spent: view.CostSum{Tokens: 74, Chars: 7, Nanos: 900}, Projected: view.CostSum{Tokens: 74 + 9*24, Chars: 7 + 9*7, Nanos: 900 + 9*400},
	}, got.Month)
	require.Len(t, got.Budgets, 2)
	assert.Equal(t, []any{value(0.9), int64(900 + 9*400)}, []any{got.Budgets[0].Used, got.Budgets[0].Projected})
	assert.Equal(t, []any{(*float64)(nil), int64(14)}, []any{got.Budgets[1].Used, got.Budgets[1].Projected}, "a budget of nothing has no part that is used")
}

// The pace at a month's beginning is that of the days before it, which are not of the month.
func TestAMonthBeginsAtThePaceOfTheLast(t *testing.T) {
	w, err := view.Look(view.Week, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	from, to := view.CostDays(w)
	assert.Equal(t, []quota.Day{"2026-11-24", "2026-12-01"}, []quota.Day{from, to})
	got := view.CostOf(w, quota.Statement{Lines: []quota.Line{line("2026-11-24", "chat", 0, 7), line("2026-12-01", "chat", 0, 7)}})
	assert.Equal(t, []int64{7, 7 + 14*31/7}, []int64{got.Month.Spent.Nanos, got.Month.Projected.Nanos})
	assert.Equal(t, int64(14), got.Total.Nanos)
}

// Whatever an account holds, a projection neither overflows nor goes below what is spent.
func TestProjectionsAreBounded(t *testing.T) {
	for now := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC); now.Before(time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)); now = now.Add(7 * time.Minute) {
		for _, p := range []view.Period{view.Hour, view.Day, view.Week} {
			w, err := view.Look(p, now)
			require.NoError(t, err)
			for _, spent := range []int64{0, 1, 1 << 40, 1 << 61} {
				from, to := view.CostDays(w)
				got := view.CostOf(w, quota.Statement{Lines: []quota.Line{line(to, "chat", 0, spent)}}).Month
				assert.GreaterOrEqual(t, got.Projected.Nanos, got.Spent.Nanos, "%s %s %d", p, now, spent)
				assert.LessOrEqual(t, from, quota.DayOf(now.AddDate(0, 0, -1)))
			}
		}
	}
}
