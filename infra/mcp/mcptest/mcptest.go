// Package mcptest makes messages of the Model Context Protocol for tests.
package mcptest

import (
	"encoding/json"
	"net/http"
)

// The revisions that tests speak: the last with sessions, and the first without.
const (
	WithSessions = "2025-11-25"
	Stateless    = "2026-07-28"
)

// Revisions are both.
var Revisions = []string{WithSessions, Stateless}

// Message is a request for a method as a client of a revision sends it: its body, and the headers that go with it. A session is for the caller to add.
// Params may have a _meta.
func Message(revision, method string, params map[string]any) ([]byte, http.Header) {
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Mcp-Protocol-Version": {revision}}
	all := map[string]any{}
	for name, value := range params {
		all[name] = value
	}
	if revision >= Stateless {
		meta := map[string]any{"io.modelcontextprotocol/protocolVersion": revision, "io.modelcontextprotocol/clientCapabilities": map[string]any{}}
		if given, ok := all["_meta"].(map[string]any); ok {
			for name, value := range given {
				meta[name] = value
			}
		}
		all["_meta"] = meta
		header.Set("Mcp-Method", method)
		for _, name := range []string{"name", "uri"} {
			if value, ok := all[name].(string); ok {
				header.Set("Mcp-Name", value)
			}
		}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 7, "method": method, "params": all})
	if err != nil {
		panic(err) // a test gave what is no JSON
	}
	return body, header
}
