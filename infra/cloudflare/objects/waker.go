package objects

import (
	"context"
	"slices"
	"time"
)

// alarm is the one alarm of an object, as object.State has it.
type alarm interface {
	// SetAlarm replaces the alarm.
	SetAlarm(ctx context.Context, at time.Time) error
	// Alarm is when it is due; the zero time when none is set, or while the one that rings has not been replaced.
	Alarm(ctx context.Context) (time.Time, error)
}

// waker shares an object's one alarm among all that wait for it. Who is woken looks at everything that may be due, and
// asks again for what is not yet.
//
// A call asks before it commits, so an alarm may ring in between and find nothing. That call is woken again: what was asked
// for is remembered until an alarm has rung that is not earlier.
type waker struct {
	alarm alarm
	turn  chan struct{} // full while somebody looks at what follows, or changes the alarm
	at    time.Time     // when the alarm is due; zero: it may not be set
	later []time.Time   // when there is to be one after it, sorted
}

// slack is how much later than it was asked for a call is woken again. What is asked for within it shares an alarm:
// setting one costs a row.
const slack = 10 * time.Second

// newWaker finds out when the alarm is due, which outlives this instance. What is remembered does not; nor do the calls
// that it is for.
func newWaker(ctx context.Context, a alarm) (*waker, error) {
	at, err := a.Alarm(ctx)
	return &waker{alarm: a, turn: make(chan struct{}, 1), at: at}, err
}

// by makes sure that an alarm comes at the latest at the given time, and that, if it comes before, another one comes not
// long after that time.
func (w *waker) by(ctx context.Context, at time.Time) error {
	if err := w.take(ctx); err != nil {
		return err
	}
	defer w.give()
	return w.set(ctx, at)
}

// set is by, for who has the turn.
func (w *waker) set(ctx context.Context, at time.Time) error {
	at = at.Truncate(time.Millisecond) // as the platform keeps it
	if !w.at.IsZero() && !w.at.After(at) {
		w.remember(at)
		return nil
	}
	if err := w.alarm.SetAlarm(ctx, at); err != nil {
		return err
	}
	was := w.at
	w.at = at
	w.remember(was)
	return nil
}

// remember has an alarm set for a time that is later than the next one.
func (w *waker) remember(at time.Time) {
	if !at.After(w.at) {
		return
	}
	if rest := at.Sub(at.Truncate(slack)); rest > 0 {
		at = at.Add(slack - rest)
	}
	if i, known := slices.BinarySearchFunc(w.later, at, time.Time.Compare); !known {
		w.later = slices.Insert(w.later, i, at)
	}
}

// ring runs what the alarm is for, and sets the next one. When it fails the platform rings again.
func (w *waker) ring(ctx context.Context, f func(ctx context.Context) error) error {
	if err := w.rang(ctx); err != nil {
		return err
	}
	if err := f(ctx); err != nil {
		return err
	}
	if err := w.take(ctx); err != nil {
		return err
	}
	defer w.give()
	if len(w.later) == 0 {
		return nil
	}
	return w.set(ctx, w.later[0])
}

// rang notes that the alarm has rung. Another one may have been set since it was due.
func (w *waker) rang(ctx context.Context) error {
	if err := w.take(ctx); err != nil {
		return err
	}
	defer w.give()
	at, err := w.alarm.Alarm(ctx)
	if err != nil || at.Equal(w.at) {
		return err
	}
	w.later = slices.DeleteFunc(w.later, func(t time.Time) bool { return !t.After(w.at) })
	w.at = at
	return nil
}

// erase runs what erases the object, its alarm with the rest, and forgets what was asked for until then: nothing is left
// that it could be for.
func (w *waker) erase(ctx context.Context, deleteAll func(ctx context.Context) error) error {
	if err := w.take(ctx); err != nil {
		return err
	}
	defer w.give()
	if err := deleteAll(ctx); err != nil {
		return err
	}
	w.at, w.later = time.Time{}, nil
	return nil
}

func (w *waker) take(ctx context.Context) error {
	select {
	case w.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *waker) give() { <-w.turn }
