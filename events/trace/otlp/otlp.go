package otlp

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"levada.dev/events/trace"
)

// ContentType is that of what Marshal makes.
const ContentType = "application/json"

// Marshal is an ExportTraceServiceRequest of a tenant's spans: a resource for each Worker, in the order of their first spans.
func Marshal(tenant string, spans []trace.Span) ([]byte, error) {
	r := request{Resources: []resourceSpans{}}
	for _, s := range spans {
		i := slices.IndexFunc(r.Resources, func(r resourceSpans) bool { return r.worker == s.Worker })
		if i < 0 {
			i = len(r.Resources)
			r.Resources = append(r.Resources, resourceSpans{worker: s.Worker, Scopes: []scopeSpans{{Scope: scope{"levada.dev"}}}})
			r.Resources[i].Resource.Attributes = attributes{}.text("service.name", "levada-"+s.Worker).text("service.namespace", "levada").text("levada.tenant.id", tenant)
		}
		in := &r.Resources[i].Scopes[0]
		in.Spans = append(in.Spans, spanOf(&s))
	}
	return json.Marshal(r)
}

type request struct {
	Resources []resourceSpans `json:"resourceSpans"`
}

type resourceSpans struct {
	worker   string
	Resource struct {
		Attributes attributes `json:"attributes"`
	} `json:"resource"`
	Scopes []scopeSpans `json:"scopeSpans"`
}

type scopeSpans struct {
	Scope scope  `json:"scope"`
	Spans []span `json:"spans"`
}

type scope struct {
	Name string `json:"name"`
}

type span struct {
	Trace      string     `json:"traceId"`
	ID         string     `json:"spanId"`
	Parent     string     `json:"parentSpanId,omitempty"`
	Name       string     `json:"name"`
	Kind       int        `json:"kind"`
	Start      string     `json:"startTimeUnixNano"`
	End        string     `json:"endTimeUnixNano"`
	Attributes attributes `json:"attributes,omitempty"`
	Status     *status    `json:"status,omitempty"` // nil: unset, which is what went well
}

type status struct {
	Message string `json:"message,omitempty"`
	Code    int    `json:"code"`
}

// The numbers of the protocol.
const (
	internal, server, client, consumer = 1, 2, 3, 5
	failed                             = 2
)

var kinds = map[trace.Kind]int{
	trace.Request: server, trace.Batch: consumer, trace.Event: consumer, trace.Model: client, trace.Object: client, trace.Outside: client,
}

func spanOf(s *trace.Span) span {
	out := span{
		Trace: s.Trace, ID: s.ID, Parent: s.Parent, Name: s.Name, Kind: max(kinds[s.Kind], internal),
		Start: nanos(s.Start), End: nanos(s.Start.Add(s.Took)), Attributes: facts(s),
	}
	if s.Kind == trace.Request && s.Method != "" {
		out.Name = s.Method + " " + s.Name
	}
	if s.Outcome == trace.Failed {
		out.Status = &status{s.Code, failed}
	}
	return out
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

// facts are what is known of a span beside its place and its time.
func facts(s *trace.Span) attributes {
	a := attributes{}.text("levada.kind", string(s.Kind)).text("levada.outcome", string(s.Outcome)).text("error.type", s.Code).text("levada.request.id", s.RequestID).
		text("http.request.method", s.Method).number("http.response.status_code", int64(s.Status))
	switch s.Kind {
	case trace.Request:
		a = a.text("http.route", s.Name)
	case trace.Model:
		a = a.text("gen_ai.request.model", s.Name)
	case trace.Tool:
		a = a.text("gen_ai.tool.name", s.Name)
	}
	a = a.text("levada.flow", s.Flow).text("levada.event.type", s.Type).text("levada.event.subject", s.Subject).number("levada.events", int64(s.Events)).
		number("levada.events.failed", int64(s.Failed)).number("levada.attempt", int64(s.Attempt)).number("levada.wait_ns", int64(s.Wait)).
		number("levada.first_byte_ns", int64(s.FirstByte)).text("levada.cache", s.Cache).text("levada.safety", s.Safety).text("levada.safety.rule", s.Rule).
		text("levada.purpose", s.Purpose).text("levada.gateway.log_id", s.LogID).number("gen_ai.usage.input_tokens", s.Prompt).
		number("gen_ai.usage.output_tokens", s.Completion).number("levada.characters", s.Chars).number("levada.cost_nano_usd", s.Nanos)
	if s.Estimated {
		a = append(a, attribute{"levada.estimated", value{Bool: &s.Estimated}})
	}
	return a
}

type attributes []attribute

type attribute struct {
	Key   string `json:"key"`
	Value value  `json:"value"`
}

// value is one of these.
type value struct {
	Text   *string `json:"stringValue,omitempty"`
	Number string  `json:"intValue,omitempty"`
	Bool   *bool   `json:"boolValue,omitempty"`
}

// text adds a text that is not empty.
func (a attributes) text(key, text string) attributes {
	if text == "" {
		return a
	}
	return append(a, attribute{key, value{Text: &text}})
}

// number adds a number that is not 0.
func (a attributes) number(key string, n int64) attributes {
	if n == 0 {
		return a
	}
	return append(a, attribute{key, value{Number: strconv.FormatInt(n, 10)}})
}
