package api

import (
	"flag"
	"levada.dev/tenants"
	"strings"
)

// Update makes tests write the generated files instead of comparing them.
var Update = flag.Bool("update", false, "write the generated files instead of comparing them")

// Routes are the rows of the table, as "GET /health".
func Routes() []string {
	out := make([]string, len(routes))
	for i, rt := range routes {
		out[i] = rt.method + " " + strings.Replace(rt.pattern, "...}", "}", 1) // OpenAPI has no path of any length
	}
	return out
}

// ActOf is the scope of a row, and the name of what it puts on record; "" for nothing.
func ActOf(method, pattern string) (scope tenants.APIScope, act string) {
	for _, rt := range routes {
		if rt.method == method && rt.pattern == pattern {
			if rt.act != nil {
				act = rt.act.name
			}
			return rt.scope, act
		}
	}
	return "", ""
}

// Code is a row of the table of codes.
type Code struct {
	Name    string
	Status  int
	Meaning string
}

// Codes is the table of codes.
func Codes() []Code {
	out := make([]Code, len(codes))
	for i, c := range codes {
		out[i] = Code{c.name, c.status, c.meaning}
	}
	return out
}

// Decode decodes a body as POST /ingest does, and throws it away.
func Decode(body []byte) error {
	_, err := ingestForm.decode(body)
	return err
}

// DecodeSearch decodes a body as POST /search does, and throws it away.
func DecodeSearch(body []byte) error {
	_, err := searchForm.decode(body)
	return err
}

// OffsetOf is where a body stopped being JSON, -1 when it did not.
func OffsetOf(err error) int {
	d, ok := err.(*detailed)
	if !ok || d.details.Offset == nil {
		return -1
	}
	return *d.details.Offset
}

// Parameters are the query parameters that a route of the table takes.
func Parameters(method, pattern string) []string {
	for _, rt := range routes {
		if rt.method == method && strings.ReplaceAll(rt.pattern, "...}", "}") == pattern {
			return rt.query
		}
	}
	return nil
}

// OnRecord reports whether a code is that of refused access, which the trail has.
func OnRecord(code string) bool { return onRecord(code) }

// ScopeOf is the scope of a row as Routes has it; needsKey says whether a key is what lets a caller in.
func ScopeOf(row string) (scope tenants.APIScope, needsKey bool) {
	for i, name := range Routes() {
		if name == row {
			return routes[i].scope, routes[i].scope != public && !routes[i].signed
		}
	}
	return "", false
}

// AnyScope is the scope of a row for which a key is enough.
const AnyScope = anyKey
