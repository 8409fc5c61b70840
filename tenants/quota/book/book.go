package book

import (
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/rows"
)

// Book decides. It is safe for concurrent use as far as the rows it is given are.
type Book struct {
	now  func() time.Time
	tell Tell
}

// New makes a book that tells the time by now, and facts by tell.
func New(now func() time.Time, tell Tell) *Book { return &Book{now, tell} }

// Exchange implements quota.Ledger.
func (b *Book) Exchange(tx rows.Tx, s tenants.Scope, r quota.Report) (quota.Grant, error) {
	if err := check(r); err != nil {
		return quota.Grant{}, err
	}
	now := b.now()
	var p purse
	found := false
	if r.Seq > 0 {
		var err error
		if found, err = rows.Read(tx, pursePrefix+r.Purse, &p); err != nil {
			return quota.Grant{}, err
		}
		if found && r.Seq == p.Seq {
			return repeated(tx, p.Answer, now)
		}
		if found && r.Seq < p.Seq {
			return quota.Grant{}, fault.New(fault.Conflict, "exchange_late", fmt.Sprintf("exchange %d came after %d", r.Seq, p.Seq), nil)
		}
	}
	st, err := load(tx, now)
	if err != nil {
		return quota.Grant{}, err
	}
	e := &exchange{Book: b, tx: tx, scope: s, state: st, purse: &p, report: r, now: now}
	return e.run()
}

// repeated is the answer of before, but for the bars, which may have come since: what was leased before it is not used after it.
func repeated(tx rows.Tx, g quota.Grant, now time.Time) (quota.Grant, error) {
	st, err := load(tx, now)
	if err != nil {
		return quota.Grant{}, err
	}
	g.Barred, g.Still = st.barred(now), st.Still
	return g, nil
}

// check refuses what no purse says.
func check(r quota.Report) error {
	bad := fault.Invalidf("", "report_invalid", "not a report of a purse")
	silent := len(r.Lines) == 0 && r.Held == quota.Amount{} && r.Units == 0
	if r.Seq < 0 || r.Seq > 0 == (r.Purse == "") || r.Seq == 0 && !silent || len(r.Rates) == 0 || r.Rates[0].Key != "" {
		return bad
	}
	if r.Held.Negative() || r.Unit.Negative() || r.Units < 0 || r.Units > 0 && r.Unit == (quota.Amount{}) {
		return bad
	}
	for i, k := range r.Rates {
		if k.Back < 0 || k.Ahead < 0 || i > 0 && len(k.Key) < 2 {
			return bad
		}
	}
	for _, w := range r.Wants {
		if w.Count < 1 || w.Tenant < 0 || w.Own < 0 || w.Amount.Negative() || w.Room.Negative() || r.Seq == 0 && w.Amount != (quota.Amount{}) {
			return bad
		}
		if w.User < 0 || w.User >= len(r.Rates) || (w.User == 0) != (w.Own == 0) {
			return bad
		}
	}
	return nil
}
