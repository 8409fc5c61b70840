package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// routes is every route there is. A route with a scope belongs to a tenant: the tenant is resolved, and the caller's
// key must hold the scope.
var routes = []route{
	{method: "GET", pattern: "/health", scope: public, handle: health},
	{method: "GET", pattern: "/ready", scope: public, handle: ready},
	{method: "GET", pattern: "/openapi.json", scope: public, handle: openAPI},
	{method: "GET", pattern: "/whoami", scope: anyKey, handle: whoAmI},

	{method: "POST", pattern: "/ingest", writes: true, scope: tenants.ScopeIngest, body: jsonBody, idempotent: true, query: []string{"wait"}, handle: ingest},
	{method: "POST", pattern: "/ingest/webhooks/{sourceId}", writes: true, scope: tenants.ScopeIngest, signed: true, anyQuery: true, handle: deliver},
	{method: "OPTIONS", pattern: "/ingest/webhooks/{sourceId}", scope: public, handle: greet},
	{method: "POST", pattern: "/ingest/batch", writes: true, scope: tenants.ScopeIngest, idempotent: true, handle: ingestBatch},
	{method: "POST", pattern: "/imports", writes: true, scope: tenants.ScopeIngest, body: jsonBody, idempotent: true, handle: openImport},
	// Who reads documents needs the scope documents; who changes them, ingest.
	{method: "GET", pattern: "/documents", scope: tenants.ScopeDocuments, query: []string{"state", "source", "prefix", "cursor", "limit"}, handle: listDocuments},
	{method: "GET", pattern: "/documents/{id}", scope: tenants.ScopeDocuments, handle: showDocument},
	{method: "PUT", pattern: "/documents/{id}", writes: true, scope: tenants.ScopeIngest, body: jsonBody, idempotent: true, query: []string{"wait"}, handle: putDocument},
	{method: "DELETE", pattern: "/documents/{id}", scope: tenants.ScopeIngest, act: deletes("documents.delete", "documents"), handle: deleteDocument},
	{method: "GET", pattern: "/documents/{id}/content", scope: tenants.ScopeDocuments, query: []string{"original"}, handle: showContent},
	{method: "GET", pattern: "/jobs", scope: tenants.ScopeJobs, query: []string{"kind", "state", "importId", "cursor", "limit"}, handle: listJobs},
	{method: "GET", pattern: "/jobs/{id}", scope: tenants.ScopeJobs, handle: showJob},
	{method: "DELETE", pattern: "/jobs/{id}", scope: tenants.ScopeJobs, act: administers("jobs.cancel", "jobs"), handle: cancelJob},
	{method: "GET", pattern: "/jobs/{id}/events", scope: tenants.ScopeJobs, query: []string{"lastEventId"}, handle: followJob},
	{method: "GET", pattern: "/jobs/{id}/problems", scope: tenants.ScopeJobs, query: []string{"cursor", "limit"}, handle: listProblems},
	{method: "POST", pattern: "/chat", writes: true, talks: true, scope: tenants.ScopeChat, body: jsonBody, idempotent: true, namesUser: true, books: quota.Chat, handle: converse},
	{method: "GET", pattern: "/chat/streams/{streamId}", scope: tenants.ScopeChat, query: []string{"lastEventId"}, handle: followStream},
	{method: "GET", pattern: "/chat/{id}/history", wide: "/chat/{id}/{last}", scope: tenants.ScopeChat, query: []string{"cursor", "limit"}, handle: showSession},
	{method: "DELETE", pattern: "/chat/{id}", talks: true, scope: tenants.ScopeChat, act: deletes("sessions.delete", "sessions"), handle: deleteSession},
	{method: "GET", pattern: "/sessions", scope: tenants.ScopeChat, query: []string{"userId", "cursor", "limit"}, handle: listSessions},
	{method: "GET", pattern: "/sessions/{id}", scope: tenants.ScopeChat, query: []string{"cursor", "limit"}, handle: showSession},
	{method: "DELETE", pattern: "/sessions/{id}", talks: true, scope: tenants.ScopeChat, act: deletes("sessions.delete", "sessions"), handle: deleteSession},
	{method: "GET", pattern: "/sessions/{id}/history", scope: tenants.ScopeChat, query: []string{"cursor", "limit"}, handle: showSession},
	{method: "GET", pattern: "/sessions/{id}/export", scope: tenants.ScopeChat, query: []string{"format"}, handle: exportSession},
	{method: "DELETE", pattern: "/tenant", scope: tenants.ScopeAdmin, idempotent: true, query: []string{"confirm"}, act: deletes("tenant.erase", "tenant"), handle: eraseTenant},
	{method: "GET", pattern: "/tenant/embedding", scope: tenants.ScopeAdmin, handle: showEmbedding},
	{method: "POST", pattern: "/tenant/embedding", writes: true, scope: tenants.ScopeAdmin, body: jsonBody, idempotent: true, act: administers("tenant.embedding.set", "tenant"), handle: moveEmbedding},
	{method: "DELETE", pattern: "/tenant/embedding", scope: tenants.ScopeAdmin, idempotent: true, query: []string{"model"}, act: administers("tenant.embedding.drop", "tenant"), handle: dropEmbedding},
	{method: "GET", pattern: "/tenant/export/documents", scope: tenants.ScopeExport, query: []string{"cursor", "limit"}, handle: exportDocuments},
	{method: "POST", pattern: "/tenant/export/documents", scope: tenants.ScopeExport, body: jsonBody, handle: exportTexts}, // a list of ids is too long for a query
	{method: "GET", pattern: "/tenant/export/sessions", scope: tenants.ScopeExport, query: []string{"cursor", "limit"}, handle: exportSessions},
	{method: "POST", pattern: "/tenant/export/sessions", scope: tenants.ScopeExport, body: jsonBody, handle: exportParcels}, // as with documents
	{method: "GET", pattern: "/tenant/transfer", scope: tenants.ScopeExport, handle: showTransfer},
	{method: "POST", pattern: "/tenant/transfer", writes: true, scope: tenants.ScopeAdmin, body: jsonBody, act: administers("tenant.transfer.set", "tenant"), handle: setTransfer},
	{method: "POST", pattern: "/tenant/transfer/runs", writes: true, scope: tenants.ScopeAdmin, body: jsonBody, idempotent: true, act: administers("tenant.transfer.begin", "tenant"), handle: beginTransfer},
	{method: "GET", pattern: "/usage", scope: tenants.ScopeMetrics, query: []string{"from", "to", "group"}, handle: showUsage},
	{method: "POST", pattern: "/usage/estimate", scope: tenants.ScopeMetrics, body: jsonBody, handle: estimateUsage},
	{method: "GET", pattern: "/metrics", scope: tenants.ScopeMetrics, handle: showMetrics},
	{method: "GET", pattern: "/metrics/overview", scope: tenants.ScopeMetrics, query: []string{"period"}, handle: showOverview},
	{method: "GET", pattern: "/metrics/slis", scope: tenants.ScopeMetrics, query: []string{"period"}, handle: showSLIs},
	{method: "GET", pattern: "/metrics/cost", scope: tenants.ScopeMetrics, query: []string{"period"}, handle: showCost},
	{method: "GET", pattern: "/metrics/search-cache", scope: tenants.ScopeMetrics, query: []string{"period"}, handle: showCache},
	{method: "GET", pattern: "/metrics/tools/execution", scope: tenants.ScopeMetrics, query: []string{"period"}, handle: showTools},
	{method: "GET", pattern: "/metrics/anomalies", scope: tenants.ScopeMetrics, query: []string{"period"}, handle: showAnomalies},
	{method: "GET", pattern: "/metrics/alerts", scope: tenants.ScopeMetrics, handle: listAlerts},
	{method: "POST", pattern: "/metrics/alerts", writes: true, scope: tenants.ScopeMetrics, body: jsonBody, idempotent: true, act: administers("alerts.set", "alerts"), handle: setAlert},
	{method: "DELETE", pattern: "/metrics/alerts/{id}", scope: tenants.ScopeMetrics, act: administers("alerts.delete", "alerts"), handle: dropAlert},
	{method: "GET", pattern: "/traces", scope: tenants.ScopeMetrics, query: []string{"name", "failed", "cursor", "limit"}, handle: listTraces},
	{method: "GET", pattern: "/traces/{id}", scope: tenants.ScopeMetrics, query: []string{"format"}, handle: showTrace},
	{method: "GET", pattern: "/audit", scope: tenants.ScopeAudit, query: auditParameters, handle: showTrail},
	{method: "GET", pattern: "/events", scope: tenants.ScopeAudit, query: letterParameters, handle: listLetters},
	{method: "GET", pattern: "/events/{id}", scope: tenants.ScopeAudit, handle: showLetter},
	{method: "POST", pattern: "/events/replay", writes: true, scope: tenants.ScopeAdmin, body: jsonBody, idempotent: true, act: replays("events.replay", "letters"), handle: replayLetters}, // it changes documents, and costs money
	{method: "POST", pattern: "/search", writes: true, scope: tenants.ScopeSearch, body: jsonBody, books: quota.Search, handle: search},
	{method: "GET", pattern: "/schema/prompts", scope: tenants.ScopeChat, handle: listPrompts},
	{method: "GET", pattern: "/schema/prompts/{name}", scope: tenants.ScopeChat, handle: showPrompt},
	{method: "GET", pattern: "/schema/tools", scope: tenants.ScopeTools, handle: listTools},
	{method: "POST", pattern: "/tools/execute", writes: true, scope: tenants.ScopeTools, body: jsonBody, idempotent: true, namesUser: true, handle: executeTool},

	{method: "POST", pattern: "/tts", writes: true, scope: tenants.ScopeTTS, body: jsonBody, idempotent: true, handle: requestSpeech},
	{method: "GET", pattern: "/tts/voices", scope: tenants.ScopeTTS, handle: listVoices},
	{method: "GET", pattern: "/tts/jobs", scope: tenants.ScopeTTS, query: []string{"cursor", "limit"}, handle: listSpeech},
	{method: "GET", pattern: "/tts/jobs/{id}", scope: tenants.ScopeTTS, handle: showSpeech},
	{method: "DELETE", pattern: "/tts/jobs/{id}", scope: tenants.ScopeTTS, act: administers("speech.cancel", "speech"), handle: cancelSpeech},
	{method: "GET", pattern: "/tts/jobs/{id}/audio", scope: tenants.ScopeTTS, handle: showAudio},

	// The Model Context Protocol. What a message asks for holds the key to its scope. There are no streams to GET and no sessions to DELETE: 405, as the
	// protocol has it.
	{method: "POST", pattern: "/mcp", scope: anyKey, body: jsonBody, namesUser: true, ownPages: true, anyQuery: true, handle: speak},

	// OpenAI's wire format. What asks a model needs the scope chat, embeddings as well: SDKs have one key. Speech needs tts.
	{method: "POST", pattern: "/v1/chat/completions", writes: true, scope: tenants.ScopeChat, body: jsonBody, idempotent: true, namesUser: true, anyQuery: true, books: quota.Chat, handle: complete},
	{method: "POST", pattern: "/v1/embeddings", writes: true, scope: tenants.ScopeChat, body: jsonBody, namesUser: true, anyQuery: true, handle: embed},
	{method: "POST", pattern: "/v1/audio/speech", writes: true, scope: tenants.ScopeTTS, body: jsonBody, idempotent: true, namesUser: true, anyQuery: true, handle: say},
	{method: "GET", pattern: "/v1/models", scope: tenants.ScopeChat, anyQuery: true, handle: listModels},
	{method: "GET", pattern: "/v1/models/{id...}", scope: tenants.ScopeChat, anyQuery: true, handle: showModel},
}

// route is one row of the table.
type route struct {
	method     string
	pattern    string            // as net/http.ServeMux has it; GET answers HEAD, too
	wide       string            // for the mux, where pattern clashes with another row's: the same with {last} as its last word
	scope      tenants.APIScope  // what the caller's key must hold
	query      []string          // the parameters it takes; any other is refused
	anyQuery   bool              // nothing is refused: callers are programs of others, which add what they like
	body       bodyKind          // what the request carries
	idempotent bool              // honours Idempotency-Key
	signed     bool              // a signature stands for the key: the handler verifies it, takes the permit and reads the body
	writes     bool              // it stores something, or calls a model: not while everything of the tenant is being erased
	talks      bool              // it changes a conversation: not while the tenant is being moved to another pool
	namesUser  bool              // the body says which user asks: the handler calls c.permit once it knows
	act        *deed             // what is put on record before the handler runs, and how it ended
	ownPages   bool              // no web page of a foreign origin may call it, whatever key it has
	books      string            // what all models that it asks are booked under; "" leaves that to the purpose of each call
	handle     func(*call) error // answers with c.ok, or returns what went wrong
}

// letterParameters are those of the list of dead letters.
var letterParameters = []string{"type", "reason", "code", "stage", "id", "docId", "from", "to", "replayed", "body", "count", "cursor", "limit"}

// public marks a route that anybody may ask, with or without a tenant.
const public tenants.APIScope = ""

// anyKey marks a route of a tenant for which its key is enough, whatever scopes it holds.
const anyKey tenants.APIScope = "any"

// bodyKind is what a request carries. Each is limited to the tenant's Limits.BodyBytes.
type bodyKind int

const (
	noBody   bodyKind = iota // whatever comes is not read
	jsonBody                 // one JSON object, decoded strictly
)

// place is the rows of one pattern by their methods, and what answers the other methods.
type place struct {
	rows  map[string]*route
	other *route
	last  string // what {last} must be, in a wide pattern
}

// register gives the table to the mux, pattern by pattern.
func (s *server) register(table []route) {
	places := map[string]*place{}
	for i := range table {
		rt := &table[i]
		p := places[rt.pattern]
		if p == nil {
			p = &place{rows: map[string]*route{}}
			places[rt.pattern] = p
			at := rt.pattern
			if rt.wide != "" {
				at, p.last = rt.wide, rt.pattern[strings.LastIndexByte(rt.pattern, '/')+1:]
			}
			s.mux.Handle(at, p)
			if !strings.Contains(at, "{") {
				s.flat[at] = p
			}
		}
		p.rows[rt.method] = rt
		if rt.method == http.MethodGet {
			p.rows[http.MethodHead] = rt
		}
	}
	for pattern, p := range places {
		p.other = otherMethods(pattern, slices.Sorted(maps.Keys(p.rows)))
	}
	s.mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { callOf(r).run(missing, r) })
}

// ServeHTTP implements http.Handler.
func (p *place) ServeHTTP(_ http.ResponseWriter, r *http.Request) { p.serve(callOf(r), r) }

func (p *place) serve(c *call, r *http.Request) {
	rt := p.rows[r.Method]
	switch {
	case p.last != "" && r.PathValue("last") != p.last:
		rt = missing
	case rt == nil:
		rt = p.other
	}
	c.run(rt, r)
}

// otherMethods answers what a pattern has no row for.
func otherMethods(pattern string, allowed []string) *route {
	if !slices.Contains(allowed, http.MethodOptions) {
		allowed = append(allowed, http.MethodOptions)
	}
	allow := strings.Join(allowed, ", ")
	return &route{pattern: pattern, handle: func(c *call) error {
		c.w.Header().Set("Allow", allow)
		if c.r.Method == http.MethodOptions {
			return c.preflight(allow)
		}
		return withDetails(fault.New(fault.Invalid, "method_not_allowed", c.r.Method+" is not allowed here", nil),
			details{Allow: allow})
	}}
}

// missing answers what no row of the table does.
var missing = &route{pattern: "/", handle: func(*call) error {
	return fault.Missing("route_not_found", "there is no such route").WithHint("GET /openapi.json lists them")
}}
