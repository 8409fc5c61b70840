package book

import (
	"fmt"
	"strconv"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/rows"
)

// exchange is one exchange under way.
type exchange struct {
	*Book
	tx     rows.Tx
	scope  tenants.Scope
	state  *state
	purse  *purse
	report quota.Report
	now    time.Time
	rates  []*standing // of the report's rates
	users  *users
}

// standing is a rate in an exchange.
type standing struct {
	*gcra
	rule
	used bool // no more of it
}

func (e *exchange) run() (quota.Grant, error) {
	if err := e.open(); err != nil {
		return quota.Grant{}, err
	}
	if err := e.book(); err != nil {
		return quota.Grant{}, err
	}
	g := quota.Grant{At: e.now.UnixNano(), Day: e.state.Day, Closed: e.purse.Closed != nil, Barred: e.state.barred(e.now), Still: e.state.Still, Wants: make([]quota.Verdict, len(e.report.Wants))}
	if !g.Closed {
		if err := e.grant(&g); err != nil {
			return g, err
		}
	}
	return g, e.save(g)
}

// open finds the rates of the report and takes back what is returned to them.
func (e *exchange) open() (err error) {
	at := e.now.UnixNano()
	e.users = &users{now: at}
	for i, k := range e.report.Rates {
		st := &standing{gcra: &e.state.Rate, rule: ruleOf(e.report.Limits.Tenant)}
		if i > 0 {
			st.rule = ruleOf(e.report.Limits.User)
			if st.gcra, err = e.users.find(e.tx, k.Key); err != nil {
				return err
			}
		}
		st.back(st.rule, k.Back, k.At)
		e.rates = append(e.rates, st)
	}
	return nil
}

// book books what the report says of money.
func (e *exchange) book() error {
	if e.report.Seq == 0 {
		return nil
	}
	latest := e.state.Day
	var lines []quota.Line
	if c := e.purse.Closed; c != nil {
		// All that the purse still had was booked on that day already, and what it used of it belongs there.
		latest = c.Day
		still := c.Amount.Min(e.report.Held)
		if c.Amount != still {
			var calls int64
			if still == (quota.Amount{}) {
				calls = -1
			}
			lines = append(lines, unsettled(c.Day, still.Sub(c.Amount), calls))
		}
		c.Amount = still
	} else {
		e.state.ends(e.purse.Out)
		e.state.Out = e.state.Out.Add(e.report.Held)
		e.purse.Out = e.report.Held
	}
	lines = append(lines, used(e.report.Lines, latest)...)
	return e.record(e.report.Purse+"."+strconv.FormatInt(e.report.Seq, 10), e.state, lines)
}

// record enters lines and tells of them.
func (e *exchange) record(booking string, st *state, lines []quota.Line) error {
	return e.Book.record(e.tx, e.scope, e.now, booking, st, lines)
}

func (b *Book) record(tx rows.Tx, s tenants.Scope, now time.Time, booking string, st *state, lines []quota.Line) error {
	if len(lines) == 0 {
		return nil
	}
	if err := enter(tx, st, lines); err != nil {
		return err
	}
	return b.tell(tx, s, now, Recorded{Booking: booking, Lines: lines})
}

// grant decides on the wants, then on what is leased ahead.
func (e *exchange) grant(g *quota.Grant) error {
	at := e.now.UnixNano()
	for i, w := range e.report.Wants {
		if w.Writes && g.Barred {
			g.Wants[i] = quota.Verdict{Refused: errErasing}
			continue
		}
		if w.Talks && g.Still {
			g.Wants[i] = quota.Verdict{Refused: quota.ErrStill}
			continue
		}
		n := fits(e.state.room(e.report.Limits), w.Amount, w.Room, w.Count)
		refusal, short := e.short(w, &n)
		e.lease(w.Amount.Times(n))
		if n < w.Count && refusal == nil {
			var which []int
			refusal, which = e.state.exhausted(e.now, e.report.Limits, w.Amount.Add(w.Room))
			if err := e.warn(which); err != nil {
				return err
			}
		}
		if short != nil {
			short.used = true
		}
		e.rates[0].take(at, e.rates[0].rule, n*w.Tenant)
		e.rates[w.User].take(at, e.rates[w.User].rule, n*w.Own)
		g.Wants[i] = quota.Verdict{Granted: n, Refused: refusal}
	}
	for i, k := range e.report.Rates {
		st := e.rates[i]
		ahead := 0
		if !st.used {
			ahead = min(k.Ahead, st.available(at, st.rule)/aheadPermits)
		}
		st.take(at, st.rule, ahead)
		g.Rates = append(g.Rates, quota.Stand{Ahead: ahead, Remaining: st.available(at, st.rule), Wait: int64(st.wait(at, st.rule, 0, 1))})
	}
	if e.report.Units > 0 && !g.Barred {
		g.Units = fits(e.state.room(e.report.Limits).Part(aheadMoney), e.report.Unit, quota.Amount{}, e.report.Units)
		e.lease(e.report.Unit.Times(g.Units))
	}
	return nil
}

// What may be leased ahead is at most such a part of what is left: who comes next finds most of it still there, and near
// the limit nothing is leased that is not needed.
const (
	aheadPermits = 4
	aheadMoney   = 8
)

// short cuts n down to what the rates allow and says which of them refuses the next.
func (e *exchange) short(w quota.Want, n *int) (*fault.Error, *standing) {
	at := e.now.UnixNano()
	var refusal *fault.Error
	var short *standing
	cut := func(st *standing, each int, whose string, limit tenants.Rate) {
		if each == 0 {
			return
		}
		if most := st.available(at, st.rule) / each; most < *n {
			*n, short = most, st
			refusal = fault.New(fault.Limited, "rate_limited", fmt.Sprintf("more than %d requests a minute of %s", limit.PerMinute, whose), nil).
				WithRetryAfter(max(time.Millisecond, st.wait(at, st.rule, most*each, each)))
		}
	}
	cut(e.rates[0], w.Tenant, "this tenant", e.report.Limits.Tenant)
	cut(e.rates[w.User], w.Own, "one user", e.report.Limits.User)
	return refusal, short
}

// lease gives the purse an amount.
func (e *exchange) lease(a quota.Amount) {
	e.purse.Out = e.purse.Out.Add(a)
	e.state.Out = e.state.Out.Add(a)
}

// warn tells once in a period that a budget is exhausted.
func (e *exchange) warn(which []int) error {
	all := e.state.budgets(e.report.Limits)
	for _, i := range which {
		first := starts(all[i], e.state.Day)
		if e.state.Told[i] == first {
			continue
		}
		e.state.Told[i] = first
		if err := e.tell(e.tx, e.scope, e.now, Exhausted{all[i], first}); err != nil {
			return err
		}
	}
	return nil
}

// save writes what has changed.
func (e *exchange) save(g quota.Grant) error {
	if err := e.users.save(e.tx); err != nil {
		return err
	}
	if e.report.Seq > 0 {
		p, name := e.purse, e.report.Purse
		p.Seq, p.Heard, p.Answer = e.report.Seq, e.now.UnixMilli(), g
		if p.Out != (quota.Amount{}) {
			if e.state.Open == nil {
				e.state.Open = map[string]int64{}
			}
			e.state.Open[name] = p.Heard
		} else {
			delete(e.state.Open, name)
		}
		if err := rows.Write(e.tx, pursePrefix+name, p); err != nil {
			return err
		}
	}
	return e.state.save(e.tx)
}
