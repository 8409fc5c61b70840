package events_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"levada.dev/events"
	"levada.dev/events/fault"
)

func TestFactsAboutMoneyAreChecked(t *testing.T) {
	line := events.UsageLine{Day: "2026-11-22", Capability: "chat", Calls: 1}
	spent := events.BudgetExhausted{Period: "day", Unit: "tokens", Starts: "2026-11-22", Limit: 1, Resets: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}
	assert.NoError(t, events.UsageRecorded{Booking: "p.1", Lines: []events.UsageLine{line}}.Check())

	with := func(change func(*events.BudgetExhausted)) events.BudgetExhausted {
		f := spent
		change(&f)
		return f
	}
	for _, unit := range []string{"tokens", "nanoUSD", "characters"} {
		assert.NoError(t, with(func(f *events.BudgetExhausted) { f.Unit = unit }).Check())
	}
	for field, f := range map[string]events.Fact{
		"booking":  events.UsageRecorded{Lines: []events.UsageLine{line}},
		"lines":    events.UsageRecorded{Booking: "p.1"},
		"lines[1]": events.UsageRecorded{Booking: "p.1", Lines: []events.UsageLine{line, {Day: "22.11.2026", Capability: "chat"}}},
		"lines[0]": events.UsageRecorded{Booking: "p.1", Lines: []events.UsageLine{{Day: "2026-11-22"}}},
		"period":   with(func(f *events.BudgetExhausted) { f.Period = "year" }),
		"unit":     with(func(f *events.BudgetExhausted) { f.Unit = "USD" }),
		"starts":   with(func(f *events.BudgetExhausted) { f.Starts = "" }),
		"limit":    with(func(f *events.BudgetExhausted) { f.Limit = -1 }),
		"resetsAt": with(func(f *events.BudgetExhausted) { f.Resets = time.Time{} }),
	} {
		err := f.Check()
		assert.Equal(t, fault.Invalid, fault.KindOf(err), field)
		assert.Equal(t, field, fault.As(err).Field)
	}
}
