package alert

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/meter/view"
	"levada.dev/tenants"
)

// Rule says when a tenant is to be told.
type Rule struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Metric     string     `json:"metric"` // one of view.Measures
	Comparator Comparator `json:"comparator"`
	Threshold  float64    `json:"threshold"` // in the metric's unit
	Period     Period     `json:"period"`    // over which is counted
}

// Comparator is how the metric has to stand to the threshold for the rule to hold.
type Comparator string

// The comparators.
const (
	Above   Comparator = ">"
	AtLeast Comparator = ">="
	Below   Comparator = "<"
	AtMost  Comparator = "<="
)

// Period is how far back a rule looks.
type Period string

var periods = []struct {
	name   Period
	length time.Duration
	step   time.Duration
}{
	{"5m", 5 * time.Minute, meter.Minute},
	{"15m", 15 * time.Minute, meter.Minute},
	{"1h", time.Hour, meter.Minute},
	{"24h", 24 * time.Hour, meter.Hour},
}

const (
	// MaxRules is how many rules a tenant has at most.
	MaxRules = 50

	maxName      = 100
	maxID        = 64
	maxThreshold = 1e15 // whole numbers up to there are exact
)

// Query asks for the slots that a period which ends now has a part in: whole minutes, of a day whole hours.
func (p Period) Query(now time.Time) meter.Query {
	for _, known := range periods {
		if known.name == p {
			return meter.Query{From: now.Add(-known.length).Truncate(known.step), To: now.Truncate(known.step).Add(known.step), Step: known.step}
		}
	}
	return meter.Query{From: now, To: now, Step: meter.Minute}
}

// Read is the number that the rule is about, and whether the rule holds. Of what was not counted there is no rate and no quantile: nil, and nothing holds.
func (r Rule) Read(sum *view.Sum) (value *float64, holds bool) {
	m, known := view.MeasureNamed(r.Metric)
	if !known { // of another version
		return nil, false
	}
	v, _, known := m.Of(sum)
	if !known {
		return nil, false
	}
	switch r.Comparator {
	case Above:
		return &v, v > r.Threshold
	case AtLeast:
		return &v, v >= r.Threshold
	case Below:
		return &v, v < r.Threshold
	case AtMost:
		return &v, v <= r.Threshold
	}
	return &v, false
}

// Unit is that of the number and of the threshold.
func (r Rule) Unit() string {
	m, _ := view.MeasureNamed(r.Metric)
	return m.Unit
}

// Check reports the first thing that is wrong with the rule. It may have no id yet.
func (r Rule) Check() error {
	var metrics, known []string
	for _, m := range view.Measures() {
		metrics = append(metrics, m.Name)
	}
	for _, p := range periods {
		known = append(known, string(p.name))
	}
	switch {
	case r.ID != "" && !soundID(r.ID):
		return fault.Invalidf("id", "invalid_value", "is not 1 to %d letters, digits, - and _", maxID)
	case strings.TrimSpace(r.Name) == "":
		return fault.Invalidf("name", "field_required", "is required: it is what people are told")
	case utf8.RuneCountInString(r.Name) > maxName:
		return fault.Invalidf("name", "value_out_of_range", "is longer than %d characters", maxName)
	case strings.ContainsFunc(r.Name, unicode.IsControl):
		return fault.Invalidf("name", "invalid_value", "has a control character")
	case r.Metric == "":
		return fault.Invalidf("metric", "field_required", "is required").WithHint("metrics are " + strings.Join(metrics, ", "))
	case !slices.Contains(metrics, r.Metric):
		return fault.Invalidf("metric", "invalid_value", "%.40q is none that alerts know", r.Metric).WithHint("metrics are " + strings.Join(metrics, ", "))
	case r.Comparator == "":
		return fault.Invalidf("comparator", "field_required", "is required").WithHint("comparators are >, >=, < and <=")
	case !slices.Contains([]Comparator{Above, AtLeast, Below, AtMost}, r.Comparator):
		return fault.Invalidf("comparator", "invalid_value", "%.40q compares nothing", r.Comparator).WithHint("comparators are >, >=, < and <=")
	case math.IsNaN(r.Threshold) || math.Abs(r.Threshold) > maxThreshold:
		return fault.Invalidf("threshold", "value_out_of_range", "is not between -1e15 and 1e15")
	case r.Unit() == "part" && (r.Threshold < 0 || r.Threshold > 1):
		return fault.Invalidf("threshold", "value_out_of_range", "is not between 0 and 1").WithHint("a rate of a twentieth is 0.05")
	case r.Period == "":
		return fault.Invalidf("period", "field_required", "is required").WithHint("periods are " + strings.Join(known, ", "))
	case !slices.Contains(known, string(r.Period)):
		return fault.Invalidf("period", "invalid_value", "%.40q is no period of alerts", r.Period).WithHint("periods are " + strings.Join(known, ", "))
	}
	return nil
}

// soundID reports whether a rule may be called so.
func soundID(id string) bool {
	for _, c := range []byte(id) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}

// State is how a rule stands.
type State string

// The states.
const (
	OK     State = "ok"
	Firing State = "firing"
)

// Alert is a rule and how it stands.
type Alert struct {
	Rule
	State State     `json:"state"`
	Since time.Time `json:"since"` // when it began to be in this state, or was taken in
	Value *float64  `json:"value"` // over the period until now; null where there is none
	Unit  string    `json:"unit"`
}

// Order has a rule taken in.
type Order struct {
	Rule  Rule   `json:"rule"`
	NewID string `json:"newId"`         // for a rule that has no id
	Key   string `json:"key,omitempty"` // the client's Idempotency-Key, or none
}

// Taken is what became of an order.
type Taken struct {
	Alert Alert `json:"alert"`
	Fresh bool  `json:"fresh"` // there was no rule of this id
}

// Rules are a tenant's rules, MaxRules at most.
//
// Set takes a rule in, or puts it in the place of the one with its id, which begins anew when what it looks at has changed. The same order with its key is taken once; another with the
// key of a rule that is there fails with fault.Conflict, code idempotency_conflict, one too many with code alerts_full. List has all of them by their names. Drop forgets one, or fails with fault.NotFound, code
// alert_not_found. From the first rule to the last each is looked at once a minute, and whoever listens is told once of each time that it begins to hold (events.AlertFired) and ends
// (events.AlertResolved), which it also does when it is dropped. Safe for concurrent use.
type Rules interface {
	Set(ctx context.Context, s tenants.Scope, o Order) (Taken, error)
	List(ctx context.Context, s tenants.Scope) ([]Alert, error)
	Drop(ctx context.Context, s tenants.Scope, id string) error
}
