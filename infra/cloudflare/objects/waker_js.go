package objects

import (
	"context"
	"time"

	"levada.dev/infra/cloudflare/object"
)

// waker shares an object's one alarm among all that wait for it. Who is woken looks at everything that may be due, and
// asks again for what is not yet.
type waker struct {
	state *object.State
	at    time.Time // when the alarm is due
	then  time.Time // when the one after it is
}

// newWaker finds out when the alarm is due, which outlives this instance.
func newWaker(ctx context.Context, st *object.State) (*waker, error) {
	at, err := st.Alarm(ctx)
	return &waker{state: st, at: at}, err
}

// by makes sure that an alarm comes, at the latest at the given time, and not only before this call returns. One alarm
// serves all that is due about then: setting one costs a row.
func (w *waker) by(ctx context.Context, at time.Time) error {
	if !w.at.IsZero() && !w.at.After(at) {
		w.then = earlier(w.then, at)
		return nil
	}
	if err := w.state.SetAlarm(ctx, at); err != nil {
		return err
	}
	w.at = at
	return nil
}

// ring runs what the alarm is for, and sets the next one.
func (w *waker) ring(ctx context.Context, f func(ctx context.Context) error) error {
	w.at = time.Time{}
	if err := f(ctx); err != nil {
		return err // the platform rings again
	}
	then := w.then
	w.then = time.Time{}
	if then.IsZero() {
		return nil
	}
	return w.by(ctx, then)
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
