package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mcpline "levada.dev/infra/mcp/line"
)

// What is no message, or not one at a time, is refused before it is looked at, and the tools hear nothing of it.
func TestWhatIsNoMessage(t *testing.T) {
	w := newWorld(t)
	const both, call = "application/json, text/event-stream", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}}}`
	for _, as := range []string{"acme", "globex"} {
		session := w.session(as)
		for _, tc := range []struct {
			name, body, accept, media, version string
			status                             int
			says                               string
		}{
			{"half of one", call[:40], both, "application/json", "2025-11-25", 400, "malformed payload"},
			{"JSON alone", `{"method":"ping","id":1}`, both, "application/json", "2025-11-25", 400, "version tag"},
			{"text", `"ping"`, both, "application/json", "2025-11-25", 400, "malformed payload"},
			{"nothing", ``, both, "application/json", "2025-11-25", 400, "empty"},
			{"no id", `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}}}`, both, "application/json", "2025-11-25", 400, "missing id"},
			{"a batch", "[" + call + "]", both, "application/json", "2025-11-25", 400, "batching is not supported"},
			{"a batch without a session", "[" + call + "]", both, "application/json", "2026-07-28", 400, "batching is not supported"},
			{"half of one without a session", call[:40], both, "application/json", "2026-07-28", 400, "malformed payload"},
			{"without what it has to say of itself", call, both, "application/json", "2026-07-28", 400, "io.modelcontextprotocol/protocolVersion"},
			{"an unknown revision", call, both, "application/json", "1999-12-31", 400, "Unsupported protocol version"},
			{"a revision to come", call, both, "application/json", "2099-01-01", 400, "io.modelcontextprotocol/protocolVersion"},
			{"another content", call, both, "text/plain", "2025-11-25", 415, "unsupported_media_type"},
			{"no streams taken", call, "application/json", "application/json", "2025-11-25", 400, "Accept must contain both"},
			{"nothing that is answered taken", call, "text/html", "application/json", "2025-11-25", 400, "Accept must contain both"},
			{"too large", strings.Replace(call, `"a"`, `"`+strings.Repeat("a", 1<<20)+`"`, 1), both, "application/json", "2025-11-25", 413, "body_too_large"},
			{"no method", `{"jsonrpc":"2.0","id":1,"method":"tools/burn"}`, both, "application/json", "2025-11-25", 400, "tools/burn"},
		} {
			headers := []string{"accept", tc.accept, "content-type", tc.media, "mcp-protocol-version", tc.version}
			if tc.version < "2026-07-28" {
				headers = append(headers, "mcp-session-id", session)
			}
			if as == "globex" && tc.status == http.StatusRequestEntityTooLarge {
				continue // it may say more
			}
			r := w.request(as, "POST", "/mcp", tc.body, headers...)
			rec := httptest.NewRecorder()
			w.ServeHTTP(rec, r)
			assert.Equal(t, tc.status, rec.Code, "%s: %.300s", tc.name, rec.Body)
			assert.Contains(t, rec.Body.String(), tc.says, tc.name)
		}
	}
	assert.Zero(t, w.bench.Runs("echo"))
}

// The revision 2025-03-26 has batches. Its messages are answered one beside the other; there are no more of them than one request may ask for.
func TestABatchIsAnsweredInOne(t *testing.T) {
	w := newWorld(t)
	for _, as := range []string{"acme", "globex"} {
		session := w.session(as)
		for n, status := range map[int]int{2: http.StatusOK, mcpline.MaxQuestions: http.StatusOK, mcpline.MaxQuestions + 1: http.StatusServiceUnavailable} {
			var batch []string
			for id := range n {
				batch = append(batch, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"echo","arguments":{"text":"%s %d"}}}`, id, as, id))
			}
			rec := w.request(as, "POST", "/mcp", "["+strings.Join(batch, ",")+"]",
				"accept", "application/json, text/event-stream", "mcp-protocol-version", "2025-03-26", "mcp-session-id", session)
			answer := httptest.NewRecorder()
			w.ServeHTTP(answer, rec)
			require.Equal(t, status, answer.Code, "%d: %s", n, answer.Body)
			if status != http.StatusOK {
				assert.Equal(t, "mcp_unavailable", failed(t, answer).Code)
				continue
			}
			var all []struct {
				ID     int
				Result struct{ StructuredContent map[string]any }
			}
			require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &all))
			require.Len(t, all, n)
			for _, one := range all {
				assert.Equal(t, map[string]any{"text": fmt.Sprint(as, " ", one.ID), "tenant": as}, one.Result.StructuredContent)
			}
		}
	}
}
