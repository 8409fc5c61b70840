package objects

import (
	"context"
	"time"

	"levada.dev/events"
	"levada.dev/events/meter/book"
	"levada.dev/infra/cloudflare/object"
)

// RegisterMeters registers the class Meters: what is counted for a tenant, and its traces. Its outbox goes out through a publisher.
func RegisterMeters(out events.Publisher, now func() time.Time) {
	object.Register("Meters", func(ctx context.Context, st *object.State) (object.Object, error) {
		if err := MakeRows(ctx, st); err != nil {
			return nil, err
		}
		w, err := newWaker(ctx, st)
		if err != nil {
			return nil, err
		}
		x := &meters{state: st, now: now, book: book.New(now), waker: w}
		x.relay = &relay{state: st, out: out, now: now, wake: w.by, setAside: setAside}
		return x, nil
	})
}

// meters keeps what is counted for one tenant in the object's database.
type meters struct {
	state *object.State
	now   func() time.Time
	book  *book.Book
	waker *waker
	relay *relay
}

// Call implements object.Object: one method of the book in one transaction. What is kept is looked after when the hour is over, so that all that is counted in it asks
// for the same alarm; rules are looked at from the next minute on.
func (x *meters) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if method == "ping" {
		return nil, nil
	}
	if step := book.Keeps(method); step > 0 {
		if err := x.waker.by(ctx, x.now().Truncate(step).Add(step)); err != nil {
			return nil, err
		}
	}
	return x.relay.serve(ctx, x.book, book.Sends(method), method, body)
}

// Alarm implements object.Alarmer. What that tells goes out at its end, and so does what was left of earlier ones.
func (x *meters) Alarm(ctx context.Context, _ int) error {
	return x.waker.ring(ctx, func(ctx context.Context) error { return x.relay.tend(ctx, "meters", x.tend) })
}

// tend does all that is due, piece by piece, each in a transaction of its own, and says when something will be again.
func (x *meters) tend(ctx context.Context) (next time.Time, err error) {
	for {
		var done book.Tended
		err := x.state.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
			done, err = x.book.Tend(Rows(tx), sweepBatch)
			return err
		})
		if err != nil || !done.More {
			return done.Next, err
		}
	}
}
