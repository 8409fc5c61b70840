package view

import (
	"time"

	"levada.dev/events/meter"
	"levada.dev/events/trace"
)

// Trace is one of a list: what it began with.
type Trace struct {
	ID       string        `json:"traceId"`
	Kind     trace.Kind    `json:"kind"`
	Name     string        `json:"name"`
	Start    time.Time     `json:"startedAt"`
	Duration float64       `json:"durationMs"`
	Spans    int           `json:"spans"`
	Failed   int           `json:"failed"` // of the spans
	Outcome  trace.Outcome `json:"outcome"`
	Code     string        `json:"code,omitempty"`
}

// Spans is all that is kept of one.
type Spans struct {
	ID       string    `json:"traceId"`
	Start    time.Time `json:"startedAt"`
	Duration float64   `json:"durationMs"` // until all of it had ended
	Spans    []Span    `json:"spans"`
}

// Span is one thing that was done; its times are in milliseconds, and begin with the trace.
type Span struct {
	ID       string     `json:"spanId"`
	Parent   string     `json:"parentSpanId,omitempty"`
	Kind     trace.Kind `json:"kind"`
	Name     string     `json:"name"`
	Worker   string     `json:"worker"`
	Offset   float64    `json:"offsetMs"`
	Duration float64    `json:"durationMs"`
	trace.Facts
	FirstByte float64 `json:"firstByteMs,omitempty"`
	Wait      float64 `json:"waitMs,omitempty"`
}

// TraceOf shows one of a list.
func TraceOf(t meter.Trace) Trace {
	return Trace{t.ID, t.Kind, t.Name, t.Start.UTC(), trace.Milliseconds(t.Took), t.Spans, t.Failed, t.Outcome, t.Code}
}

// SpansOf shows all that is kept of a trace, at least one span, in the order in which they began.
func SpansOf(spans []trace.Span) Spans {
	out := Spans{ID: spans[0].Trace, Start: spans[0].Start.UTC()}
	for _, s := range spans {
		from := s.Start.Sub(spans[0].Start)
		out.Duration = max(out.Duration, trace.Milliseconds(from+s.Took))
		shown := Span{
			s.ID, s.Parent, s.Kind, s.Name, s.Worker, trace.Milliseconds(from), trace.Milliseconds(s.Took),
			s.Facts, trace.Milliseconds(s.FirstByte), trace.Milliseconds(s.Wait),
		}
		shown.Facts.FirstByte, shown.Facts.Wait = 0, 0 // told in milliseconds, as all times are
		out.Spans = append(out.Spans, shown)
	}
	return out
}
