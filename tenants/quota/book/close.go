package book

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"levada.dev/tenants/call"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/rows"
)

const (
	// Silence is for how long a purse that holds money may say nothing.
	Silence = 90 * time.Second
	// purseLife is for how long a purse is remembered after it was last heard of. Purses give themselves up sooner.
	purseLife = 24 * time.Hour
	// lineLife is for how many days the account is kept.
	lineLife = 500
)

// Close books the lease of each purse that was silent for too long, as if all of it had been used. It says when to look
// again; the zero time is never.
func (b *Book) Close(tx rows.Tx) (next time.Time, err error) {
	now := b.now()
	s, err := call.Owner(tx)
	if err != nil || s.Check() != nil {
		return time.Time{}, err
	}
	st, err := load(tx, now)
	if err != nil {
		return time.Time{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(st.Open)) {
		due := time.UnixMilli(st.Open[name]).Add(Silence)
		if due.After(now) {
			if next.IsZero() || due.Before(next) {
				next = due
			}
			continue
		}
		var p purse
		if _, err := rows.Read(tx, pursePrefix+name, &p); err != nil {
			return next, err
		}
		st.ends(p.Out)
		delete(st.Open, name)
		p.Closed, p.Out = &closed{Day: st.Day, Amount: p.Out}, quota.Amount{}
		if err := b.record(tx, s, now, name+".closed", st, []quota.Line{unsettled(st.Day, p.Closed.Amount, 1)}); err != nil {
			return next, err
		}
		if err := rows.Write(tx, pursePrefix+name, p); err != nil {
			return next, err
		}
	}
	return next, st.save(tx)
}

// Sweep forgets purses and lines that are too old. It looks at limit rows of each; the names of purses say nothing of their
// age, so it goes on where the last sweep stopped. It reports whether it came to the end, after which the next one begins again.
func (b *Book) Sweep(tx rows.Tx, limit int) (end bool, err error) {
	now := b.now()
	st, err := load(tx, now)
	if err != nil {
		return false, err
	}
	from := pursePrefix
	if st.Swept != "" {
		from = st.Swept + "\x00"
	}
	purses, err := tx.Range(from, pursesEnd, limit)
	if err != nil {
		return false, fmt.Errorf("book: range: %w", err)
	}
	st.Swept = ""
	if len(purses) == limit {
		st.Swept = purses[limit-1].Key
	}
	for _, row := range purses {
		var p purse
		if err := json.Unmarshal(row.Value, &p); err != nil {
			return false, fmt.Errorf("book: row %.80q: %w", row.Key, err)
		}
		if p.Out != (quota.Amount{}) || now.Sub(time.UnixMilli(p.Heard)) < purseLife {
			continue
		}
		if err := tx.Delete(row.Key); err != nil {
			return false, fmt.Errorf("book: delete: %w", err)
		}
	}
	lines, err := tx.Range(linePrefix, linePrefix+string(quota.DayOf(now.AddDate(0, 0, -lineLife))), limit)
	if err != nil {
		return false, fmt.Errorf("book: range: %w", err)
	}
	for _, row := range lines {
		if err := tx.Delete(row.Key); err != nil {
			return false, fmt.Errorf("book: delete: %w", err)
		}
	}
	return st.Swept == "" && len(lines) < limit, st.save(tx)
}
