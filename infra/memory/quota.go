package memory

import (
	"context"
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/infra/billing"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/book"
)

// Quota keeps a ledger of money and rates for each tenant.
type Quota struct {
	*book.Client
	Hooks

	mu    sync.Mutex
	book  *book.Book
	books objects
	calls int
}

var _ quota.Ledger = (*Quota)(nil)

// NewQuota makes a ledger that tells the time by now.
func NewQuota(now func() time.Time) *Quota {
	q := &Quota{book: book.New(now, billing.Tell), books: objects{}}
	q.Client = book.NewClient(q.call)
	return q
}

// call is the carrier of the wire and the transaction around the book.
func (q *Quota) call(ctx context.Context, s tenants.Scope, _ []string, method string, body []byte) (reply []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Unavailablef(err, "ledger_unreachable", "the ledger was not reached")
	}
	err = q.do(s, method, func() error {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.calls++
		reply, _ = serve(q.books.of(s), q.book, method, body)
		return nil
	})
	return reply, err
}

// Close does what the ledger's alarm does: it books what purses hold that were silent for too long, and forgets what is
// too old.
func (q *Quota) Close(s tenants.Scope) (next time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	tx := q.books.of(s).Begin()
	if next, err = q.book.Close(tx); err != nil {
		return next, err
	}
	if _, err := q.book.Sweep(tx, 1000); err != nil {
		return next, err
	}
	tx.Commit()
	return next, nil
}

// Told is the events that wait in a tenant's outbox, oldest first.
func (q *Quota) Told(s tenants.Scope) ([]events.Event, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting, err := outbox.Pending(q.books.of(s), 1<<20)
	if err != nil {
		return nil, err
	}
	out := make([]events.Event, len(waiting))
	for i, w := range waiting {
		if w.Err != nil {
			return nil, w.Err
		}
		out[i] = w.Event
	}
	return out, nil
}

// Cost is how many calls the ledgers have served, and how many rows of a tenant's were written.
func (q *Quota) Cost(s tenants.Scope) (calls, written int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.calls, q.books.of(s).Written
}
