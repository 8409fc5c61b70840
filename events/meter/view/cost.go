package view

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"

	"levada.dev/tenants/quota"
)

// Cost is what calls of models have cost, by the account of money, which is exact.
type Cost struct {
	Window
	FromDay quota.Day    `json:"fromDay"` // accounts are kept by days: all of the first
	ToDay   quota.Day    `json:"toDay"`
	Lines   []CostLine   `json:"lines"` // of these days, by capability and model, the dearest first
	Days    []CostDay    `json:"days"`
	Total   CostLine     `json:"total"`
	Budgets []BudgetUse  `json:"budgets"`
	Month   CostForecast `json:"month"`
}

// CostLine is what one model has cost for one capability.
type CostLine struct {
	Capability string        `json:"capability,omitempty"`
	Model      string        `json:"model,omitempty"`
	Calls      int64         `json:"calls"`
	Prompt     int64         `json:"promptTokens"`
	Completion int64         `json:"completionTokens"`
	Chars      int64         `json:"characters"`
	Neurons    quota.Neurons `json:"neurons"`
	Nanos      int64         `json:"nanoUSD"`
	Estimated  int64         `json:"estimatedCalls"`
	Part       *float64      `json:"part"` // of the money of all lines
}

// CostDay is what a day has cost.
type CostDay struct {
	Day    quota.Day `json:"day"`
	Tokens int64     `json:"tokens"`
	Chars  int64     `json:"characters"`
	Nanos  int64     `json:"nanoUSD"`
}

// BudgetUse is how much of a budget is used up, and what will be when it resets, at the pace of late.
type BudgetUse struct {
	quota.Budget
	Used      *float64 `json:"used"` // the part of the limit that is spent
	Projected int64    `json:"projected"`
}

// CostForecast is what a month will have cost at the pace of late.
type CostForecast struct {
	From      quota.Day `json:"fromDay"`
	Ends      time.Time `json:"endsAt"`
	Spent     CostSum   `json:"spent"`
	PaceFrom  quota.Day `json:"paceFromDay"` // the pace is that of the days from this one until now
	Projected CostSum   `json:"projected"`
}

// CostSum is an amount of everything.
type CostSum struct {
	Tokens int64 `json:"tokens"`
	Chars  int64 `json:"characters"`
	Nanos  int64 `json:"nanoUSD"`
}

// CostDays are the days of which CostOf needs the account: those of the window, of the pace, and of the month.
func CostDays(w Window) (from, to quota.Day) {
	return min(quota.DayOf(w.From), paceFrom(w), quota.DayOf(monthOf(w.To))), quota.DayOf(w.To)
}

// paceFrom is the first day of which the pace is made: those of the window, and a whole day at least.
func paceFrom(w Window) quota.Day {
	return min(quota.DayOf(w.From), quota.DayOf(w.To.AddDate(0, 0, -1)))
}

func monthOf(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }

// CostOf makes it of the account of CostDays.
func CostOf(w Window, st quota.Statement) Cost {
	out := Cost{Window: w, FromDay: quota.DayOf(w.From), ToDay: quota.DayOf(w.To), Lines: []CostLine{}, Days: []CostDay{}, Budgets: []BudgetUse{}}
	out.Month = CostForecast{From: quota.DayOf(monthOf(w.To)), Ends: monthOf(w.To).AddDate(0, 1, 0), PaceFrom: paceFrom(w)}
	lines, days := map[[2]string]*CostLine{}, map[quota.Day]*CostDay{}
	var late CostSum
	for _, l := range st.Lines {
		if l.Day > out.ToDay {
			continue
		}
		if l.Day >= out.Month.From {
			out.Month.Spent.add(l)
		}
		if l.Day >= out.Month.PaceFrom {
			late.add(l)
		}
		if l.Day >= out.FromDay {
			entry(lines, [2]string{l.Capability, l.Model}).add(l)
			out.Total.add(l)
			d := entry(days, l.Day)
			d.Day, d.Tokens, d.Chars, d.Nanos = l.Day, d.Tokens+l.Prompt+l.Completion, d.Chars+l.Chars, d.Nanos+l.Nanos
		}
	}
	for key, l := range lines {
		l.Capability, l.Model, l.Part = key[0], key[1], part(l.Nanos, out.Total.Nanos)
		out.Lines = append(out.Lines, *l)
	}
	slices.SortFunc(out.Lines, func(a, b CostLine) int {
		return cmp.Or(cmp.Compare(b.Nanos, a.Nanos), cmp.Compare(a.Capability, b.Capability), cmp.Compare(a.Model, b.Model))
	})
	for _, d := range days {
		out.Days = append(out.Days, *d)
	}
	slices.SortFunc(out.Days, func(a, b CostDay) int { return cmp.Compare(a.Day, b.Day) })
	out.Total.Part = part(out.Total.Nanos, out.Total.Nanos)

	began, _ := time.Parse(time.DateOnly, string(out.Month.PaceFrom))
	until := func(end time.Time, spent, late int64) int64 {
		return spent + min(pace(late, end.Sub(w.To), w.To.Sub(began)), math.MaxInt64-spent)
	}
	m := &out.Month
	m.Projected = CostSum{
		until(m.Ends, m.Spent.Tokens, late.Tokens), until(m.Ends, m.Spent.Chars, late.Chars), until(m.Ends, m.Spent.Nanos, late.Nanos),
	}
	for _, b := range st.Budgets {
		of := map[string]int64{"tokens": late.Tokens, "characters": late.Chars, "nanoUSD": late.Nanos}[b.Unit]
		out.Budgets = append(out.Budgets, BudgetUse{b, part(b.Spent, b.Limit), until(b.Resets, b.Spent, of)})
	}
	return out
}

func (l *CostLine) add(o quota.Line) {
	l.Calls, l.Prompt, l.Completion, l.Chars = l.Calls+o.Calls, l.Prompt+o.Prompt, l.Completion+o.Completion, l.Chars+o.Chars
	l.Neurons, l.Nanos, l.Estimated = l.Neurons+o.Neurons, l.Nanos+o.Nanos, l.Estimated+o.Estimated
}

func (s *CostSum) add(l quota.Line) {
	s.Tokens, s.Chars, s.Nanos = s.Tokens+l.Prompt+l.Completion, s.Chars+l.Chars, s.Nanos+l.Nanos
}

// pace is what a time to come will take when the time that has gone took so much: exact, rounded down, and never beyond what an int64 has.
func pace(spent int64, ahead, gone time.Duration) int64 {
	if spent <= 0 || ahead <= 0 || gone <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(spent), uint64(ahead))
	if high >= uint64(gone) {
		return math.MaxInt64
	}
	n, _ := bits.Div64(high, low, uint64(gone))
	return int64(min(n, math.MaxInt64))
}
