package objects

import (
	"context"
	"time"

	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/tools/book"
)

// RegisterCalls registers the class Calls: what a tenant's tools were called for under a key, and what came of it.
func RegisterCalls(now func() time.Time) {
	object.Register("Calls", func(ctx context.Context, st *object.State) (object.Object, error) {
		if err := MakeRows(ctx, st); err != nil {
			return nil, err
		}
		w, err := newWaker(ctx, st)
		if err != nil {
			return nil, err
		}
		return &calls{state: st, now: now, book: book.New(now), waker: w}, nil
	})
}

// calls keeps one tenant's calls in the object's database.
type calls struct {
	state *object.State
	book  *book.Book
	now   func() time.Time
	waker *waker
}

// Call implements object.Object: one method of the book in one transaction.
func (c *calls) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if method == "ping" {
		return nil, nil
	}
	if book.Keeps(method) {
		if err := c.forgetLater(ctx); err != nil {
			return nil, err
		}
	}
	reply, _, err := serve(ctx, c.state.SQL(), c.book, method, body, nil)
	return reply, err
}

// Alarm implements object.Alarmer.
func (c *calls) Alarm(ctx context.Context, _ int) error { return c.waker.ring(ctx, c.forget) }

// forget forgets what has expired, and asks for the next alarm while anything is left.
func (c *calls) forget(ctx context.Context) error {
	left, err := sweep(ctx, c.state, c.book.Sweep)
	if err != nil || !left {
		return err
	}
	return c.forgetLater(ctx)
}

// forgetCallsEvery is how often an object that has any calls looks for those that have expired. They are kept for so much longer at most.
const forgetCallsEvery = 6 * time.Hour

// forgetLater asks for an alarm at the end of a quarter of the day, so that all that is kept in it asks for the same one.
func (c *calls) forgetLater(ctx context.Context) error {
	return c.waker.by(ctx, c.now().Truncate(forgetCallsEvery).Add(forgetCallsEvery))
}
