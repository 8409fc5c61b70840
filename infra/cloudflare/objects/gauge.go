package objects

import (
	"context"
	"time"

	"levada.dev/events/fault"
)

// maxBacklog is how many messages may wait in the ingest queue before the ledger takes no more documents. A queue holds
// 25 GB (https://developers.cloudflare.com/queues/platform/limits/): this many messages of the largest size are half of it.
const maxBacklog = 100_000

// errBacklog is what a submission gets while too much waits.
var errBacklog = fault.New(fault.Limited, "backlog_full", "too many documents are waiting to be processed", nil).
	WithRetryAfter(30 * time.Second)

// gauge knows how much waits in a queue, as of a second ago at most.
type gauge struct {
	measure func(context.Context) (int64, error)
	now     func() time.Time
	count   int64
	at      time.Time
}

// full reports whether the queue takes no more. A queue that does not answer is taken for what it was: its own refusal
// stays in the outbox.
func (g *gauge) full(ctx context.Context) bool {
	if now := g.now(); now.Sub(g.at) >= time.Second {
		g.at = now
		if n, err := g.measure(ctx); err == nil {
			g.count = n
		}
	}
	return g.count > maxBacklog
}
