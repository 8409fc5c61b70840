package fetch

import (
	"context"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// largeAtOnce is how many large documents are in an instance's memory at a time. Each may be as long as the tenant's documents may be, and is
// there from its first megabyte until it is stored.
const largeAtOnce = 2

// room is where large documents are held: one of a tenant at a time, so that a server which sends slowly keeps no room from other tenants' documents.
type room struct {
	mu      sync.Mutex
	holds   map[tenants.ID]string // the delivery whose document is held
	changed chan struct{}         // closed when somebody leaves
}

func newRoom() *room { return &room{holds: map[tenants.ID]string{}, changed: make(chan struct{})} }

// enter waits for room. A delivery that is in it stays.
func (r *room) enter(ctx context.Context, tenant tenants.ID, delivery string) error {
	for {
		r.mu.Lock()
		holder, held := r.holds[tenant]
		if holder == delivery && held || !held && len(r.holds) < largeAtOnce {
			r.holds[tenant] = delivery
			r.mu.Unlock()
			return nil
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return fault.Unavailablef(ctx.Err(), "fetch_failed", "other long documents were being fetched")
		}
	}
}

// leave gives a delivery's room back, if it has any.
func (r *room) leave(tenant tenants.ID, delivery string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if holder, held := r.holds[tenant]; held && holder == delivery {
		delete(r.holds, tenant)
		close(r.changed)
		r.changed = make(chan struct{})
	}
}
