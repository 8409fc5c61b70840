package api

import (
	"net/http"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// routes is every route there is. A route with a scope belongs to a tenant: the tenant is resolved, and the caller's
// key must hold the scope.
var routes = []route{
	{method: "GET", pattern: "/health", scope: public, handle: health},
	{method: "GET", pattern: "/ready", scope: public, handle: ready},
	{method: "GET", pattern: "/openapi.json", scope: public, handle: openAPI},

	{method: "POST", pattern: "/ingest", scope: tenants.ScopeIngest, body: jsonBody, idempotent: true, handle: ingest},
	{method: "GET", pattern: "/documents/{id}", scope: tenants.ScopeDocuments, handle: showDocument},
	{method: "GET", pattern: "/documents/{id}/content", scope: tenants.ScopeDocuments, handle: showContent},
	{method: "GET", pattern: "/jobs/{id}", scope: tenants.ScopeJobs, handle: showJob},
	{method: "POST", pattern: "/search", scope: tenants.ScopeSearch, body: jsonBody, handle: search},
}

// route is one row of the table.
type route struct {
	method     string
	pattern    string            // as net/http.ServeMux has it; GET answers HEAD, too
	scope      tenants.APIScope  // what the caller's key must hold
	body       bodyKind          // what the request carries
	idempotent bool              // honours Idempotency-Key
	handle     func(*call) error // answers with c.ok, or returns what went wrong
}

// public marks a route that anybody may ask, with or without a tenant.
const public tenants.APIScope = ""

// bodyKind is what a request carries. Each is limited to the tenant's Limits.BodyBytes.
type bodyKind int

const (
	noBody   bodyKind = iota // whatever comes is not read
	jsonBody                 // one JSON object, decoded strictly
)

// register mounts the table, and for each pattern what answers its other methods.
func (s *server) register(table []route) {
	methods := map[string][]string{}
	for i := range table {
		rt := &table[i]
		s.mux.HandleFunc(rt.method+" "+rt.pattern, func(_ http.ResponseWriter, r *http.Request) {
			callOf(r).run(rt, r)
		})
		methods[rt.pattern] = append(methods[rt.pattern], rt.method)
		if rt.method == http.MethodGet {
			methods[rt.pattern] = append(methods[rt.pattern], http.MethodHead)
		}
	}
	for pattern, allowed := range methods {
		slices.Sort(allowed)
		allow := strings.Join(append(allowed, http.MethodOptions), ", ")
		other := &route{pattern: pattern, handle: func(c *call) error {
			c.w.Header().Set("Allow", allow)
			if c.r.Method == http.MethodOptions {
				return c.preflight(allow)
			}
			return withDetails(fault.New(fault.Invalid, "method_not_allowed", c.r.Method+" is not allowed here", nil),
				details{Allow: allow})
		}}
		s.mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) { callOf(r).run(other, r) })
	}
	s.mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { callOf(r).run(missing, r) })
}

// missing answers what no row of the table does.
var missing = &route{pattern: "/", handle: func(*call) error {
	return fault.Missing("route_not_found", "there is no such route").WithHint("GET /openapi.json lists them")
}}
