package fetch

import (
	"context"
	"runtime"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

const (
	// sure is how long a large document may come in, whoever waits for its room. One whose server takes longer is given up as soon as somebody does, and
	// comes again: nobody's documents wait for a slow server for longer.
	sure = 5 * time.Second
	// busy is how long a document waits for room while its server waits for it. Then the server is left, and asked again once there is room.
	busy = 5 * time.Second
	// longest is how long a document waits for room at an attempt.
	longest = time.Minute
)

var (
	errBusy = fault.Unavailablef(nil, "memory_busy", "large documents are being worked on")
	errSlow = fault.Unavailablef(nil, "fetch_failed", "the server sent slowly, and others needed the memory")
)

// visit is one fetch's part of the room that all handlers share.
type visit struct {
	*Consumer
	tenant tenants.ID
	recall context.CancelCauseFunc
	bytes  int64 // that it needs, once it is known
	leave  func()
}

// large is corpus.FetchOptions.Large.
func (v *visit) large(ctx context.Context, bytes int64) error {
	if v.leave != nil {
		return nil
	}
	v.bytes = bytes
	return v.enter(ctx, busy)
}

// enter waits for the tenant's turn and for room.
func (v *visit) enter(ctx context.Context, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	next, err := v.turns.take(ctx, v.tenant)
	if err != nil {
		return errBusy
	}
	giveBack, err := v.room.Lend(ctx, v.bytes, sure, func() { v.recall(errSlow) })
	if err != nil {
		next()
		return errBusy
	}
	v.leave = func() {
		giveBack()
		next()
	}
	runtime.GC() // what other work has left goes now: a few allocations of this size outrun the collector
	return nil
}

// end gives the room back, if there is any.
func (v *visit) end() {
	if v.leave != nil {
		v.leave()
	}
}

// turns lets one large document of a tenant in at a time, so that a server which sends slowly keeps no room from other tenants' documents.
type turns struct {
	mu   sync.Mutex
	busy map[tenants.ID]chan struct{} // closed when the turn is over
}

func newTurns() *turns { return &turns{busy: map[tenants.ID]chan struct{}{}} }

// take waits for a tenant's turn and returns what ends it.
func (t *turns) take(ctx context.Context, tenant tenants.ID) (over func(), err error) {
	for {
		t.mu.Lock()
		other := t.busy[tenant]
		if other == nil {
			mine := make(chan struct{})
			t.busy[tenant] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				delete(t.busy, tenant)
				close(mine)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
