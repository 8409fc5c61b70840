package notify

import (
	"time"

	"levada.dev/consumers"
	"levada.dev/events"
)

// warning is the alert that fires, or is resolved.
type warning struct {
	Alert      string    `json:"alertId"`
	Name       string    `json:"name"`
	State      string    `json:"state"` // firing or resolved
	Reason     string    `json:"reason,omitempty"`
	Metric     string    `json:"metric"`
	Comparator string    `json:"comparator"`
	Threshold  float64   `json:"threshold"`
	Value      *float64  `json:"value,omitempty"`
	Unit       string    `json:"unit"`
	Period     string    `json:"period"`
	FiredAt    time.Time `json:"firedAt"`
}

func fired(d consumers.Of[events.AlertFired]) []message {
	w := warningOf(d.Fact.AlertRef, "firing")
	w.Value = &d.Fact.Value
	return []message{{typeFired, d.Event.Time.UTC(), w, ""}}
}

func resolved(d consumers.Of[events.AlertResolved]) []message {
	w := warningOf(d.Fact.AlertRef, "resolved")
	w.Value, w.Reason = d.Fact.Value, d.Fact.Reason
	return []message{{typeResolved, d.Event.Time.UTC(), w, ""}}
}

func warningOf(r events.AlertRef, state string) warning {
	return warning{
		Alert: r.Alert, Name: r.Name, State: state, Metric: r.Metric, Comparator: r.Comparator, Threshold: r.Threshold, Unit: r.Unit, Period: r.Period, FiredAt: r.FiredAt.UTC(),
	}
}
