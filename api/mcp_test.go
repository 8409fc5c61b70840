package api_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`

// say sends a message of the protocol; headers are pairs.
func (w *world) say(as, message string, headers ...string) *httptest.ResponseRecorder {
	return w.do(as, "POST", "/mcp", message, append([]string{"accept", "application/json, text/event-stream"}, headers...)...)
}

func (w *world) session(as string, headers ...string) string {
	rec := w.say(as, initialize, headers...)
	require.Equal(w.t, 200, rec.Code, "%s", rec.Body)
	id := rec.Header().Get("Mcp-Session-Id")
	require.NotEmpty(w.t, id)
	return id
}

// told is the result of an answer, or its error.
func told(t *testing.T, rec *httptest.ResponseRecorder) (result map[string]any, code int) {
	t.Helper()
	var m struct {
		Result map[string]any `json:"result"`
		Error  *struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &m), "%s", rec.Body)
	if m.Error != nil {
		return nil, m.Error.Code
	}
	return m.Result, 0
}

const ping = `{"jsonrpc":"2.0","id":2,"method":"ping"}`

func TestSessionsOfTheProtocolAreTheKeys(t *testing.T) {
	w := newWorld(t)
	rec := w.say("acme", ping)
	assert.Equal(t, 400, rec.Code)
	assert.Equal(t, "mcp_session_required", failed(t, rec).Code)

	ours, theirs, nobodys := w.session("acme"), w.session("globex"), w.session("", "x-tenant-id", "demo")
	assert.NotEqual(t, ours, w.session("acme"), "each begins its own")
	for _, tc := range []struct {
		as, session string
		status      int
	}{
		{"acme", ours, 200}, {"globex", theirs, 200}, {"acme", theirs, 404}, {"globex", ours, 404}, {"acme-search", ours, 404}, {"acme", nobodys, 404},
		{"acme", "x", 404}, {"acme", ours[:len(ours)-2] + "AA", 404}, {"acme", "AA" + ours[2:], 404},
	} {
		rec := w.say(tc.as, ping, "mcp-session-id", tc.session, "mcp-protocol-version", "2025-11-25")
		assert.Equal(t, tc.status, rec.Code, "%+v", tc)
		if tc.status == 404 {
			assert.Equal(t, "mcp_session_not_found", failed(t, rec).Code)
		}
	}
	assert.Equal(t, 200, w.say("", ping, "mcp-session-id", nobodys, "x-tenant-id", "demo").Code)
}

func TestForeignPagesDoNotSpeakTheProtocol(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct {
		as, host, origin string
		status           int
	}{
		{"acme", "levada.test", "", 200},
		{"acme", "levada.test", "https://app.acme.example", 200},
		{"acme", "levada.test", "https://evil.example", 403},
		{"globex", "levada.test", "https://app.acme.example", 403},
		{"acme", "acme.localhost", "http://acme.localhost", 200},
		{"acme", "localhost:8787", "http://localhost:8787", 200},
		{"acme", "127.0.0.1:8787", "http://127.0.0.1:8787", 200},
		{"acme", "[::1]:8787", "http://[::1]:8787", 200},
		{"acme", "evil.example", "http://evil.example", 403},
		{"demo", "evil.example:8787", "http://evil.example:8787", 403},
	} {
		rec := w.say(tc.as, initialize, "host", tc.host, "origin", tc.origin)
		assert.Equal(t, tc.status, rec.Code, "%+v %s", tc, rec.Body)
		if tc.status == 403 {
			assert.Equal(t, "origin_denied", failed(t, rec).Code)
		}
	}
}

func TestTheProtocolNeedsAKeyAndHasOneMethod(t *testing.T) {
	w := newWorld(t)
	rec := w.say("", initialize, "x-tenant-id", "acme")
	assert.Equal(t, 401, rec.Code)
	assert.Contains(t, rec.Header().Get("WWW-Authenticate"), "Bearer")
	for _, method := range []string{"GET", "DELETE"} {
		rec := w.do("acme", method, "/mcp", "")
		assert.Equal(t, 405, rec.Code)
		assert.Contains(t, rec.Header().Get("Allow"), "POST")
	}
}

// A message is one request to the tenant's rates, whatever it asks on the way; and what a key may not see it is not shown.
func TestDocumentsAreResources(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, 202, w.do("acme", "POST", "/ingest", `{"docId":"a/b+c","title":"A","text":"hello"}`).Code)
	require.Equal(t, 202, w.do("globex", "POST", "/ingest", `{"docId":"theirs","text":"secret"}`).Code)
	const list, uri = `{"jsonrpc":"2.0","id":2,"method":"resources/list"}`, "levada://documents/a%2Fb+c"
	read := func(uri string) string {
		return `{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"` + uri + `"}}`
	}
	for _, as := range []string{"acme", "globex", "acme-search"} {
		tenant, _, _ := strings.Cut(as, "-")
		session := w.session(as)
		asked := func() int { return len(w.gate.Asked(w.scope(tenant))) }
		before := asked()
		rec := w.say(as, list, "mcp-session-id", session)
		result, _ := told(t, rec)
		assert.Equal(t, before+1, asked())
		switch as {
		case "acme":
			assert.Len(t, result["resources"], 1)
			assert.Contains(t, rec.Body.String(), uri)
			result, _ = told(t, w.say(as, read(uri), "mcp-session-id", session))
			assert.Equal(t, "hello", result["contents"].([]any)[0].(map[string]any)["text"])
			_, code := told(t, w.say(as, read("levada://documents/theirs"), "mcp-session-id", session))
			assert.Equal(t, -32002, code)
		case "globex":
			assert.NotContains(t, rec.Body.String(), uri)
			_, code := told(t, w.say(as, read(uri), "mcp-session-id", session))
			assert.Equal(t, -32002, code)
		default:
			assert.Empty(t, result["resources"])
			_, code := told(t, w.say(as, read(uri), "mcp-session-id", session))
			assert.Equal(t, -32000, code)
		}
	}
}
