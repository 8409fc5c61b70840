package eventstest

import (
	"context"
	"sync"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Publisher is a Publisher that keeps the events it was given, and refuses what a real one refuses. It neither
// claims data nor records for the audit trail.
type Publisher struct {
	Hooks
	mu  sync.Mutex
	evs []events.Event
}

var _ events.Publisher = (*Publisher)(nil)

// Publish implements events.Publisher.
func (p *Publisher) Publish(ctx context.Context, s tenants.Scope, evs ...events.Event) error {
	return p.do(func() error {
		if err := admit(ctx, s); err != nil {
			return err
		}
		for _, e := range evs {
			if err := e.Check(); err != nil {
				return err
			}
			if e.Tenant != s.Tenant() {
				return fault.New(fault.Denied, "tenant_mismatch", "the event is of another tenant", nil)
			}
			if _, ok := events.SpecOf(e.Type); !ok {
				return fault.New(fault.Internal, "event_type", e.Type+" is no registered type", nil)
			}
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.evs = append(p.evs, evs...)
		return nil
	})
}

// Events is what was published, oldest first; of the given types only, when there are any.
func (p *Publisher) Events(types ...string) []events.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	var evs []events.Event
	for _, e := range p.evs {
		keep := len(types) == 0
		for _, t := range types {
			keep = keep || t == e.Type
		}
		if keep {
			evs = append(evs, e)
		}
	}
	return evs
}

// Reset forgets the events, not the hooks.
func (p *Publisher) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.evs = nil
}
