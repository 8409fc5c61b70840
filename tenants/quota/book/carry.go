package book

import (
	"slices"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/rows"
)

// carriedKey is the row of what was used in another pool, as it was carried last.
const carriedKey = "c"

// maxCarried is how many lines are carried at most: a month of them, for as many capabilities and models as there are.
const maxCarried = 2000

// Carry has the account say that these lines were used in another pool, from a day on. They are all there is from that day on: what was carried before is
// taken off, so it may be repeated, and called again when they have become more. Nothing is told of them: whoever has used them has.
func (b *Book) Carry(tx rows.Tx, from quota.Day, lines []quota.Line) error {
	if err := checkCarried(from, lines); err != nil {
		return err
	}
	var before []quota.Line
	if _, err := rows.Read(tx, carriedKey, &before); err != nil {
		return err
	}
	st, err := load(tx, b.now())
	if err != nil {
		return err
	}
	change := difference(slices.DeleteFunc(before, func(l quota.Line) bool { return l.Day < from }), lines)
	if len(change) == 0 {
		return nil
	}
	if err := enter(tx, st, change); err != nil {
		return err
	}
	if err := rows.Write(tx, carriedKey, lines); err != nil {
		return err
	}
	return st.save(tx)
}

// difference is what has to be added to lines that they become others, but for those that stay.
func difference(before, after []quota.Line) (change []quota.Line) {
	sums := map[string]quota.Line{}
	var order []string
	sum := func(l quota.Line, f func(sum, l quota.Line) quota.Line) {
		n := lineKey(l)
		if _, known := sums[n]; !known {
			order = append(order, n)
			sums[n] = l.Empty()
		}
		sums[n] = f(sums[n], l)
	}
	for _, l := range before {
		sum(l, quota.Line.Sub)
	}
	for _, l := range after {
		sum(l, quota.Line.Add)
	}
	for _, n := range order {
		if l := sums[n]; !l.Zero() {
			change = append(change, l)
		}
	}
	return change
}

// checkCarried refuses what no account says.
func checkCarried(from quota.Day, lines []quota.Line) error {
	if _, err := time.Parse(time.DateOnly, string(from)); err != nil {
		return fault.Invalidf("from", "day_invalid", "%.20q is not a day such as 2026-11-22", from)
	}
	if len(lines) > maxCarried {
		return fault.Invalidf("lines", "value_out_of_range", "%d lines; at most %d are carried", len(lines), maxCarried)
	}
	for _, l := range lines {
		_, err := time.Parse(time.DateOnly, string(l.Day))
		if err != nil || l.Day < from || l.Capability == "" || len(l.Capability)+len(l.Purpose)+len(l.Model) > 300 ||
			min(l.Calls, l.Prompt, l.Completion, l.Chars, l.Nanos, l.Estimated, int64(l.Neurons)) < 0 {
			return fault.Invalidf("lines", "invalid_value", "%.80v is no line of an account", l)
		}
	}
	return nil
}
