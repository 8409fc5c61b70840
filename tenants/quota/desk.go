package quota

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// desk is where an isolate keeps what it has leased of one tenant. One exchange with the ledger is under way at a time; who
// asks meanwhile waits, and the next exchange asks for all who do. Nothing waits under the mutex.
type desk struct {
	*Purses
	scope tenants.Scope

	mu       sync.Mutex
	known    Limits // of the last exchange, whose maker alone reads and writes them
	tenant   lease
	users    map[string]*lease
	account  *account   // what new calls are paid from
	closing  []*account // that the ledger has closed; their calls settle still
	queue    []*waiter
	busy     bool            // somebody makes an exchange, or was told to
	flushing bool            // somebody looks after what lies here
	leaving  bool            // and is about to stop
	after    context.Context // the event that has left something here meanwhile
	barred   bool            // by the last exchange: what writes asks the ledger
	still    bool            // by the last exchange: what talks asks the ledger
	own      bool            // users' permits may lie here
	swept    time.Time       // when those that are too old were last looked for
}

// maxUsers bounds how many users' leases are remembered.
const maxUsers = 2048

func newDesk(p *Purses, s tenants.Scope) *desk {
	d := &desk{Purses: p, scope: s, users: map[string]*lease{}}
	d.account = newAccount(p.options.NewID(), d.now())
	return d
}

func (d *desk) now() time.Time { return d.options.Now() }

// acquire grants an ask from what lies here, or waits for an exchange.
func (d *desk) acquire(ctx context.Context, a Ask) (Hold, error) {
	d.mu.Lock()
	now := d.now()
	var user *lease
	if a.User != "" && a.Requests > 0 {
		user = d.user(a.User)
	}
	if d.covers(a, user, now) {
		d.tenant.left -= a.Requests
		if user != nil {
			user.left -= a.Requests
		}
		d.account.free = d.account.free.Sub(a.Amount)
		d.account.held = d.account.held.Add(a.Amount)
		h := d.hold(a, user, now)
		h.ctx = ctx
		d.unlock(ctx)
		return h, nil
	}
	if err := d.refuses(a, user, now); err != nil {
		d.mu.Unlock()
		return nil, err
	}
	w := &waiter{Ask: a, user: user, done: make(chan struct{}), lead: make(chan struct{}, 1)}
	d.queue = append(d.queue, w)
	lead := !d.busy
	d.busy = true
	d.mu.Unlock()
	if lead {
		_ = d.exchange(ctx) // the waiter has the error
	}
	return d.wait(ctx, w)
}

// covers reports whether an ask can be granted from what lies here.
func (d *desk) covers(a Ask, user *lease, now time.Time) bool {
	if a.Writes && d.barred || a.Talks && d.still {
		return false
	}
	if a.Requests > 0 && (!d.tenant.has(a.Requests, now) || user != nil && !user.has(a.Requests, now)) {
		return false
	}
	need := a.Amount.Add(a.Room) // what lies here has its room already
	return need == Amount{} || d.account.free.Covers(need)
}

// refuses is why an ask is not worth an exchange, if that is known.
func (d *desk) refuses(a Ask, user *lease, now time.Time) error {
	if a.Requests == 0 {
		return nil
	}
	if user != nil && !user.has(a.Requests, now) {
		if err := user.refuses(now); err != nil {
			return err
		}
	}
	if !d.tenant.has(a.Requests, now) {
		return d.tenant.refuses(now)
	}
	return nil
}

// hold is what an ask gets whose permits are taken and whose money is held.
func (d *desk) hold(a Ask, user *lease, now time.Time) *hold {
	h := &hold{desk: d, amount: a.Amount, user: user}
	if a.Amount != (Amount{}) {
		h.account = d.account
		h.account.calls[h] = struct{}{}
		h.account.taken = now
	}
	return h
}

// wait waits for the answer. It may be told to make the exchange that brings it; who leaves passes that on.
func (d *desk) wait(ctx context.Context, w *waiter) (Hold, error) {
	select {
	case <-w.done:
	case <-w.lead:
		_ = d.exchange(ctx) // the waiter has the error
	case <-ctx.Done():
		d.leave(w)
	}
	d.mu.Lock()
	defer d.unlock(ctx)
	switch {
	case !w.answered:
		return nil, fault.Unavailablef(context.Cause(ctx), "quota_unavailable", "the tenant's limits were not asked in time")
	case w.err != nil:
		return nil, w.err
	}
	w.hold.ctx = ctx
	return w.hold, nil
}

// leave takes a waiter out. One that was answered just now keeps its answer.
func (d *desk) leave(w *waiter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.gone = true
	d.queue = slices.DeleteFunc(d.queue, func(q *waiter) bool { return q == w })
	select {
	case <-w.lead:
		d.next()
	default:
	}
}

// next tells somebody who waits to make the next exchange, if anybody does. The caller holds mu, and has made one.
func (d *desk) next() {
	d.busy = len(d.queue) > 0
	if d.busy {
		d.queue[0].lead <- struct{}{}
	}
}

// user is the lease of a user. When there are too many, those are forgotten that hold nothing, and if need be all:
// permits that are forgotten are lost, not given twice.
func (d *desk) user(name string) *lease {
	l := d.users[name]
	if l != nil {
		return l
	}
	if len(d.users) >= maxUsers {
		for k, l := range d.users {
			if l.left == 0 {
				delete(d.users, k)
			}
		}
		if len(d.users) >= maxUsers {
			clear(d.users)
		}
	}
	sum := sha256.Sum256([]byte(string(d.scope.Tenant()) + "\x00" + name))
	l = &lease{key: hex.EncodeToString(sum[:12])}
	d.users[name] = l
	return l
}
