package quota

import (
	"slices"
	"time"

	"levada.dev/tenants"
)

// prepare makes an exchange of what the group needs, of what was used, and of what is given back. It answers those for whom
// enough lies here by now. It is nil when there is nothing to say.
func (d *desk) prepare(limits Limits, group *[]*waiter) *exchange {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	waiting := slices.DeleteFunc(*group, func(w *waiter) bool { return w.gone })
	*group = nil
	x := &exchange{account: d.account, report: &Report{Limits: limits}}
	n := need(waiting)
	x.rate(&d.tenant, n.requests, limits.Tenant, now)
	for _, l := range n.users {
		x.rate(l, n.own[l], limits.User, now)
	}
	d.expired(x, limits, now)
	asked := x.money(n, now)
	for _, w := range waiting {
		if want := x.want(w, d.barred, d.still); want == (Want{}) {
			w.answer(d.hold(w.Ask, w.user, now), nil) // all of it lay here
		} else {
			x.add(want, w)
		}
	}
	idle := d.account.idle(now) || d.leaving && d.account.free != (Amount{})
	if idle {
		d.account.free = Amount{}
	}
	switch {
	case asked || idle || len(d.account.lines) > 0 || d.account.due(now):
		d.account.report(x, now)
	case len(x.report.Wants) == 0 && !slices.ContainsFunc(x.report.Rates, func(r Rate) bool { return r.Back > 0 }):
		return nil
	}
	return x
}

// needs is what a group needs together.
type needs struct {
	requests int
	users    []*lease
	own      map[*lease]int
	amount   Amount
	asks     int    // how many need money
	largest  Amount // of these
	room     Amount // the largest that is only asked about
	ahead    Amount
	aheads   int
	next     Amount // the largest of these
}

func need(group []*waiter) needs {
	n := needs{own: map[*lease]int{}}
	for _, w := range group {
		n.requests += w.Requests
		if w.user != nil {
			if _, known := n.own[w.user]; !known {
				n.users = append(n.users, w.user)
			}
			n.own[w.user] += w.Requests
		}
		if w.Amount != (Amount{}) {
			n.asks++
			n.amount, n.largest = n.amount.Add(w.Amount), n.largest.Max(w.Amount)
		}
		n.room = n.room.Max(w.Room)
		if w.Ahead != (Amount{}) {
			n.aheads++
			n.ahead, n.next = n.ahead.Add(w.Ahead), n.next.Max(w.Ahead)
		}
	}
	return n
}

// rate takes the permits of a rate here, if there are as many as are needed. Else it gives those here back, and all are
// asked for.
func (x *exchange) rate(l *lease, n int, limit tenants.Rate, now time.Time) {
	r := Rate{Key: l.key}
	covered := n == 0 || l.has(n, now)
	if covered {
		l.left -= n
	} else {
		r.Back, r.At, l.left = l.left, l.at, 0
		r.Ahead = l.grow(n, limit, now)
	}
	x.report.Rates = append(x.report.Rates, r)
	x.leases = append(x.leases, l)
	x.covered = append(x.covered, covered)
}

// money holds the money here, if there is as much as is needed. Else it is given back, and all is asked for. So it is when there is less than
// somebody wants room for: they are not refused for what lies here. It reports whether any is asked for, or given back.
func (x *exchange) money(n needs, now time.Time) bool {
	a, r := x.account, x.report
	x.paid = a.free.Covers(n.amount)
	if x.paid {
		a.free, a.held = a.free.Sub(n.amount), a.held.Add(n.amount)
		if n.aheads > 0 && !a.free.Covers(n.ahead) {
			a.free, r.Units, r.Unit = Amount{}, n.aheads, n.next
		}
	} else {
		more := a.grow(n.asks, now)
		a.free, r.Units, r.Unit = Amount{}, n.aheads+more, n.next
		if more > 0 {
			r.Unit = n.next.Max(n.largest)
		}
	}
	x.roomy = a.free.Covers(n.room)
	back := !x.roomy && a.free != (Amount{})
	if back {
		a.free = Amount{}
	}
	if n.asks > 0 || r.Units > 0 {
		a.taken = now
	}
	return !x.paid || r.Units > 0 || back
}

// want is what a waiter needs of the ledger; the zero Want if nothing.
func (x *exchange) want(w *waiter, barred, still bool) Want {
	var want Want
	if !x.covered[0] {
		want.Tenant = w.Requests
	}
	if i := slices.Index(x.leases, w.user); i > 0 && !x.covered[i] {
		want.User, want.Own = i, w.Requests
	}
	if !x.paid {
		want.Amount = w.Amount
	}
	if !x.roomy {
		want.Room = w.Room
	}
	asks := want != Want{}
	want.Writes, want.Talks = w.Writes && (barred || asks), w.Talks && (still || asks)
	return want
}

// add puts a waiter beside others that want the same.
func (x *exchange) add(want Want, w *waiter) {
	i := slices.IndexFunc(x.report.Wants, func(o Want) bool { o.Count = 0; return o == want })
	if i < 0 {
		i = len(x.report.Wants)
		x.report.Wants = append(x.report.Wants, want)
		x.wants = append(x.wants, nil)
	}
	x.report.Wants[i].Count++
	x.wants[i] = append(x.wants[i], w)
}

// maxExpired bounds how many leases one report gives back.
const maxExpired = 200

// expired gives back permits that have lain here for too long.
func (d *desk) expired(x *exchange, limits Limits, now time.Time) {
	back := func(i int, l *lease) {
		x.report.Rates[i].Back, x.report.Rates[i].At, l.left = l.left, l.at, 0
	}
	if l := &d.tenant; l.left > 0 && !l.has(0, now) && x.report.Rates[0].Back == 0 {
		back(0, l)
	}
	if !d.own || now.Sub(d.swept) < quick {
		return
	}
	d.own, d.swept = false, now
	for _, l := range d.users {
		if l.left == 0 {
			continue
		}
		if l.has(0, now) || slices.Contains(x.leases, l) || len(x.leases) > maxExpired {
			d.own = true
			continue
		}
		x.rate(l, 0, limits.User, now)
		back(len(x.leases)-1, l)
	}
}

// farewells is what is to be said of accounts that the ledger has closed. Those of which all is said are forgotten.
func (d *desk) farewells(limits Limits) (all []*exchange) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	d.closing = slices.DeleteFunc(d.closing, func(a *account) bool { return a.settled() || a.forgotten(now) })
	for _, a := range d.closing {
		a.free = Amount{}
		if a.pending == nil && (len(a.lines) > 0 || a.told != a.held) {
			x := &exchange{account: a, report: &Report{Limits: limits, Rates: []Rate{{}}}}
			x.leases, x.covered = []*lease{&d.tenant}, []bool{true}
			a.report(x, now)
		}
		if a.pending != nil {
			all = append(all, a.pending)
		}
	}
	return all
}
