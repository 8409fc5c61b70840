package view

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"levada.dev/events/meter"
)

// Objectives are what a deployment holds itself to.
type Objectives struct {
	Availability float64                  // the part of the requests that were not refused which does not fail
	P95          time.Duration            // of a route that is not in Routes
	Routes       map[string]time.Duration // p95 by method and route, "POST /search"; 0 is none: whoever follows something is answered when it ends
}

// Standard are the objectives of a deployment that has no others. What asks a model to write takes as long as what it writes; what somebody waits for who asks for
// ?wait is not counted.
var Standard = Objectives{
	Availability: 0.995,
	P95:          500 * time.Millisecond,
	Routes: map[string]time.Duration{
		"GET /health":                      100 * time.Millisecond,
		"POST /ingest":                     2 * time.Second,
		"POST /ingest/batch":               time.Minute,
		"PUT /documents/{id}":              2 * time.Second,
		"POST /search":                     5 * time.Second,
		"POST /chat":                       20 * time.Second,
		"POST /tools/execute":              10 * time.Second,
		"POST /mcp":                        10 * time.Second,
		"POST /tts":                        20 * time.Second,
		"GET /tts/jobs/{id}/audio":         5 * time.Second,
		"POST /v1/chat/completions":        20 * time.Second,
		"POST /v1/embeddings":              2 * time.Second,
		"POST /v1/audio/speech":            20 * time.Second,
		"GET /jobs/{id}/events":            0,
		"GET /chat/streams/{streamId}":     0,
		"GET /tenant/export/documents":     10 * time.Second,
		"POST /tenant/export/documents":    10 * time.Second,
		"GET /tenant/export/sessions":      10 * time.Second,
		"POST /tenant/export/sessions":     10 * time.Second,
		"POST /ingest/webhooks/{sourceId}": 2 * time.Second,
	},
}

// follows reports whether a request is answered when what it follows ends: Standard has no p95 for it. How long that takes says nothing about how fast answers are, so
// it is in no latency but that of its route.
func follows(method, route string) bool {
	p95, named := Standard.Routes[method+" "+route]
	return named && p95 == 0
}

// SLIs are how the objectives are kept.
type SLIs struct {
	Window
	All    SLI   `json:"all"`    // of all routes together; it has no objective of time
	Routes []SLI `json:"routes"` // by route and method
}

// SLI is how those of one route are kept.
type SLI struct {
	Method     string     `json:"method,omitempty"`
	Route      string     `json:"route,omitempty"`
	Requests   int64      `json:"requests"`
	Refused    int64      `json:"refused"`
	Failed     int64      `json:"failed"`
	Available  *float64   `json:"availability"` // of what was not refused, the part that did not fail; null when all was refused
	P50        *float64   `json:"p50Ms"`
	P95        *float64   `json:"p95Ms"`
	P99        *float64   `json:"p99Ms"`
	FirstToken *float64   `json:"firstTokenP95Ms,omitempty"` // of streamed answers
	Objective  Objective  `json:"objective"`
	Used       *float64   `json:"errorBudgetUsed"` // of what may fail; more than 1 is too much. Null when all was refused
	Met        bool       `json:"met"`
	sum        Sum        // that it is made of
	first      meter.Cell // likewise
}

// Objective is what a route is held to.
type Objective struct {
	Availability float64  `json:"availability"`
	P95          *float64 `json:"p95Ms,omitempty"`
}

// SLIsOf makes them of the window's slots. First tokens are known by route alone: of those that stream, one method does.
func SLIsOf(w Window, slots []meter.Slot, o Objectives) SLIs {
	type key struct{ method, route string }
	routes, first, all := map[key]*SLI{}, map[string]meter.Cell{}, SLI{}
	at := func(route, method string) *SLI {
		k := key{method, route}
		if routes[k] == nil {
			routes[k] = &SLI{Method: method, Route: route}
		}
		return routes[k]
	}
	for _, set := range w.steps(slots) {
		if set == nil {
			continue
		}
		all.sum.Add(set)
		for of, c := range set.All() {
			switch of.Metric {
			case meter.Requests:
				at(of.Labels[0], of.Labels[1]).sum.requests(of.Labels[2], c.Sum)
			case meter.RequestDuration:
				join(&at(of.Labels[0], of.Labels[1]).sum.Latency, c)
			case meter.FirstToken:
				so := first[of.Labels[0]]
				join(&so, c)
				first[of.Labels[0]] = so
			}
		}
	}
	all.first = all.sum.FirstToken
	all.finish(o.Availability, 0)
	out := SLIs{Window: w, All: all, Routes: []SLI{}}
	for _, k := range slices.SortedFunc(maps.Keys(routes), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.route, b.route), cmp.Compare(a.method, b.method))
	}) {
		r := routes[k]
		r.first = first[k.route]
		p95, named := o.Routes[k.method+" "+k.route]
		if !named {
			p95 = o.P95
		}
		r.finish(o.Availability, p95)
		out.Routes = append(out.Routes, *r)
	}
	return out
}

// finish works out what is told from what was added up.
func (s *SLI) finish(availability float64, p95 time.Duration) {
	s.Requests, s.Refused, s.Failed = s.sum.Requests, s.sum.Refused, s.sum.Failed
	served := s.sum.Served()
	s.Available = part(served-s.Failed, served)
	s.P50, s.P95, s.P99 = millis(s.sum.Latency, 0.5), millis(s.sum.Latency, 0.95), millis(s.sum.Latency, 0.99)
	s.FirstToken = millis(s.first, 0.95)
	s.Objective.Availability = availability
	s.Met = true
	if served > 0 {
		used := rounded(float64(s.Failed) / (float64(served) * (1 - availability)))
		s.Used, s.Met = &used, used <= 1
	}
	if p95 > 0 {
		limit := float64(p95.Microseconds()) / 1000
		s.Objective.P95 = &limit
		s.Met = s.Met && (s.P95 == nil || *s.P95 <= limit)
	}
	s.sum, s.first = Sum{}, meter.Cell{}
}
