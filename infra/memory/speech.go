package memory

import (
	"context"
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/book"
)

// Speech keeps the jobs of each tenant that speak, and the takes that they wait for.
type Speech struct {
	*book.Client
	Hooks

	mu    sync.Mutex
	book  *book.Book
	desks objects
}

var (
	_ speech.Desk  = (*Speech)(nil)
	_ speech.Booth = (*Speech)(nil)
)

// NewSpeech makes desks that tell the time by now.
func NewSpeech(now func() time.Time) *Speech {
	x := &Speech{book: book.New(now), desks: objects{}}
	x.Client = book.NewClient(x.call)
	return x
}

// call is the carrier of the wire and the transaction around the book.
func (x *Speech) call(ctx context.Context, s tenants.Scope, _ []string, method string, body []byte) (reply []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Unavailablef(err, "speech_unreachable", "the desk was not reached")
	}
	err = x.do(s, method, func() error {
		x.mu.Lock()
		defer x.mu.Unlock()
		reply, _ = serve(x.desks.of(s), x.book, method, body)
		return nil
	})
	return reply, err
}

// Relay hands what waits in a tenant's outbox to the publisher, as the object does by itself after each call and by its alarm. It says how many events went
// out.
func (x *Speech) Relay(ctx context.Context, s tenants.Scope, out events.Publisher) (int, error) {
	return x.desks.relay(ctx, s, &x.mu, out, 100, func(f func() error) error { return x.do(s, "sent", f) })
}

// Alarm does what the object's alarm does: it looks after what should have happened, and says when to look again; zero when there is nothing.
func (x *Speech) Alarm(ctx context.Context, s tenants.Scope, sounds speech.Sounds) (next time.Time, err error) {
	return x.book.Tend(ctx, func(f func(tx rows.Tx) error) error {
		return x.do(s, "tend", func() error {
			x.mu.Lock()
			defer x.mu.Unlock()
			tx := x.desks.of(s).Begin()
			if err := f(tx); err != nil {
				return err
			}
			tx.Commit()
			return nil
		})
	}, sounds)
}

// Rows lets a test look at, and change, what the tenant's object has.
func (x *Speech) Rows(s tenants.Scope, f func(tx rows.Tx)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f(x.desks.of(s))
}

// Written is how many rows the tenant's desk has written, as a database bills them.
func (x *Speech) Written(s tenants.Scope) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.desks.of(s).Written
}
