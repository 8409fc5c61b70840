package quota

import (
	"context"
	"sync/atomic"
	"time"
)

// hold is what one ask was granted.
type hold struct {
	desk    *desk
	ctx     context.Context // whose event it is
	account *account        // nil for none, until it is settled
	amount  Amount
	user    *lease // nil for none
	settled atomic.Bool
}

// Settle implements Hold.
func (h *hold) Settle(ctx context.Context, used ...Use) {
	if h.amount == (Amount{}) && len(used) == 0 || h.settled.Swap(true) {
		return
	}
	d := h.desk
	d.mu.Lock()
	if h.account == nil {
		h.account = d.account
	}
	h.account.settle(h, used, d.now())
	d.unlock(ctx)
}

// Standing implements Hold.
func (h *hold) Standing() Standing {
	d := h.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	narrowest := d.tenant.standing(now)
	if h.user != nil {
		if own := h.user.standing(now); own.Remaining < narrowest.Remaining {
			return own
		}
	}
	return narrowest
}

// waiter is an ask that the leases of the isolate do not cover.
type waiter struct {
	Ask
	user *lease
	done chan struct{}
	lead chan struct{} // told to make the next exchange

	gone     bool // it does not wait any more
	answered bool
	hold     *hold
	err      error
}

// answer ends the waiting. The caller holds the desk's mutex.
func (w *waiter) answer(h *hold, err error) {
	w.answered, w.hold, w.err = true, h, err
	close(w.done)
}

// sleep waits for a while, or for the end of the event, and reports whether it was the while.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
