package objects

import (
	"context"
	"time"

	"levada.dev/events/fault"
)

// DefaultMaxBacklog is how many messages may wait in the ingest queue before the ledger takes no more documents. A queue
// holds 25 GB (https://developers.cloudflare.com/queues/platform/limits/): this many messages of the largest size are
// half of it.
const DefaultMaxBacklog = 100_000

// Backlog is how a ledger knows how much waits in the queue that its outbox feeds, and when that is too much.
type Backlog struct {
	Measure func(context.Context) (int64, error)
	Max     int64 // messages; 0 for DefaultMaxBacklog
}

// errBacklog is what a submission gets while too much waits.
var errBacklog = fault.New(fault.Limited, "backlog_full", "too many documents are waiting to be processed", nil).
	WithRetryAfter(30 * time.Second)

const (
	// gaugeEvery is how old a number may be. A submission waits as long for a new one.
	gaugeEvery = time.Second
	// gaugeAgain is when a queue that gave no answer is asked again.
	gaugeAgain = 10 * time.Second
)

// gauge knows how much waits in a queue, as of a second ago while the queue answers.
type gauge struct {
	Backlog
	now   func() time.Time
	count int64
	next  time.Time // when it is asked again
}

func newGauge(b Backlog, now func() time.Time) gauge {
	if b.Max == 0 {
		b.Max = DefaultMaxBacklog
	}
	return gauge{Backlog: b, now: now}
}

// full reports whether the queue takes no more. A queue that does not answer is taken for what it was: its own refusal
// stays in the outbox. Nobody waits for it long.
func (g *gauge) full(ctx context.Context) bool {
	if now := g.now(); !now.Before(g.next) {
		g.next = now.Add(gaugeAgain) // for whoever comes meanwhile
		ctx, cancel := context.WithTimeout(ctx, gaugeEvery)
		defer cancel()
		if n, err := g.Measure(ctx); err == nil {
			g.count, g.next = n, now.Add(gaugeEvery)
		}
	}
	return g.count > g.Max
}
