package trace

import "time"

// Kind says what a span is about.
type Kind string

// The kinds, from the door inwards.
const (
	Request Kind = "request" // of a client; its name is the route
	Batch   Kind = "batch"   // of events of a tenant, in the hands of one handler
	Event   Kind = "event"   // one of a batch, as the trace that it belongs to sees it; its name is the handler
	Step    Kind = "step"    // of a Workflow, each attempt at it; its name is the step
	Model   Kind = "model"   // a call of a model; its name is the model
	Tool    Kind = "tool"
	Search  Kind = "search" // a part of a search, such as "vectors"
	Object  Kind = "object" // a call of a Durable Object; its name is the class and the method
	Outside Kind = "fetch"  // a request to somebody else's server; its name is the purpose, never the address
)

// Span is one thing that was done for a tenant: where it stands in its trace, how long it took, what came of it. It has room for what may be known
// of it, and for nothing else: no text, no key and nothing personal fits in.
type Span struct {
	Trace  string        `json:"traceId"`
	ID     string        `json:"spanId"`
	Parent string        `json:"parentSpanId,omitempty"`
	Kind   Kind          `json:"kind"`
	Name   string        `json:"name"`
	Worker string        `json:"worker"` // the role that did it
	Start  time.Time     `json:"start"`
	Took   time.Duration `json:"durationNs"`
	Facts
}

// Facts are what is known of a span beside its place and its time. What does not apply is zero.
type Facts struct {
	Outcome Outcome `json:"outcome"`
	Code    string  `json:"code,omitempty"` // of what went wrong

	RequestID string `json:"requestId,omitempty"`
	Method    string `json:"method,omitempty"`
	Status    int    `json:"status,omitempty"`
	Cache     string `json:"cache,omitempty"` // where an answer came from: the tables of package rag
	Safety    string `json:"safety,omitempty"`
	Rule      string `json:"safetyRule,omitempty"`

	FirstByte time.Duration `json:"firstByteNs,omitempty"` // until the first piece of a streamed answer went out

	Flow    string `json:"flow,omitempty"`    // of a step
	Type    string `json:"type,omitempty"`    // of the events
	Subject string `json:"subject,omitempty"` // what the event is about: "documents/7"
	Events  int    `json:"events,omitempty"`
	Failed  int    `json:"failed,omitempty"` // of the events
	Attempt int    `json:"attempt,omitempty"`

	Wait time.Duration `json:"waitNs,omitempty"` // how old an event was when its handler was given it; of a request, how long it waited for it was asked to

	Purpose string `json:"purpose,omitempty"` // of a call of a model
	LogID   string `json:"logId,omitempty"`   // the gateway's entry of it
	Use
}

// Cached says in Facts.Cache whether an answer was found where it was looked for.
func Cached(hit bool) string {
	if hit {
		return "hit"
	}
	return "miss"
}

// Use is what calls of models took: those of the span and of all below it.
type Use struct {
	Prompt     int64 `json:"promptTokens,omitempty"`
	Completion int64 `json:"completionTokens,omitempty"`
	Chars      int64 `json:"characters,omitempty"` // spoken
	Nanos      int64 `json:"nanoUSD,omitempty"`
	Estimated  bool  `json:"estimated,omitempty"` // the provider did not say all of it
}

// Add adds what another call took.
func (u *Use) Add(v Use) {
	u.Prompt += v.Prompt
	u.Completion += v.Completion
	u.Chars += v.Chars
	u.Nanos += v.Nanos
	u.Estimated = u.Estimated || v.Estimated
}

// Outcome is how a span ended.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Refused Outcome = "refused" // the caller's doing, or a limit
	Failed  Outcome = "failed"  // ours, or that of something we depend on
	Left    Outcome = "left"    // whoever asked has gone before the end
)

// Outcomes are all there are.
var Outcomes = []Outcome{OK, Refused, Failed, Left}

// Milliseconds is a time as people are told it, exact to the microsecond.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// IsID reports whether a text is an id of so many digits, as Parent writes them: 32 of a trace, 16 of a span.
func IsID(text string, digits int) bool {
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(text) == digits
}
