package meter

import (
	"context"
	"time"

	"levada.dev/events/trace"
	"levada.dev/tenants"
)

// Batch is what an isolate has counted and seen of a tenant since it told it last.
type Batch struct {
	Writer string // the isolate: no two have the same
	Number int64  // each of the writer's batches of this tenant has a higher one than the one before, not always the next
	Set    *Set
	Spans  []trace.Span // at most MaxSpans
}

// MaxSpans is how many spans a batch has. What an isolate sees more of is counted, and not kept as a span.
const MaxSpans = 200

// Sink takes what was counted.
//
// A batch is taken whole or not at all, and one that is repeated with its number counts once. Safe for concurrent use.
type Sink interface {
	Add(ctx context.Context, s tenants.Scope, b Batch) error
}

// Meters is what is kept of a tenant's counts and traces.
//
// Read tells what was counted from one time to another, one slot for each step of it: of Minute as far back as KeepMinutes, of Hour as far as KeepHours, and one
// for everything there ever was when the step is Ever. Slots begin at whole steps; those in which nothing was counted are not there. The last one is not over yet.
// Traces lists the newest first; Trace is all that is kept of one, in the order of its spans' beginnings, or fault.NotFound, code trace_not_found. Safe for concurrent use.
type Meters interface {
	Sink
	Read(ctx context.Context, s tenants.Scope, q Query) ([]Slot, error)
	Traces(ctx context.Context, s tenants.Scope, q TraceQuery) ([]Trace, error)
	Trace(ctx context.Context, s tenants.Scope, id string) ([]trace.Span, error)
}

// Steps of slots.
const (
	Minute = time.Minute
	Hour   = time.Hour
	Ever   = time.Duration(0)
)

const (
	// KeepMinutes is how long each minute is kept by itself, KeepHours each hour.
	KeepMinutes = 3 * time.Hour
	KeepHours   = 35 * 24 * time.Hour
	// KeepTraces is how long traces are kept, of which there are MaxTraces at most.
	KeepTraces = 24 * time.Hour
	MaxTraces  = 1000
	// MaxTraceSpans is how many spans are kept of a trace.
	MaxTraceSpans = 1000
)

// Query asks for slots.
type Query struct {
	From, To time.Time     // To is not in it any more; the slots that they are in are told whole. Ever needs neither
	Step     time.Duration // Minute, Hour or Ever
	Metrics  []Metric      // only these; nil: all
}

// Slot is what was counted in one stretch of time.
type Slot struct {
	Start time.Time `json:"start"` // when the first was counted, where the step is Ever
	Set   *Set      `json:"set"`
}

// TraceQuery asks for traces.
type TraceQuery struct {
	Name   string    // of what they begin with, such as a route; "" for all
	Failed bool      // only those in which something failed
	Before time.Time // that began before it; zero: all
	ID     string    // of one that began at Before: those that the list has after it, of which some may have begun in the same microsecond. "": none that did
	Limit  int       // 1 to 100
}

// Trace is a trace in a list: what it began with, as far as that is known.
type Trace struct {
	ID      string        `json:"traceId"`
	Kind    trace.Kind    `json:"kind"`
	Name    string        `json:"name"`
	Start   time.Time     `json:"start"`
	Took    time.Duration `json:"durationNs"`       // of what it began with; what follows in queues may take longer
	Spans   int           `json:"spans"`            // that there were; MaxTraceSpans of them are kept at most
	Failed  int           `json:"failed,omitempty"` // of the spans
	Outcome trace.Outcome `json:"outcome"`
	Code    string        `json:"code,omitempty"`
}
