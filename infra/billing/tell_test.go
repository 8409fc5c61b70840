package billing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/outbox"
	"levada.dev/infra/billing"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/book"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
)

func TestFactsWaitInTheOutboxInOrder(t *testing.T) {
	tx, acme := rows.NewMemory(), tenantstest.Scope(t, "acme")
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	line := quota.Line{Day: "2026-11-22", Capability: "chat", Purpose: "summary", Model: "m", Calls: 2, Prompt: 3, Completion: 4, Chars: 6, Neurons: 7_000_001, Nanos: 5, Estimated: 1}
	spent := quota.Budget{Period: "day", Unit: "tokens", Limit: 7, Spent: 6, Reserved: 1, Resets: at.Add(16 * time.Hour)}
	require.NoError(t, billing.Tell(tx, acme, at.Add(time.Second), book.Exhausted{Budget: spent, Starts: "2026-11-22"}))
	for range 2 { // a booking told again is the same event
		require.NoError(t, billing.Tell(tx, acme, at, book.Recorded{Booking: "p.1", Lines: []quota.Line{line}}))
	}
	require.Error(t, billing.Tell(tx, acme, at, book.Recorded{Booking: "p.2"}), "what is no fact is not told")

	waiting, err := outbox.Pending(tx, 10)
	require.NoError(t, err)
	require.Len(t, waiting, 2)
	var recorded events.UsageRecorded
	require.NoError(t, waiting[0].Event.As(&recorded))
	assert.Equal(t, events.UsageRecorded{Booking: "p.1", Lines: []events.UsageLine{{
		Day: "2026-11-22", Capability: "chat", Purpose: "summary", Model: "m", Calls: 2, Prompt: 3, Completion: 4, Chars: 6, Neurons: 7.000001, Nanos: 5, Estimated: 1,
	}}}, recorded)
	assert.Equal(t, "/tenants/acme/quota", waiting[0].Event.Source)
	var exhausted events.BudgetExhausted
	require.NoError(t, waiting[1].Event.As(&exhausted))
	assert.Equal(t, events.BudgetExhausted{
		Period: "day", Unit: "tokens", Starts: "2026-11-22", Limit: 7, Spent: 6, Reserved: 1, Resets: spent.Resets,
	}, exhausted)
}
