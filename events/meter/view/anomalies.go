package view

import (
	"math"
	"slices"
	"time"

	"levada.dev/events/meter"
)

// Anomalies is what is unusual in the window's last whole step.
type Anomalies struct {
	Window
	Step     time.Time `json:"step"`     // that is looked at
	Unusual  int       `json:"unusual"`  // how many of the checks are
	Checks   []Check   `json:"checks"`   // each of the numbers that are looked at
	Steps    int       `json:"steps"`    // before it, from the first in which anything was counted
	Boundary float64   `json:"boundary"` // of the score
}

// Check is one number that is compared with what it was before.
type Check struct {
	Metric    string   `json:"metric"` // as alerts name them
	Value     *float64 `json:"value"`  // in its last whole step; null where there is none
	Median    *float64 `json:"median"` // before
	Score     *float64 `json:"score"`  // modified z-score; null where nothing is said, or where everything before was one and the same number
	Unusual   bool     `json:"unusual"`
	Direction string   `json:"direction,omitempty"` // of what is unusual: above or below
	Silent    Silence  `json:"silent,omitempty"`    // why nothing is said
}

// Silence is why nothing is said of a number.
type Silence string

// The reasons.
const (
	FewSteps        Silence = "too_few_steps"        // to compare with
	FewObservations Silence = "too_few_observations" // behind the number, so that chance alone makes it jump
)

const (
	// Boundary is the score from which a number is unusual: that of Iglewicz and Hoaglin.
	Boundary = 3.5
	// LeastSteps is how many steps there have to be before the one that is looked at, LeastBehind how many observations behind a number.
	LeastSteps  = 8
	LeastBehind = 20
)

// checked are the numbers that are looked at.
var checked = []string{"requests", "failure_rate", "latency_p95", "tokens", "cost_usd", "dead_letters"}

// AnomaliesOf compares the last whole step of the window with those before it. Steps before the first in which anything was counted say nothing: a tenant that is new is
// not unusual for it.
func AnomaliesOf(w Window, slots []meter.Slot) Anomalies {
	steps := w.steps(slots)
	each, _ := sums(steps)
	first := slices.IndexFunc(steps, func(s *meter.Set) bool { return s != nil && s.Len() > 0 })
	last := len(each) - 2 // the one after is not over
	out := Anomalies{Window: w, Step: w.From.Add(time.Duration(last) * w.Step()), Checks: []Check{}, Boundary: Boundary}
	var before []Sum
	if first >= 0 && first < last {
		before = each[first:last]
	}
	out.Steps = len(before)
	for _, name := range checked {
		m, _ := MeasureNamed(name)
		c := check(m, before, &each[last])
		if c.Unusual {
			out.Unusual++
		}
		out.Checks = append(out.Checks, c)
	}
	return out
}

// check compares a number. What cannot be added up, a rate or a quantile, is a number where there are LeastBehind observations behind it; a sum is always one, and worth
// comparing where it, or what is usual, has as many.
func check(m Measure, before []Sum, now *Sum) Check {
	c := Check{Metric: m.Name}
	value, behind, known := m.Of(now)
	if known {
		c.Value = &value
	}
	var values, observations []float64
	for i := range before {
		v, n, ok := m.Of(&before[i])
		if !ok || !m.Sum && n < LeastBehind {
			continue
		}
		values, observations = append(values, v), append(observations, float64(n))
	}
	if len(values) < LeastSteps {
		c.Silent = FewSteps
		return c
	}
	middle := median(values)
	c.Median = &middle
	if !known || behind < LeastBehind && (!m.Sum || median(observations) < LeastBehind) {
		c.Silent = FewObservations
		return c
	}
	score := Score(value, values)
	if !math.IsInf(score, 0) {
		r := rounded(score)
		c.Score = &r
	}
	if c.Unusual = math.Abs(score) >= Boundary; c.Unusual {
		c.Direction = "above"
		if score < 0 {
			c.Direction = "below"
		}
	}
	return c
}

// Score is how far a value lies from what others are, which must be some: the modified z-score, 0.6745 (x − median) / MAD, where MAD is the median of the others' distances from their
// median. Where that is 0, for more than half of them are one and the same, it is (x − median) / (1.253314 MeanAD), by the mean of the distances; where that is 0 as well it is infinite for whatever
// differs. B. Iglewicz, D. Hoaglin: How to Detect and Handle Outliers (1993).
func Score(x float64, others []float64) float64 {
	middle := median(others)
	far, sum := make([]float64, len(others)), 0.0
	for i, v := range others {
		far[i] = math.Abs(v - middle)
		sum += far[i]
	}
	switch mad := median(far); {
	case x == middle:
		return 0
	case mad > 0:
		return 0.6745 * (x - middle) / mad
	case sum > 0:
		return (x - middle) / (1.253314 * sum / float64(len(far)))
	}
	return math.Inf(int(math.Copysign(1, x-middle)))
}

// median is the middle of values, of which there are some.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
