package quota

import (
	"time"
)

const (
	// tellAfter is for how long what was used waits for an exchange that is made anyway.
	tellAfter = 2 * time.Second
	// spareAfter is for how long money that nobody asks for lies with an isolate.
	spareAfter = 1500 * time.Millisecond
	// beat is how often a purse with calls in flight is heard of; the ledger closes one after a silence of a minute and a half.
	beat = 20 * time.Second
	// accountLife is for how long an account that the ledger does not answer is kept. The ledger remembers it longer.
	accountLife = 12 * time.Hour
	// maxUnits bounds how many asks' money is leased ahead.
	maxUnits = 64
)

// account is a purse as its ledger knows it. What it was granted is free, held by calls in flight, or used.
type account struct {
	id    string
	seq   int64
	free  Amount
	held  Amount
	calls map[*hold]struct{} // in flight
	lines map[lineKey]*Line  // used, and not yet in a report
	since time.Time          // when the first of them was
	last  *Line              // that something was added to; nil for none
	day   Day                // that the ledger named last
	today calendar

	pending *exchange // which may have reached the ledger, and is repeated until it answers
	told    Amount    // what stayed here by the last report that was answered
	spoke   time.Time // since when it has been silent
	taken   time.Time // when money was last asked for
	units   int       // asked for beyond the need, the last time
}

type lineKey struct {
	day                        Day
	capability, purpose, model string
}

func (l Line) key() lineKey { return lineKey{l.Day, l.Capability, l.Purpose, l.Model} }

func newAccount(id string, now time.Time) *account {
	return &account{id: id, calls: map[*hold]struct{}{}, lines: map[lineKey]*Line{}, spoke: now}
}

// settle gives back what a call held, and books what it used, which may be more.
func (a *account) settle(h *hold, used []Use, now time.Time) {
	delete(a.calls, h)
	a.held = a.held.Sub(h.amount)
	rest := h.amount
	for _, u := range used {
		rest = rest.Sub(u.Amount())
		a.add(u, now)
	}
	a.free = a.free.Add(rest)
	a.free = a.free.Max(Amount{})
}

// add writes a use into the lines, on the day of this clock or of the ledger's, whichever is later: what the ledger granted
// on one day is never booked on the day before.
func (a *account) add(u Use, now time.Time) {
	if len(a.lines) == 0 {
		a.since = now
	}
	day := max(a.day, a.today.of(now))
	l := a.last
	if l == nil || l.Day != day || l.Capability != u.Capability || l.Purpose != u.Purpose || l.Model != u.Model {
		empty := u.line(day)
		if l = a.lines[empty.key()]; l == nil {
			l = &empty
			a.lines[empty.key()] = l
		}
		a.last = l
	}
	*l = l.Add(u.Line(day))
}

// grow is for how many more asks to lease: none at first, and twice as many each time that they were used up quickly.
func (a *account) grow(need int, now time.Time) int {
	if a.taken.IsZero() || now.Sub(a.taken) >= quick {
		a.units = 0
	} else {
		a.units = min(max(2*a.units, need), maxUnits)
	}
	return a.units
}

// idle reports whether money lies here that nobody has asked for lately.
func (a *account) idle(now time.Time) bool {
	return a.free != (Amount{}) && now.Sub(a.taken) >= spareAfter
}

// due reports whether the ledger should hear of the account although nobody asks for anything.
func (a *account) due(now time.Time) bool {
	return a.pending != nil || a.idle(now) || len(a.lines) > 0 && now.Sub(a.since) >= tellAfter ||
		len(a.calls) > 0 && now.Sub(a.spoke) >= beat
}

// settled reports whether there is nothing that the ledger does not know, and nothing that it could take back.
func (a *account) settled() bool {
	return a.pending == nil && a.free == Amount{} && a.held == Amount{} && a.told == Amount{} && len(a.lines) == 0
}

// forgotten reports whether the ledger was silent for so long that it has booked all of the account as used.
func (a *account) forgotten(now time.Time) bool {
	return now.Sub(a.spoke) >= accountLife && !a.settled()
}

// report writes what there is to say into the exchange's report, which is pending from now on.
func (a *account) report(x *exchange, now time.Time) {
	if a.told == (Amount{}) {
		a.spoke = now // it had nothing that could have been closed
	}
	a.seq++
	r := x.report
	r.Purse, r.Seq, r.Held = a.id, a.seq, a.held.Add(a.free)
	for _, l := range a.lines {
		r.Lines = append(r.Lines, *l)
	}
	clear(a.lines)
	a.last, a.pending = nil, x
}

// calendar names days, the same one many times.
type calendar struct {
	number int64
	name   Day
}

func (c *calendar) of(t time.Time) Day {
	if n := t.Unix() / 86_400; n != c.number || c.name == "" {
		c.number, c.name = n, DayOf(t)
	}
	return c.name
}
