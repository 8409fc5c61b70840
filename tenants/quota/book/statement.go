package book

import (
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/rows"
)

const (
	// maxDays is the most that one statement covers.
	maxDays = 366
	// maxLines is the most that a day has: as many as there are capabilities and models.
	maxLines = 1000
)

// Statement implements quota.Ledger.
func (b *Book) Statement(tx rows.Tx, q quota.Query) (quota.Statement, error) {
	st, err := load(tx, b.now())
	if err != nil {
		return quota.Statement{}, err
	}
	all := st.budgets(q.Limits)
	out := quota.Statement{Lines: []quota.Line{}, Budgets: all[:]}
	from, err := time.Parse(time.DateOnly, string(q.From))
	if err != nil {
		return out, fault.Invalidf("from", "day_invalid", "%.20q is not a day such as 2026-11-22", q.From)
	}
	to, err := time.Parse(time.DateOnly, string(q.To))
	if err != nil {
		return out, fault.Invalidf("to", "day_invalid", "%.20q is not a day such as 2026-11-22", q.To)
	}
	if to.Before(from) || to.Sub(from) >= maxDays*24*time.Hour {
		return out, fault.Invalidf("to", "days_invalid", "from %s to %s is not 1 to %d days", q.From, q.To, maxDays)
	}
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		found, err := tx.Scan(linePrefix+string(quota.DayOf(day))+"/", maxLines)
		if err != nil {
			return out, fmt.Errorf("book: scan: %w", err)
		}
		for _, row := range found {
			var l quota.Line
			if err := json.Unmarshal(row.Value, &l); err != nil {
				return out, fmt.Errorf("book: row %.80q: %w", row.Key, err)
			}
			out.Lines = append(out.Lines, l)
		}
	}
	return out, nil
}
