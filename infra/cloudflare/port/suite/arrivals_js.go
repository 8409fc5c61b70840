package main

import (
	"context"
	"sync"

	"levada.dev/events"
	"levada.dev/infra/app"
	"levada.dev/infra/cloudflare/queue"
)

// arrivals is what the queues have delivered to this Worker and no test has taken yet.
type arrivals struct {
	mu       sync.Mutex
	messages map[events.Stage][][]byte
	more     chan struct{} // closed when a batch arrives
}

func newArrivals() *arrivals {
	return &arrivals{messages: map[events.Stage][][]byte{}, more: make(chan struct{})}
}

// take is the consumer of every queue.
func (a *arrivals) take(_ context.Context, b *queue.Batch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name, _ := app.Stage(b.Queue)
	stage := events.Stage(name)
	for _, m := range b.Messages {
		a.messages[stage] = append(a.messages[stage], m.Body)
		m.Ack()
	}
	close(a.more)
	a.more = make(chan struct{})
}

// next waits for a message of a stage.
func (a *arrivals) next(ctx context.Context, stage events.Stage) ([]byte, error) {
	for {
		a.mu.Lock()
		waiting, more := a.messages[stage], a.more
		if len(waiting) > 0 {
			a.messages[stage] = waiting[1:]
			a.mu.Unlock()
			return waiting[0], nil
		}
		a.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
