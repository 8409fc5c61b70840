package quota

import (
	"context"
	"fmt"
	"slices"
	"time"

	"levada.dev/events/fault"
)

// exchangeTime is how long the ledger may take to answer.
const exchangeTime = 10 * time.Second

// exchange is one exchange with the ledger, as a desk has prepared it.
type exchange struct {
	report  *Report
	account *account
	leases  []*lease    // of the report's rates
	covered []bool      // whether the permits that the waiters need of a rate lay here, and are taken
	paid    bool        // whether their money did, and is held
	roomy   bool        // whether as much lies here beyond it as any of them wants room for
	wants   [][]*waiter // who is behind each of the report's wants
}

// exchange asks the ledger for all who wait now, then lets somebody else go on. The caller has set busy. It does not end
// when the caller's client leaves: others wait for it, too.
func (d *desk) exchange(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	d.mu.Lock()
	group := d.queue
	d.queue = nil
	d.mu.Unlock()
	err := d.serve(ctx, &group)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range group {
		w.answer(nil, err)
	}
	d.next()
	return err
}

// serve answers a group and takes out of it whom it has answered. Who is left gets the error.
func (d *desk) serve(ctx context.Context, group *[]*waiter) error {
	limits, err := guard(func() (Limits, error) { return d.limits(ctx, d.scope) })
	if err != nil && (len(*group) > 0 || d.known == Limits{}) {
		return err
	} else if err != nil {
		limits = d.known // what was used is told whatever becomes of the configuration
	}
	d.known = limits
	if x := d.unanswered(); x != nil {
		if err := d.speak(ctx, x, nil); err != nil {
			return err
		}
	}
	for _, x := range d.farewells(limits) {
		if err := d.speak(ctx, x, nil); err != nil {
			return err
		}
	}
	for again := true; again; again = len(*group) > 0 {
		x := d.prepare(limits, group)
		if x == nil {
			break
		}
		if err := d.speak(ctx, x, group); err != nil {
			return err
		}
	}
	return nil
}

// unanswered is the exchange that may have reached the ledger.
func (d *desk) unanswered() *exchange {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); d.account.forgotten(now) {
		d.account = newAccount(d.options.NewID(), now)
	}
	return d.account.pending
}

// speak makes an exchange and applies the answer. Of the group are left who have none.
func (d *desk) speak(ctx context.Context, x *exchange, group *[]*waiter) error {
	g, err := d.send(ctx, x.report)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil && (len(g.Rates) != len(x.leases) || len(g.Wants) != len(x.wants)) && !g.Closed {
		err = fault.New(fault.Internal, "ledger_answer", "the answer does not fit the report", nil)
	}
	if err != nil {
		left := d.fail(x, err)
		if group != nil {
			*group = left
		}
		return fault.Unavailablef(err, "quota_unavailable", "the tenant's limits could not be asked")
	}
	left := d.apply(x, g)
	if group != nil {
		*group = left
	}
	return nil
}

// send asks the ledger, and once more if it does not answer. What has no number must not be given back twice.
func (d *desk) send(ctx context.Context, r *Report) (Grant, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	g, err := d.ask(ctx, *r)
	if err == nil || !fault.Retryable(err) || ctx.Err() != nil {
		return g, err
	}
	again := *r
	if r.Seq == 0 {
		again.Rates = slices.Clone(r.Rates)
		for i := range again.Rates {
			again.Rates[i].Back = 0
		}
	}
	return d.ask(ctx, again)
}

func (d *desk) ask(ctx context.Context, r Report) (Grant, error) {
	return guard(func() (Grant, error) { return d.ledger.Exchange(ctx, d.scope, r) })
}

// guard makes an error of a panic: others wait for what f does.
func guard[T any](f func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.New(fault.Internal, "quota_panic", fmt.Sprint("the limits could not be asked: ", p), nil)
		}
	}()
	return f()
}

// fail undoes what was prepared for waiters. The report stays pending, unless the ledger will never take it: then the
// account is left to it, which closes it and books all of it. The waiters have no answer.
func (d *desk) fail(x *exchange, err error) (left []*waiter) {
	now := d.now()
	for i, ws := range x.wants {
		for _, w := range ws {
			d.undo(x, w, now)
			left = append(left, w)
		}
		x.wants[i] = nil // when it is repeated nobody waits for it
	}
	x.paid = false
	if x.report.Seq == 0 || fault.Retryable(err) {
		return left
	}
	if x.account == d.account {
		d.account = newAccount(d.options.NewID(), now)
	}
	d.closing = slices.DeleteFunc(d.closing, func(a *account) bool { return a == x.account })
	return left
}

// undo puts back what was taken here for a waiter.
func (d *desk) undo(x *exchange, w *waiter, now time.Time) {
	if x.covered[0] {
		d.tenant.put(w.Requests, d.tenant.at, now)
	}
	if i := slices.Index(x.leases, w.user); i > 0 && x.covered[i] {
		w.user.put(w.Requests, w.user.at, now)
		d.own = true
	}
	if x.paid {
		x.account.held = x.account.held.Sub(w.Amount)
		x.account.free = x.account.free.Add(w.Amount)
	}
}

// apply takes the answer in. It gives back the waiters that have none, because the ledger has closed the account.
func (d *desk) apply(x *exchange, g Grant) (left []*waiter) {
	now := d.now()
	d.barred, d.still = g.Barred, g.Still
	if x.report.Seq > 0 {
		a := x.account
		a.pending, a.told, a.spoke, a.day = nil, x.report.Held, now, max(a.day, g.Day)
	}
	if g.Closed {
		for _, ws := range x.wants {
			for _, w := range ws {
				d.undo(x, w, now)
				left = append(left, w)
			}
		}
		x.account.free = Amount{} // all of it is booked
		if x.account == d.account {
			d.closing = append(d.closing, d.account)
			d.account = newAccount(d.options.NewID(), now)
		}
		return left
	}
	for i, l := range x.leases {
		l.stand(g.Rates[i], x.report.Limits, g.At, now)
		d.own = d.own || i > 0 && l.left > 0
	}
	x.account.free = x.account.free.Add(x.report.Unit.Times(g.Units))
	x.account.told = x.account.told.Add(x.report.Unit.Times(g.Units))
	for i, w := range x.report.Wants {
		x.account.told = x.account.told.Add(w.Amount.Times(g.Wants[i].Granted))
		d.distribute(x, w, x.wants[i], g.Wants[i], g.At, now)
	}
	return nil
}

// distribute gives what was granted of a want to those who wait for it, in their order. What nobody waits for any more
// stays here, to be used or given back.
func (d *desk) distribute(x *exchange, w Want, waiters []*waiter, v Verdict, at int64, now time.Time) {
	granted := v.Granted
	for _, q := range waiters {
		switch {
		case q.gone:
			d.undo(x, q, now)
		case granted > 0:
			granted--
			x.account.held = x.account.held.Add(w.Amount)
			q.answer(d.hold(q.Ask, q.user, now), nil)
		default:
			d.undo(x, q, now)
			d.refuse(x, w, v.Refused, now)
			q.answer(nil, refusal(v.Refused))
		}
	}
	d.tenant.put(granted*w.Tenant, at, now)
	if w.User > 0 {
		x.leases[w.User].put(granted*w.Own, at, now)
		d.own = d.own || granted > 0
	}
	x.account.free = x.account.free.Add(w.Amount.Times(granted))
}

// refuse remembers for a moment that a rate refuses.
func (d *desk) refuse(x *exchange, w Want, f *fault.Error, now time.Time) {
	if f == nil || f.Code != "rate_limited" {
		return
	}
	l := &d.tenant
	if w.User > 0 && x.leases[w.User].remaining < w.Own {
		l = x.leases[w.User]
	}
	l.refused, l.until = f, now.Add(min(f.RetryAfter, refusalLife))
}

// refusal is the error of a refusal, which a ledger always gives.
func refusal(f *fault.Error) error {
	if f == nil {
		return fault.New(fault.Internal, "ledger_answer", "the ledger refused and did not say why", nil)
	}
	return f
}

// stand takes in how the ledger says that a rate stands.
func (l *lease) stand(s Stand, limits Limits, at int64, now time.Time) {
	l.limit = limits.User
	if l.key == "" {
		l.limit = limits.Tenant
	}
	l.known, l.remaining = now, s.Remaining
	l.put(s.Ahead, at, now)
}
