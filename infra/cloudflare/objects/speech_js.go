package objects

import (
	"context"
	"errors"
	"time"

	"levada.dev/events"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/book"
)

// RegisterSpeech registers the class Speech: a tenant's jobs that speak, and the takes that they wait for. Its outbox goes out through a publisher; sounds that
// have expired are dropped.
func RegisterSpeech(out events.Publisher, sounds speech.Sounds, now func() time.Time) {
	object.Register("Speech", func(ctx context.Context, st *object.State) (object.Object, error) {
		if err := MakeRows(ctx, st); err != nil {
			return nil, err
		}
		w, err := newWaker(ctx, st)
		if err != nil {
			return nil, err
		}
		x := &desk{state: st, sounds: sounds, book: book.New(now), waker: w}
		x.relay = &relay{state: st, out: out, now: now, wake: w.by, setAside: func(tx *object.Tx, id string, reason error) error {
			return x.book.SetAside(Rows(tx), id, reason)
		}}
		return x, nil
	})
}

// desk keeps one tenant's jobs that speak in the object's database.
type desk struct {
	state  *object.State
	book   *book.Book
	sounds speech.Sounds
	waker  *waker
	relay  *relay
}

// Call implements object.Object: one method of the book in one transaction. The alarm that sees to the outbox sees to all else that is begun here.
func (x *desk) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if method == "ping" {
		return nil, nil
	}
	return x.relay.serve(ctx, x.book, book.Sends(method), method, body)
}

// Alarm implements object.Alarmer. What was promised goes out before anything is looked after, and what that told after it.
func (x *desk) Alarm(ctx context.Context, _ int) error {
	return x.waker.ring(ctx, func(ctx context.Context) error {
		return errors.Join(x.relay.rescue(ctx), x.relay.tend(ctx, "speech", x.tend))
	})
}

func (x *desk) tend(ctx context.Context) (next time.Time, err error) {
	return x.book.Tend(ctx, func(f func(tx rows.Tx) error) error {
		return x.state.SQL().Txn(ctx, func(tx *object.Tx) error { return f(Rows(tx)) })
	}, x.sounds)
}
