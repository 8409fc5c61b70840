package events

import (
	"math"
	"strconv"
	"time"

	"levada.dev/events/fault"
)

// Types of the facts about alerts.
const (
	TypeAlertFired    = "dev.levada.alert.fired.v1"
	TypeAlertResolved = "dev.levada.alert.resolved.v1"
)

// AlertRef is a tenant's rule, as it was, and since when it holds.
type AlertRef struct {
	Alert      string    `json:"alertId"`
	Name       string    `json:"name"`
	Metric     string    `json:"metric"`
	Comparator string    `json:"comparator"`
	Threshold  float64   `json:"threshold"`
	Unit       string    `json:"unit"` // of the threshold, and of the value
	Period     string    `json:"period"`
	FiredAt    time.Time `json:"firedAt"`
}

// Subject is the CloudEvents subject of every fact about the rule.
func (r AlertRef) Subject() string { return "alerts/" + r.Alert }

// Identity distinguishes the times that it began to hold.
func (r AlertRef) Identity() string {
	return r.Alert + "." + strconv.FormatInt(r.FiredAt.UnixMilli(), 10)
}

func (r AlertRef) check() error {
	for _, m := range []struct{ field, value string }{
		{"alertId", r.Alert}, {"name", r.Name}, {"metric", r.Metric}, {"comparator", r.Comparator}, {"unit", r.Unit}, {"period", r.Period},
	} {
		if m.value == "" {
			return fault.Invalidf(m.field, "fact_invalid", "is required")
		}
	}
	switch {
	case !finite(r.Threshold):
		return fault.Invalidf("threshold", "fact_invalid", "is no number")
	case r.FiredAt.IsZero():
		return fault.Invalidf("firedAt", "fact_invalid", "is required")
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// AlertFired says that what a tenant counts has come to where one of its rules has it be told.
type AlertFired struct {
	AlertRef
	Value float64 `json:"value"`
}

// Type implements Fact.
func (AlertFired) Type() string { return TypeAlertFired }

// Check implements Fact.
func (f AlertFired) Check() error {
	if !finite(f.Value) {
		return fault.Invalidf("value", "fact_invalid", "is no number")
	}
	return f.AlertRef.check()
}

// The reasons for which an alert is resolved.
const (
	AlertEnded   = "ended"   // the rule does not hold any more
	AlertChanged = "changed" // it looks at something else now
	AlertRemoved = "removed" // it is no more
)

// AlertResolved says that it is over.
type AlertResolved struct {
	AlertRef
	Value  *float64 `json:"value,omitempty"` // none where nothing was counted
	Reason string   `json:"reason"`
}

// Type implements Fact.
func (AlertResolved) Type() string { return TypeAlertResolved }

// Check implements Fact.
func (f AlertResolved) Check() error {
	switch {
	case f.Value != nil && !finite(*f.Value):
		return fault.Invalidf("value", "fact_invalid", "is no number")
	case f.Reason == "":
		return fault.Invalidf("reason", "fact_invalid", "is required")
	}
	return f.AlertRef.check()
}
