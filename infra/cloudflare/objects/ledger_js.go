package objects

import (
	"context"
	"errors"
	"time"

	"levada.dev/events"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/tenants/call"
	"levada.dev/workflows/corpus/book"
)

// RegisterLedger registers the class Ledger, whose outbox goes out through a publisher. While the backlog of the queue
// that it feeds is too large, the ledger takes no documents.
func RegisterLedger(out events.Publisher, backlog Backlog, now func() time.Time) {
	object.Register("Ledger", func(ctx context.Context, st *object.State) (object.Object, error) {
		if err := MakeRows(ctx, st); err != nil {
			return nil, err
		}
		w, err := newWaker(ctx, st)
		if err != nil {
			return nil, err
		}
		l := &ledger{state: st, book: book.New(now), queue: newGauge(backlog, now), waker: w}
		l.relay = &relay{state: st, out: out, now: now, wake: w.by, setAside: func(tx *object.Tx, id string, reason error) error {
			return l.book.SetAside(Rows(tx), id, reason)
		}}
		return l, nil
	})
}

// ledger keeps one tenant's book in the object's database and relays its outbox to the queues.
type ledger struct {
	state *object.State
	book  *book.Book
	queue gauge
	waker *waker
	relay *relay
}

// Call implements object.Object: one method of the book in one transaction, if it needs one.
func (l *ledger) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if method == "ping" {
		return nil, nil
	}
	if book.Looks(method) {
		if reply, ok := look(ctx, l.state.SQL(), l.book, method, body); ok {
			return reply, nil
		}
	}
	if book.Submits(method) && l.queue.full(ctx) {
		return call.Refuse(errBacklog), nil
	}
	return l.relay.serve(ctx, l.book, book.Sends(method), method, body)
}

// Alarm implements object.Alarmer. What was accepted goes out first: a sweep that fails must not hold it up.
func (l *ledger) Alarm(ctx context.Context, _ int) error {
	return l.waker.ring(ctx, func(ctx context.Context) error {
		return errors.Join(l.relay.rescue(ctx), l.watch(ctx), l.relay.rescue(ctx), l.sweep(ctx))
	})
}

// maxWatches is how many transactions of the watchdog one alarm makes.
const maxWatches = 50

// watch looks after what should have ended by now, and asks for the alarm at the time of the next. A document that is let in needs
// no alarm of its own: the one that looks for what was left in the outbox comes first, and gets here.
func (l *ledger) watch(ctx context.Context) error {
	next := l.relay.now()
	for range maxWatches {
		err := l.state.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
			next, err = l.book.Watch(Rows(tx))
			return err
		})
		if err != nil || next.IsZero() {
			return err
		}
		if next.After(l.relay.now()) {
			break
		}
	}
	return l.waker.by(ctx, next)
}

// sweepBatch is how many rows of a kind one transaction of a sweep looks at.
const sweepBatch = 200

// sweep removes what nobody can ask for any more.
func (l *ledger) sweep(ctx context.Context) error {
	next := ""
	for {
		err := l.state.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
			next, err = l.book.Sweep(Rows(tx), next, sweepBatch)
			return err
		})
		if err != nil || next == "" {
			return err
		}
	}
}
