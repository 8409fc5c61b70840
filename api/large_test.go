package api_test

import (
	"cmp"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whatever route a body of a hundred thousand values goes to, it is refused before anything is made of it, also where nobody needs a key.
func TestNoRouteTakesManyValues(t *testing.T) {
	w := newWorld(t)
	many := "[" + strings.Repeat("1,", 100_000) + "1]"
	for route, body := range map[string]string{
		"POST /ingest":              `{"docId":"a","text":"a","metadata":{"a":` + many + `}}`,
		"PUT /documents/a":          `{"text":"a","metadata":{"a":` + many + `}}`,
		"POST /chat":                `{"message":"a","tool_name":"nope","tool_params":{"a":` + many + `}}`,
		"POST /search":              `{"query":"a","filter":{"a":` + many + `}}`,
		"POST /tools/execute":       `{"tool_name":"nope","params":{"a":` + many + `}}`,
		"POST /mcp":                 `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nope","arguments":{"a":` + many + `}}}`,
		"POST /v1/chat/completions": `{"model":"default","messages":[{"role":"user","content":"a"}],"metadata":{"a":` + many + `}}`,
		"POST /imports":             `{"urls":` + strings.ReplaceAll(many, "1", `""`) + `}`,
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, as := range []string{"globex", ""} {
			rec := w.do(as, method, path, body, "x-tenant-id", cmp.Or(as, "demo"), "mcp-protocol-version", "2026-07-28")
			assert.Equal(t, http.StatusBadRequest, rec.Code, "%s: %.300s", route, rec.Body)
			assert.Contains(t, rec.Body.String(), "json_too_complex", route)
		}
		for _, as := range []string{"globex", ""} {
			assert.Equal(t, http.StatusOK, w.do(as, "GET", "/schema/tools", "", "x-tenant-id", cmp.Or(as, "demo")).Code)
		}
	}
	batch := `{"docId":"a","text":"a","metadata":{"a":` + many + `}}` + "\n"
	for _, as := range []string{"globex", ""} {
		rec := w.do(as, "POST", "/ingest/batch", batch, "x-tenant-id", cmp.Or(as, "demo"), "content-type", "application/x-ndjson")
		assert.Equal(t, http.StatusBadRequest, rec.Code, "%.300s", rec.Body)
	}
}
