package audit

import (
	"context"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Trail is a tenant's record of what happened.
//
// What Append returned nil for is durable. An entry whose id the trail holds is the same event, told again, and is left
// out; so is a repetition within one call. The order of entries is the order of the trail, not of the events. Safe for
// concurrent use.
type Trail interface {
	Append(ctx context.Context, s tenants.Scope, entries []events.AuditEntry) error
}

// Consumer records events.
type Consumer struct{ trail Trail }

// New makes the consumer.
func New(trail Trail) *Consumer { return &Consumer{trail: trail} }

// Route takes event.recorded. No document depends on it, so a dead one fails none.
func (c *Consumer) Route() consumers.Route {
	return consumers.Route{Type: events.TypeEventRecorded, Name: "audit", Handle: consumers.Facts(c.Handle)}
}

// Handle appends the entries of all events, in one call; if the trail refuses an entry, those of its event are left
// out alone.
func (c *Consumer) Handle(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.EventRecorded]) []error {
	return fault.Isolate(len(ds), func(from, to int) error {
		var entries []events.AuditEntry
		for _, d := range ds[from:to] {
			entries = append(entries, d.Fact.Entries...)
		}
		return c.trail.Append(ctx, s, entries)
	})
}
