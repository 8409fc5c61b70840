package view

import (
	"math"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
)

// Period is how far back a view looks.
type Period string

// The periods.
const (
	Hour Period = "1h"
	Day  Period = "24h"
	Week Period = "7d"
)

var periods = []struct {
	name   Period
	length time.Duration
	step   time.Duration
}{
	{Hour, time.Hour, meter.Minute},
	{Day, 24 * time.Hour, meter.Hour},
	{Week, 7 * 24 * time.Hour, meter.Hour},
}

// Window is the stretch of time that a view is of, which it says.
type Window struct {
	Period  Period    `json:"period"`
	From    time.Time `json:"from"` // where its first step begins
	To      time.Time `json:"to"`   // now: its last step is not over
	Seconds int64     `json:"stepSeconds"`
}

// Look is the window of a period that ends now; Day when it is "". An unknown one is a mistake in the parameter period.
func Look(p Period, now time.Time) (Window, error) {
	if p == "" {
		p = Day
	}
	var names []string
	for _, known := range periods {
		if known.name == p {
			from := now.UTC().Truncate(known.step).Add(known.step - known.length)
			return Window{Period: p, From: from, To: now.UTC(), Seconds: int64(known.step / time.Second)}, nil
		}
		names = append(names, string(known.name))
	}
	return Window{}, fault.Invalidf("period", "invalid_query", "%.20q is no period", p).WithHint("periods are " + strings.Join(names, ", "))
}

// Step is how long one of its steps is.
func (w Window) Step() time.Duration { return time.Duration(w.Seconds) * time.Second }

// Query asks for the window's slots.
func (w Window) Query() meter.Query {
	return meter.Query{From: w.From, To: w.To.Truncate(w.Step()).Add(w.Step()), Step: w.Step()}
}

// steps are the window's slots by their place, nil where nothing was counted.
func (w Window) steps(slots []meter.Slot) []*meter.Set {
	all := make([]*meter.Set, int(w.To.Truncate(w.Step()).Sub(w.From)/w.Step())+1)
	for _, s := range slots {
		if at := int(s.Start.Sub(w.From) / w.Step()); !s.Start.Before(w.From) && at < len(all) {
			all[at] = s.Set
		}
	}
	return all
}

// Total is a number of things, and how many there were in each step of the window.
type Total struct {
	Total int64   `json:"total"`
	Line  []int64 `json:"line"`
}

// Figure is a number that cannot be added up, such as a quantile: of the whole window, and of each of its steps. It is null where there is nothing that it could be of.
type Figure struct {
	Value *float64   `json:"value"`
	Line  []*float64 `json:"line"`
}

// rounded has six decimals, which are more than any of the numbers has a meaning of.
func rounded(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// part is a share of a whole; nil of nothing.
func part(of, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	v := rounded(float64(of) / float64(whole))
	return &v
}

// millis is a quantile in milliseconds, to the microsecond; nil of nothing.
func millis(c meter.Cell, q float64) *float64 {
	d, ok := c.Quantile(q)
	if !ok {
		return nil
	}
	v := float64(d.Round(time.Microsecond).Microseconds()) / 1000
	return &v
}
