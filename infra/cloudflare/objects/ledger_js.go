package objects

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/corpus/book"
)

// RegisterLedger registers the class Ledger, whose outbox goes out through a publisher. While the backlog of the queue
// that it feeds is too large, the ledger takes no documents.
func RegisterLedger(out events.Publisher, backlog Backlog, now func() time.Time) {
	object.Register("Ledger", func(ctx context.Context, st *object.State) (object.Object, error) {
		if _, err := st.SQL().Exec(ctx, schema); err != nil {
			return nil, err
		}
		return &ledger{state: st, book: book.New(now), out: out, now: now, queue: newGauge(backlog, now)}, nil
	})
}

// ledger keeps one tenant's book in the object's database and relays its outbox to the queues.
//
// A call commits its events with everything else, and only then are they sent: by the call that committed them, in the
// background of its answer, or, if that fails, by the alarm, which is set before anything is committed.
type ledger struct {
	state *object.State
	book  *book.Book
	out   events.Publisher
	now   func() time.Time
	queue gauge

	relaying bool      // a relay is under way; it sends what is committed meanwhile, too
	alarm    time.Time // when the alarm is due, as far as this instance knows
}

const (
	// rescue is how long after a commit the alarm looks for what was left in the outbox.
	rescue = 30 * time.Second
	// retryAfter is when a relay that failed is tried again.
	retryAfter = 5 * time.Second
	// relayBatch is how many events leave together.
	relayBatch = 100
)

// errRollback undoes a transaction whose answer is known already.
var errRollback = errors.New("roll back")

// Call implements object.Object: one method of the book in one transaction.
func (l *ledger) Call(ctx context.Context, method string, body []byte) (reply []byte, err error) {
	if method == "ping" {
		return nil, nil
	}
	if book.Submits(method) && l.queue.full(ctx) {
		return book.Refuse(errBacklog), nil
	}
	sends := book.Sends(method)
	if sends {
		if err := l.setAlarm(ctx); err != nil {
			return nil, err
		}
	}
	err = l.state.SQL().Txn(ctx, func(tx *object.Tx) error {
		var commit bool
		if reply, commit = l.book.Call(rows{tx}, method, body); !commit {
			return errRollback
		}
		return nil
	})
	if err != nil && !errors.Is(err, errRollback) {
		return nil, err
	}
	if sends && err == nil {
		l.startRelay(ctx)
	}
	return reply, nil
}

// setAlarm makes sure that the alarm comes after this commit. One alarm serves all commits up to it, so a busy ledger
// writes it twice a minute.
func (l *ledger) setAlarm(ctx context.Context) error {
	now := l.now()
	if l.alarm.After(now.Add(rescue / 3)) {
		return nil
	}
	at := now.Add(rescue)
	if err := l.state.SetAlarm(ctx, at); err != nil {
		return err
	}
	l.alarm = at
	return nil
}

// Alarm implements object.Alarmer. What was accepted goes out first: a sweep that fails must not hold it up.
func (l *ledger) Alarm(ctx context.Context, _ int) (err error) {
	l.alarm = time.Time{}
	if l.relaying {
		err = l.setAlarm(ctx) // look again when that one should be done
	} else {
		err = l.relay(ctx)
	}
	return errors.Join(err, l.sweep(ctx))
}

// sweepBatch is how many rows of a kind one transaction of a sweep looks at.
const sweepBatch = 200

// sweep removes what nobody can ask for any more.
func (l *ledger) sweep(ctx context.Context) error {
	for {
		var swept int
		err := l.state.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
			swept, err = l.book.Sweep(rows{tx}, sweepBatch)
			return err
		})
		if err != nil || swept == 0 {
			return err
		}
	}
}

// startRelay sends the outbox while the answer is on its way. Calls that commit meanwhile leave their events to it, so
// under load many of them leave in one batch. A relay that cannot start or fails is the alarm's business, not the
// caller's, whose document is safe.
func (l *ledger) startRelay(ctx context.Context) {
	if l.relaying {
		return
	}
	l.relaying = true
	err := isolate.Go(ctx, func(ctx context.Context) {
		if err := l.relay(ctx); err != nil {
			l.unsent(ctx, err)
		}
	})
	if err != nil { // the event of this call is over
		l.relaying = false
		l.unsent(ctx, err)
	}
}

func (l *ledger) unsent(ctx context.Context, err error) {
	slog.WarnContext(ctx, "outbox not sent; the alarm tries again", "object", l.state.Name, "error", err)
}

// relay sends what is in the outbox, oldest first, until it is empty. However it ends, the next one may start.
func (l *ledger) relay(ctx context.Context) error {
	l.relaying = true
	empty := false
	defer func() {
		if !empty { // else pending has noted it, and a younger relay may be under way
			l.relaying = false
		}
	}()
	for {
		pending, err := l.pending(ctx)
		if err == nil && len(pending) == 0 {
			empty = true
			return nil
		}
		if err == nil {
			err = l.send(ctx, pending)
		}
		if err != nil {
			l.alarm = l.now().Add(retryAfter)
			return errors.Join(err, l.state.SetAlarm(ctx, l.alarm))
		}
	}
}

// pending is what goes out next. That nothing does is seen and noted in one transaction: a call that commits after it
// finds no relay under way, and starts one.
func (l *ledger) pending(ctx context.Context) (out []book.Outgoing, err error) {
	err = l.state.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
		out, err = l.book.Pending(rows{tx}, relayBatch)
		l.relaying = len(out) > 0
		return err
	})
	return out, err
}

// send publishes and then forgets. Whoever dies in between leaves the events to be sent again, with the same ids. An
// event that is refused for good stands in nobody's way: it is found by sending each alone, and set aside.
func (l *ledger) send(ctx context.Context, pending []book.Outgoing) error {
	err := l.publish(ctx, pending)
	if err != nil && !fault.Retryable(err) && len(pending) > 1 {
		var errs []error
		for i := range pending {
			errs = append(errs, l.send(ctx, pending[i:i+1]))
		}
		return errors.Join(errs...)
	}
	if err != nil && !fault.Retryable(err) {
		slog.ErrorContext(ctx, "event set aside: it can never be sent", "object", l.state.Name, "id", pending[0].ID, "error", err)
		return l.state.SQL().Txn(ctx, func(tx *object.Tx) error { return l.book.SetAside(rows{tx}, pending[0].ID, err) })
	}
	if err != nil {
		return err
	}
	ids := make([]string, len(pending))
	for i, p := range pending {
		ids[i] = p.ID
	}
	return l.state.SQL().Txn(ctx, func(tx *object.Tx) error { return l.book.Sent(rows{tx}, ids) })
}

// publish hands events to the queues, all or none.
func (l *ledger) publish(ctx context.Context, pending []book.Outgoing) error {
	evs := make([]events.Event, len(pending))
	for i, p := range pending {
		if p.Err != nil {
			return p.Err
		}
		evs[i] = p.Event
	}
	s, err := evs[0].Scope()
	if err != nil {
		return err
	}
	return l.out.Publish(ctx, s, evs...)
}
