package memory

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/book"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/reembed"
)

// Ledger keeps a book for each tenant.
type Ledger struct {
	*book.Client
	Hooks
	// Full says that the pool's backlog is above its limit; submissions are then refused.
	Full func() bool

	mu    sync.Mutex
	book  *book.Book
	books objects
}

var (
	_ corpus.Ledger    = (*Ledger)(nil)
	_ corpus.Catalogue = (*Ledger)(nil)
	_ imports.Ledger   = (*Ledger)(nil)
	_ erasure.Ledger   = (*Ledger)(nil)
	_ reembed.Ledger   = (*Ledger)(nil)
)

// NewLedger makes a ledger that tells the time by now.
func NewLedger(now func() time.Time) *Ledger {
	l := &Ledger{book: book.New(now), books: objects{}}
	l.Client = book.NewClient(l.call)
	return l
}

// call is the carrier of the wire and the transaction around the book.
func (l *Ledger) call(ctx context.Context, s tenants.Scope, _ []string, method string, body []byte) (reply []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Unavailablef(err, "ledger_unreachable", "the ledger was not reached")
	}
	err = l.do(s, method, func() error {
		if book.Submits(method) && l.Full != nil && l.Full() {
			return fault.New(fault.Limited, "backlog_full", "too much is waiting already", nil)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		reply, _ = serve(l.books.of(s), l.book, method, body)
		return nil
	})
	return reply, err
}

// Relay hands what waits in a tenant's outbox to the publisher, as the ledger does by itself after each call and by its
// alarm. It says how many events went out.
func (l *Ledger) Relay(ctx context.Context, s tenants.Scope, out events.Publisher, limit int) (int, error) {
	return l.books.relay(ctx, s, &l.mu, out, limit, func(f func() error) error { return l.do(s, "sent", f) })
}

// Watch looks after what should have ended by now, as the ledger does by its alarm, and says when to look again; zero when
// there is nothing to watch.
func (l *Ledger) Watch(s tenants.Scope) (next time.Time, err error) {
	err = l.do(s, "watch", func() (err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		tx := l.books.of(s).Begin()
		if next, err = l.book.Watch(tx); err == nil {
			tx.Commit()
		}
		return err
	})
	return next, err
}

// Tenants lists the tenants that have a book.
func (l *Ledger) Tenants() []tenants.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.books))
}
