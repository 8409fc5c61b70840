package view

import (
	"time"

	"levada.dev/events/meter"
)

// Measure is one number about what was counted. Alerts and anomalies know it by its name.
type Measure struct {
	Name string
	Unit string // of the number: requests, part (0 to 1), ms, events, tokens, USD
	Sum  bool   // steps of it can be added up, and where nothing was counted it is 0

	// Of is the number, and how many observations lie behind it. False where there is none: nothing was observed that it could be of.
	Of func(*Sum) (value float64, behind int64, known bool)
}

// measures are all there are. Their names never change their meaning.
var measures = []Measure{
	{"requests", "requests", true, func(s *Sum) (float64, int64, bool) { return float64(s.Requests), s.Requests, true }},
	{"failures", "requests", true, func(s *Sum) (float64, int64, bool) { return float64(s.Failed), s.Requests, true }},
	{"failure_rate", "part", false, func(s *Sum) (float64, int64, bool) {
		if s.Served() == 0 {
			return 0, 0, false
		}
		return float64(s.Failed) / float64(s.Served()), s.Served(), true
	}},
	{"latency_p50", "ms", false, func(s *Sum) (float64, int64, bool) { return quantile(&s.Latency, 0.5) }},
	{"latency_p95", "ms", false, func(s *Sum) (float64, int64, bool) { return quantile(&s.Latency, 0.95) }},
	{"latency_p99", "ms", false, func(s *Sum) (float64, int64, bool) { return quantile(&s.Latency, 0.99) }},
	{"first_token_p95", "ms", false, func(s *Sum) (float64, int64, bool) { return quantile(&s.FirstToken, 0.95) }},
	{"events_failed", "events", true, func(s *Sum) (float64, int64, bool) { return float64(s.EventsFailed), s.Events, true }},
	{"event_wait_p95", "ms", false, func(s *Sum) (float64, int64, bool) { return quantile(&s.EventWait, 0.95) }},
	{"dead_letters", "events", true, func(s *Sum) (float64, int64, bool) { return float64(s.DeadLetters), s.Events + s.DeadLetters, true }},
	{"tokens", "tokens", true, func(s *Sum) (float64, int64, bool) { return float64(s.Tokens), s.ModelCalls, true }},
	{"cost_usd", "USD", true, func(s *Sum) (float64, int64, bool) { return float64(s.Nanos) / 1e9, s.ModelCalls, true }},
}

// Measures lists all of them.
func Measures() []Measure { return append([]Measure(nil), measures...) }

// MeasureNamed looks one up by its name.
func MeasureNamed(name string) (Measure, bool) {
	for _, m := range measures {
		if m.Name == name {
			return m, true
		}
	}
	return Measure{}, false
}

func quantile(c *meter.Cell, q float64) (float64, int64, bool) {
	d, ok := c.Quantile(q)
	return float64(d) / float64(time.Millisecond), c.Count, ok
}
