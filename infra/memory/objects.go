package memory

import (
	"context"
	"sync"

	"levada.dev/events"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
)

// objects is what each tenant's object of a class keeps.
type objects map[tenants.ID]*rows.Memory

func (o objects) of(s tenants.Scope) *rows.Memory {
	kept := o[s.Tenant()]
	if kept == nil {
		kept = rows.NewMemory()
		o[s.Tenant()] = kept
	}
	return kept
}

// decider is what answers the calls of a class: a book. When commit is false, nothing of the call may stay.
type decider interface {
	Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool)
}

// serve answers one call in one transaction, and reports whether it stays.
func serve(kept *rows.Memory, d decider, method string, body []byte) (reply []byte, committed bool) {
	tx := kept.Begin()
	if reply, committed = d.Call(tx, method, body); committed {
		tx.Commit()
	}
	return reply, committed
}

// relay hands what waits in the outbox of a tenant's object to the publisher, at most limit events, and says how many went
// out. mu guards the objects; forget runs what takes the sent ones out, and may fail before or after it.
func (o objects) relay(ctx context.Context, s tenants.Scope, mu *sync.Mutex, out events.Publisher, limit int, forget func(func() error) error) (int, error) {
	mu.Lock()
	waiting, err := outbox.Pending(o.of(s), limit)
	mu.Unlock()
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	evs := make([]events.Event, len(waiting))
	ids := make([]string, len(waiting))
	for i, w := range waiting {
		evs[i], ids[i] = w.Event, w.ID
	}
	if err := out.Publish(ctx, s, evs...); err != nil {
		return 0, err
	}
	return len(evs), forget(func() error {
		mu.Lock()
		defer mu.Unlock()
		return outbox.Sent(o.of(s), ids)
	})
}
