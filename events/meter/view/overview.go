package view

import "levada.dev/events/meter"

// Overview is what happened, at a glance.
type Overview struct {
	Window
	Requests    Total   `json:"requests"`
	Failures    Total   `json:"failures"` // of the requests, by our doing or that of what we depend on
	Latency     Latency `json:"latencyMs"`
	Events      Total   `json:"events"`
	DeadLetters Total   `json:"deadLetters"`
	ModelCalls  Total   `json:"modelCalls"`
	Tokens      Total   `json:"tokens"`
	Nanos       Total   `json:"nanoUSD"` // as far as it was told: the account of money is exact, Cost
}

// Latency is how long requests took until they were answered to the end.
type Latency struct {
	P50 Figure `json:"p50"`
	P95 Figure `json:"p95"`
	P99 Figure `json:"p99"`
}

// OverviewOf makes it of the window's slots.
func OverviewOf(w Window, slots []meter.Slot) Overview {
	each, all := sums(w.steps(slots))
	total := func(of func(*Sum) int64) Total {
		t := Total{Total: of(&all), Line: make([]int64, len(each))}
		for i := range each {
			t.Line[i] = of(&each[i])
		}
		return t
	}
	quantile := func(q float64) Figure {
		f := Figure{Value: millis(all.Latency, q), Line: make([]*float64, len(each))}
		for i := range each {
			f.Line[i] = millis(each[i].Latency, q)
		}
		return f
	}
	return Overview{
		Window:      w,
		Requests:    total(func(s *Sum) int64 { return s.Requests }),
		Failures:    total(func(s *Sum) int64 { return s.Failed }),
		Latency:     Latency{quantile(0.5), quantile(0.95), quantile(0.99)},
		Events:      total(func(s *Sum) int64 { return s.Events }),
		DeadLetters: total(func(s *Sum) int64 { return s.DeadLetters }),
		ModelCalls:  total(func(s *Sum) int64 { return s.ModelCalls }),
		Tokens:      total(func(s *Sum) int64 { return s.Tokens }),
		Nanos:       total(func(s *Sum) int64 { return s.Nanos }),
	}
}
