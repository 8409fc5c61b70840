package objects

import (
	"context"
	"errors"
	"time"

	"levada.dev/events"
	"levada.dev/infra/billing"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/tenants"
	"levada.dev/tenants/quota/book"
	"levada.dev/tenants/rows"
)

// RegisterQuota registers the class Quota, a tenant's ledger of money and rates, whose outbox goes out through a publisher.
func RegisterQuota(out events.Publisher, now func() time.Time) {
	object.Register("Quota", func(ctx context.Context, st *object.State) (object.Object, error) {
		if err := MakeRows(ctx, st); err != nil {
			return nil, err
		}
		w, err := newWaker(ctx, st)
		if err != nil {
			return nil, err
		}
		q := &quotas{state: st, now: now, waker: w}
		q.book = book.New(now, q.tell)
		q.relay = &relay{state: st, out: out, now: now, wake: w.by, setAside: setAside}
		return q, nil
	})
}

// quotas keeps one tenant's book of money and rates in the object's database.
type quotas struct {
	state *object.State
	book  *book.Book
	now   func() time.Time
	waker *waker
	relay *relay
	swept time.Time
	told  bool // something went into the outbox since the relay was last started
}

// Call implements object.Object: one method of the book in one transaction. What concerns money has the alarm behind it,
// which sends what is told and closes the purses that go silent; what concerns rates alone needs none.
func (q *quotas) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if method == "ping" {
		return nil, nil
	}
	if book.Sends(method) {
		if err := q.relay.expect(ctx); err != nil {
			return nil, err
		}
	}
	reply, _, err := serve(ctx, q.state.SQL(), q.book, method, body, nil)
	if err != nil {
		return nil, err
	}
	q.send(ctx)
	return reply, nil
}

// tell takes a fact into the outbox.
func (q *quotas) tell(tx rows.Tx, s tenants.Scope, at time.Time, f book.Fact) error {
	q.told = true
	return billing.Tell(tx, s, at, f)
}

// send sends what is in the outbox, if there is anything new.
func (q *quotas) send(ctx context.Context) {
	if q.told {
		q.told = false
		q.relay.start(ctx)
	}
}

// Alarm implements object.Alarmer. What is told goes out first, then silent purses are closed.
func (q *quotas) Alarm(ctx context.Context, _ int) error {
	return q.waker.ring(ctx, func(ctx context.Context) error {
		return errors.Join(q.relay.rescue(ctx), q.close(ctx), q.sweep(ctx))
	})
}

// close books what silent purses held, and sees to those that are not silent for long enough yet.
func (q *quotas) close(ctx context.Context) error {
	var next time.Time
	err := q.state.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
		next, err = q.book.Close(Rows(tx))
		return err
	})
	if err != nil {
		return err
	}
	q.send(ctx)
	if next.IsZero() {
		return nil
	}
	return q.waker.by(ctx, next)
}

const (
	// sweepEvery is how often old rows are looked for, while there are alarms at all.
	sweepEvery = time.Hour
	// sweepRows is how many rows of a kind an alarm looks at.
	sweepRows = 1000
)

// sweep forgets what is too old. When there is more of it than one alarm looks at, the next ones go on.
func (q *quotas) sweep(ctx context.Context) error {
	if q.now().Sub(q.swept) < sweepEvery {
		return nil
	}
	q.swept = q.now()
	var end bool
	err := q.state.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
		end, err = q.book.Sweep(Rows(tx), sweepRows)
		return err
	})
	if err == nil && !end {
		q.swept = time.Time{}
	}
	return err
}
