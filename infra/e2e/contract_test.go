package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheContractHoldsOnTheRunningWorker asks every route, well and badly, and holds the answers against the document
// that the Worker itself serves.
func TestTheContractHoldsOnTheRunningWorker(t *testing.T) {
	u := as(t, "acme")
	served := u.do("GET", "/openapi.json", nil)
	require.Equal(t, http.StatusOK, served.Status)
	doc, err := openapi3.NewLoader().LoadFromData(served.Body)
	require.NoError(t, err)
	doc.Servers = nil
	router, err := gorillamux.NewRouter(doc)
	require.NoError(t, err)
	for _, media := range []string{"text/event-stream", "application/x-ndjson"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.PlainBodyDecoder)
	}
	acc := u.index(document{DocID: "contract/held", Text: "What was promised is what is answered."})
	const problem = "application/problem+json"
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		accept       string
	}{
		{"GET", "/health", nil, 200, ""},
		{"GET", "/ready", nil, 200, ""},
		{"POST", "/ingest", document{Text: "One."}, 202, ""},
		{"POST", "/ingest", `{"text":5}`, 400, ""},
		{"POST", "/ingest", `{"text":"a","chunking":{"maxToken":1}}`, 400, problem},
		{"POST", "/ingest", `{"text":"a"`, 400, ""},
		{"GET", acc.StatusURL, nil, 200, ""},
		{"GET", "/jobs/none", nil, 404, ""},
		{"GET", "/documents/contract%2Fheld", nil, 200, ""},
		{"GET", "/documents/contract%2Fheld/content", nil, 200, ""},
		{"GET", "/documents/none", nil, 404, problem},
		{"POST", "/search", map[string]any{"query": "What was promised?", "answer": false}, 200, ""},
		{"POST", "/search", map[string]any{"query": "x", "filter": map[string]any{"nope": 1}}, 400, ""},
		{"POST", "/search", map[string]any{"query": "What was promised?"}, 200, ""},
		{"POST", "/search", map[string]any{"query": "What was promised?", "stream": true}, 200, ""},
		{"POST", "/search", map[string]any{"query": "x", "answer": false, "stream": true}, 400, ""},
		{"POST", "/chat", map[string]any{"sessionId": "contract", "message": "What was promised?", "stream": false}, 200, ""},
		{"POST", "/chat", map[string]any{"sessionId": "contract", "message": "What was promised?", "rag": map[string]any{}}, 200, ""},
		{"POST", "/chat", map[string]any{"message": ""}, 400, problem},
		{"POST", "/chat", map[string]any{"message": "x", "modelId": "none"}, 400, ""},
		{"GET", "/chat/streams/contract.1", nil, 200, ""},
		{"GET", "/chat/streams/contract.1?lastEventId=9999", nil, 204, ""},
		{"GET", "/chat/streams/contract.9", nil, 404, ""},
		{"GET", "/chat/contract/history", nil, 200, ""},
		{"GET", "/sessions?limit=2", nil, 200, ""},
		{"GET", "/sessions/contract", nil, 200, ""},
		{"GET", "/sessions/contract/history?limit=1", nil, 200, ""},
		{"GET", "/sessions/contract/export", nil, 200, ""},
		{"GET", "/sessions/contract/export?format=ndjson", nil, 200, ""},
		{"DELETE", "/sessions/contract", nil, 200, ""},
		{"DELETE", "/chat/contract", nil, 404, problem},
		{"GET", "/events?count=true&limit=2", nil, 200, ""},
		{"GET", "/events?replayed=perhaps", nil, 400, problem},
		{"GET", "/events/none", nil, 404, ""},
		{"POST", "/events/replay", map[string]any{"dryRun": true}, 200, ""},
		{"POST", "/events/replay", map[string]any{"codes": []string{"none"}}, 200, ""},
		{"POST", "/events/replay", `{"reasons":["none"]}`, 400, ""},
		{"GET", "/usage", nil, 200, ""},
		{"GET", "/usage?from=yesterday", nil, 400, ""},
	} {
		a := u.do(c.method, c.path, c.body, "accept", c.accept)
		require.Equal(t, c.status, a.Status, "%s %s: %s", c.method, c.path, a.Body)
		r, err := http.NewRequestWithContext(t.Context(), c.method, u.url+c.path, nil)
		require.NoError(t, err)
		route, params, err := router.FindRoute(r)
		require.NoError(t, err)
		input := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: params},
			Status:                 a.Status, Header: a.Header, Options: &openapi3filter.Options{IncludeResponseStatus: true},
		}
		input.SetBodyBytes(a.Body)
		require.NoError(t, openapi3filter.ValidateResponse(t.Context(), input), "%s %s", c.method, c.path)
	}
}

func TestWaitingAnswersWhenSearchesFindTheDocument(t *testing.T) {
	u := as(t, "acme")
	id := "waited/" + strings.Repeat("long", 30) // longer than what the index keeps of it
	a := u.do("POST", "/ingest?wait=60s", document{DocID: id, Text: "Terraces are held by walls of dry stone."})
	require.Equal(t, http.StatusOK, a.Status, "%s", a.Body)
	var j jobView
	a.into(t, &j)
	assert.Equal(t, "succeeded", j.State)
	f := u.search("What holds the terraces?", nil)
	require.NotEmpty(t, f.Sources)
	assert.Equal(t, id, f.Sources[0].DocID)
}

func TestTheTextOfASourceCanBeFetchedByItsOffsets(t *testing.T) {
	u := as(t, "acme")
	text := "# Grüße\n\nEs gibt Wege, die dem Wasser folgen.\n"
	u.index(document{DocID: "gruss", Text: text, ContentType: "text/markdown"})
	whole := u.do("GET", "/documents/gruss/content", nil)
	assert.Equal(t, text, string(whole.Body))
	assert.Equal(t, "nosniff", whole.Header.Get("X-Content-Type-Options"))
	part := u.do("GET", "/documents/gruss/content", nil, "range", "bytes=2-8")
	assert.Equal(t, http.StatusPartialContent, part.Status)
	assert.Equal(t, "Grüße", string(part.Body))
	same := u.do("GET", "/documents/gruss/content", nil, "if-none-match", whole.Header.Get("ETag"))
	assert.Equal(t, http.StatusNotModified, same.Status)
	head := u.do("HEAD", "/documents/gruss/content", nil)
	assert.Equal(t, http.StatusOK, head.Status)
	beyond := u.do("GET", "/documents/gruss/content", nil, "range", "bytes=900-")
	assert.Equal(t, http.StatusRequestedRangeNotSatisfiable, beyond.Status)
	assert.Equal(t, "range_not_satisfiable", beyond.Error.Code)
}

func TestWhoAsksForWhom(t *testing.T) {
	u := as(t, "acme")
	theirs := u.do("GET", "/jobs/x", nil, "x-tenant-id", "globex")
	assert.Equal(t, "tenant_mismatch", theirs.Error.Code)
	u.key = ""
	assert.Equal(t, "tenant_required", u.do("GET", "/jobs/x", nil).Error.Code)
	assert.Equal(t, "unauthorized", u.do("GET", "/jobs/x", nil, "x-tenant-id", "acme").Error.Code)
	assert.Equal(t, "tenant_not_found", u.do("GET", "/jobs/x", nil, "x-tenant-id", "initech").Error.Code)
	assert.Equal(t, "job_not_found", u.do("GET", "/jobs/x", nil, "x-tenant-id", "demo").Error.Code, "demo is open")
	preflight := u.do("OPTIONS", "/search", nil, "origin", "https://app.example.com", "access-control-request-method", "POST")
	assert.Equal(t, http.StatusNoContent, preflight.Status)
	assert.NotEmpty(t, preflight.Header.Get("Access-Control-Allow-Origin"))
}

// TestTheVersionIsTold: a deployment is healthy when the version that it deployed says so itself.
func TestTheVersionIsTold(t *testing.T) {
	var health struct {
		Data struct{ Version, VersionID, Environment string }
	}
	require.NoError(t, json.Unmarshal(as(t, "acme").do("GET", "/health", nil).Body, &health))
	assert.Equal(t, "dev", health.Data.Environment)
	assert.NotEmpty(t, health.Data.VersionID)
}
