package book

import (
	"fmt"
	"slices"

	"levada.dev/tenants/quota"
	"levada.dev/tenants/rows"
)

// Unsettled is the capability under which the lease of a purse is booked that was not heard of for too long.
const Unsettled = "unsettled"

// enter adds lines to the account. A line that becomes nothing is removed.
func enter(tx rows.Tx, st *state, lines []quota.Line) error {
	for _, l := range lines {
		key, sum := lineKey(l), l.Empty()
		found, err := rows.Read(tx, key, &sum)
		if err != nil {
			return err
		}
		sum = sum.Add(l)
		switch {
		case !sum.Zero():
			err = rows.Write(tx, key, sum)
		case found:
			err = tx.Delete(key)
		}
		if err != nil {
			return fmt.Errorf("book: line: %w", err)
		}
		st.spend(l.Day, l.Amount())
	}
	return nil
}

// lineKey is the row of a line. A line of before there were purposes has one of its own.
func lineKey(l quota.Line) string {
	what := l.Capability
	if l.Purpose != "" {
		what += "." + l.Purpose
	}
	return linePrefix + string(l.Day) + "/" + what + "/" + l.Model
}

// unsettled is the line of a lease, or what is to be taken off it.
func unsettled(day quota.Day, a quota.Amount, calls int64) quota.Line {
	return quota.Line{Day: day, Capability: Unsettled, Calls: calls, Estimated: calls, Prompt: a.Tokens, Chars: a.Chars, Nanos: a.Nanos}
}

// used is the lines of a report, each on a day that may still take it.
func used(lines []quota.Line, latest quota.Day) []quota.Line {
	out := slices.Clone(lines)
	for i := range out {
		out[i].Day = min(out[i].Day, latest)
	}
	slices.SortStableFunc(out, quota.Line.Compare)
	return out
}
