package objects

import (
	"context"
	"errors"
	"time"

	"levada.dev/events"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/letters/book"
)

// RegisterLetters registers the class Letters, a tenant's box of dead letters, whose outbox goes out through a publisher.
func RegisterLetters(out events.Publisher, now func() time.Time) {
	object.Register("Letters", func(ctx context.Context, st *object.State) (object.Object, error) {
		if err := MakeRows(ctx, st); err != nil {
			return nil, err
		}
		w, err := newWaker(ctx, st)
		if err != nil {
			return nil, err
		}
		l := &box{state: st, now: now, book: book.New(now), waker: w}
		l.relay = &relay{state: st, out: out, now: now, wake: w.by, setAside: setAside, batch: letterBatch}
		return l, nil
	})
}

const (
	// letterBatch is how many events leave a box together: each may be as large as a message.
	letterBatch = 20
	// forgetEvery is how often a box that has anything looks for what is too old.
	forgetEvery = 24 * time.Hour
)

// box keeps one tenant's dead letters in the object's database.
type box struct {
	state *object.State
	book  *book.Book
	now   func() time.Time
	waker *waker
	relay *relay
}

// Call implements object.Object: one method of the book in one transaction.
func (l *box) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if method == "ping" {
		return nil, nil
	}
	if book.Keeps(method) {
		if err := l.forgetLater(ctx); err != nil {
			return nil, err
		}
	}
	return l.relay.serve(ctx, l.book, book.Sends(method), method, body)
}

// Alarm implements object.Alarmer. What is to be sent goes out first.
func (l *box) Alarm(ctx context.Context, _ int) error {
	return l.waker.ring(ctx, func(ctx context.Context) error { return errors.Join(l.relay.rescue(ctx), l.forget(ctx)) })
}

// forget forgets what is too old, and asks for the next alarm while anything is left.
func (l *box) forget(ctx context.Context) error {
	left, err := sweep(ctx, l.state, l.book.Sweep)
	if err != nil || !left {
		return err
	}
	return l.forgetLater(ctx)
}

// forgetLater asks for an alarm at the end of the day, so that all that is kept in a day asks for the same one.
func (l *box) forgetLater(ctx context.Context) error {
	return l.waker.by(ctx, l.now().Truncate(forgetEvery).Add(forgetEvery))
}
