package objects

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/object"
)

// relay sends an object's outbox to the queues.
//
// A call commits its events with everything else, and only then are they sent: by the call that committed them, in the
// background of its answer, or, if that fails, by the alarm, which is set before anything is committed.
type relay struct {
	state *object.State
	out   events.Publisher
	now   func() time.Time

	// setAside takes an event that can never be sent out of the others' way.
	setAside func(tx *object.Tx, id string, reason error) error

	// wake asks for the object's alarm at the latest then.
	wake func(ctx context.Context, at time.Time) error

	batch int // events that leave together; 0 for relayBatch

	running bool // a relay is under way; it sends what is committed meanwhile, too
}

// setAside is all that there is to do about an event for which nothing waits.
func setAside(tx *object.Tx, id string, _ error) error {
	_, err := outbox.SetAside(Rows(tx), id)
	return err
}

const (
	// rescue is how long after a commit the alarm looks for what was left in the outbox.
	rescue = 30 * time.Second
	// retryAfter is when a relay that failed is tried again.
	retryAfter = 5 * time.Second
	// tendAgain is when what could not be looked after is tried again: the platform gives up after six times.
	tendAgain = time.Minute
	// relayBatch is how many events leave together, unless the object's are large.
	relayBatch = 100
)

// expect makes sure, before events are committed, that they will be looked after.
func (r *relay) expect(ctx context.Context) error { return r.wake(ctx, r.now().Add(rescue)) }

// serve answers one call in one transaction, as the function serve does; when the call may tell something, that is looked
// after before it is committed, and sent afterwards.
func (r *relay) serve(ctx context.Context, d decider, tells bool, method string, body []byte) ([]byte, error) {
	if tells {
		if err := r.expect(ctx); err != nil {
			return nil, err
		}
	}
	reply, committed, err := serve(ctx, r.state.SQL(), d, method, body, nil)
	if err != nil {
		return nil, err
	}
	if tells && committed {
		r.start(ctx)
	}
	return reply, nil
}

// start sends the outbox while the answer is on its way. Calls that commit meanwhile leave their events to it, so
// under load many of them leave in one batch. A relay that cannot start or fails is the alarm's business, not the
// caller's, whose facts are safe.
func (r *relay) start(ctx context.Context) {
	if r.running {
		return
	}
	r.running = true
	err := isolate.Go(ctx, func(ctx context.Context) {
		if err := r.run(ctx); err != nil {
			r.unsent(ctx, err)
		}
	})
	if err != nil { // the event of this call is over
		r.running = false
		r.unsent(ctx, err)
	}
}

// rescue is the alarm's part: it sends what was left, or looks again when a relay that is under way should be done.
func (r *relay) rescue(ctx context.Context) error {
	if r.running {
		return r.expect(ctx)
	}
	return r.run(ctx)
}

// tend is an alarm's part where an object looks after what is due: f does, and says when something will be again. What it told is sent, and so is what was left of
// earlier ones.
func (r *relay) tend(ctx context.Context, what string, f func(ctx context.Context) (next time.Time, err error)) error {
	next, failed := f(ctx)
	if failed != nil {
		slog.WarnContext(ctx, what+" not looked after; it is tried again", "object", r.state.Name, "error", failed)
		next = r.now().Add(tendAgain)
	}
	err := r.rescue(ctx)
	if next.IsZero() {
		return err
	}
	return errors.Join(err, r.wake(ctx, next))
}

func (r *relay) unsent(ctx context.Context, err error) {
	slog.WarnContext(ctx, "outbox not sent; the alarm tries again", "object", r.state.Name, "error", err)
}

// run sends what is in the outbox, oldest first, until it is empty. However it ends, the next one may start.
func (r *relay) run(ctx context.Context) error {
	r.running = true
	empty := false
	defer func() {
		if !empty { // else next has noted it, and a younger relay may be under way
			r.running = false
		}
	}()
	var sent []string
	for {
		pending, err := r.next(ctx, sent)
		if err == nil && len(pending) == 0 {
			empty = true
			return nil
		}
		if err == nil {
			sent, err = r.send(ctx, pending)
		}
		if err != nil {
			return errors.Join(err, r.forget(ctx, sent), r.wake(ctx, r.now().Add(retryAfter)))
		}
	}
}

// next forgets what was sent and returns what goes out next. Whoever dies before it leaves the events to be sent again,
// with the same ids. That nothing is left is seen and noted in the same transaction: a call that commits after it finds no
// relay under way, and starts one.
func (r *relay) next(ctx context.Context, sent []string) (out []outbox.Outgoing, err error) {
	err = r.state.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
		if err := outbox.Sent(Rows(tx), sent); err != nil {
			return err
		}
		out, err = outbox.Pending(Rows(tx), cmp.Or(r.batch, relayBatch))
		r.running = len(out) > 0
		return err
	})
	return out, err
}

func (r *relay) forget(ctx context.Context, sent []string) error {
	if len(sent) == 0 {
		return nil
	}
	return r.state.SQL().Txn(ctx, func(tx *object.Tx) error { return outbox.Sent(Rows(tx), sent) })
}

// send publishes, and returns what was taken, also when not all of it was. An event that is refused for good stands in
// nobody's way: it is found by sending each alone, and set aside.
func (r *relay) send(ctx context.Context, pending []outbox.Outgoing) (sent []string, err error) {
	err = r.publish(ctx, pending)
	if err != nil && !fault.Retryable(err) && len(pending) > 1 {
		var errs []error
		for i := range pending {
			one, err := r.send(ctx, pending[i:i+1])
			sent, errs = append(sent, one...), append(errs, err)
		}
		return sent, errors.Join(errs...)
	}
	if err != nil && !fault.Retryable(err) {
		slog.ErrorContext(ctx, "event set aside: it can never be sent", "object", r.state.Name, "id", pending[0].ID, "error", err)
		return nil, r.state.SQL().Txn(ctx, func(tx *object.Tx) error { return r.setAside(tx, pending[0].ID, err) })
	}
	if err != nil {
		return nil, err
	}
	for _, p := range pending {
		sent = append(sent, p.ID)
	}
	return sent, nil
}

// publish hands events to the queues, all or none.
func (r *relay) publish(ctx context.Context, pending []outbox.Outgoing) error {
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
	return r.out.Publish(ctx, s, evs...)
}
