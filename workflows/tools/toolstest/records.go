package toolstest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Records is a publisher that remembers, and leaves out what it knows by id, as the audit trail does. The zero value is ready.
type Records struct {
	// Before and After fail a call before and after its effect. Both get the type of the fact.
	Before, After func(typ string) error

	mu   sync.Mutex
	told []events.Event
	sent int
}

var _ events.Publisher = (*Records)(nil)

// Publish implements events.Publisher.
func (r *Records) Publish(ctx context.Context, s tenants.Scope, evs ...events.Event) error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fault.Unavailablef(err, "queue_unavailable", "the queue did not answer")
	}
	for _, e := range evs {
		if e.Tenant != s.Tenant() {
			return fault.New(fault.Denied, "tenant_mismatch", "an event of another tenant", nil)
		}
		if err := e.Check(); err != nil {
			return err
		}
		if r.Before != nil {
			if err := r.Before(e.Type); err != nil {
				return err
			}
		}
		r.take(e)
		if r.After != nil {
			if err := r.After(e.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Records) take(e events.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent++
	if !slices.ContainsFunc(r.told, func(old events.Event) bool { return old.ID == e.ID }) {
		r.told = append(r.told, e)
	}
}

// Sent is how often it was told anything, also the same twice.
func (r *Records) Sent() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent
}

// Acts is what is on record for a tenant, in its order.
func (r *Records) Acts(t testing.TB, s tenants.Scope) (acts []events.Act) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.told {
		if e.Tenant != s.Tenant() {
			continue
		}
		spec, ok := events.SpecOf(e.Type)
		require.True(t, ok)
		fact := spec.New()
		require.NoError(t, e.As(fact))
		audited, ok := fact.(events.Audited)
		require.True(t, ok, e.Type)
		acts = append(acts, audited.Act())
	}
	return acts
}
