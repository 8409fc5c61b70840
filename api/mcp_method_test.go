package api_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

func erasing(_ tenants.Scope, a quota.Ask) error {
	if a.Writes {
		return fault.New(fault.Conflict, "tenant_erasing", "everything of the tenant is being erased", nil)
	}
	return nil
}

// What a message asks for is what the protocol reads. One that two readers could read in two ways is refused, whatever it looks like in one of them.
func TestAMessageHasOneMethod(t *testing.T) {
	w := newWorld(t)
	const call = `"params":{"name":"echo","arguments":{"text":"a"}}`
	for _, as := range []string{"acme", "globex"} {
		session := w.session(as)
		for methods, code := range map[string]string{
			`"method":"tools/call","METHOD":"tools/list"`:      "unknown_field",
			`"METHOD":"tools/list","method":"tools/call"`:      "unknown_field",
			`"method":"tools/call","\u004dethod":"tools/list"`: "unknown_field",
			`"Method":"tools/list"`:                            "unknown_field",
			`"method":"tools/call","METHOD":"initialize"`:      "unknown_field",
			`"method":"tools/call","method":"tools/list"`:      "duplicate_field",
			`"method":"tools/list","m\u0065thod":"tools/call"`: "duplicate_field",
			`"method":"tools/call","method":null`:              "duplicate_field",
		} {
			for _, headers := range [][]string{{"mcp-session-id", session, "mcp-protocol-version", "2025-11-25"}, {}, {"mcp-protocol-version", "2026-07-28", "mcp-method", "tools/call", "mcp-name", "echo"}} {
				rec := w.say(as, `{"jsonrpc":"2.0","id":1,`+methods+`,`+call+`}`, headers...)
				require.Equal(t, 400, rec.Code, "%s: %s", methods, rec.Body)
				assert.Equal(t, code, failed(t, rec).Code, methods)
				assert.Empty(t, rec.Header().Get("Mcp-Session-Id"))
			}
		}
		assert.Zero(t, w.bench.Runs("echo"))
		rec := w.say(as, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","METHOD":"a","arguments":{"text":"a","method":"b"}}}`, "mcp-session-id", session)
		assert.Equal(t, 200, rec.Code, "within the parameters the name is free: %s", rec.Body)
		assert.NotContains(t, rec.Body.String(), "unknown_field")
	}
}

// A batch may hold anything: it has a session, and counts as what writes.
func TestABatchCountsAsWhatWrites(t *testing.T) {
	w := newWorld(t)
	w.gate.Refuse = erasing
	for _, as := range []string{"acme", "globex"} {
		const batch = `[{"jsonrpc":"2.0","id":1,"method":"initialize","METHOD":"tools/list"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}}}]`
		rec := w.say(as, batch, "mcp-session-id", w.session(as), "mcp-protocol-version", "2025-03-26")
		assert.Equal(t, "tenant_erasing", failed(t, rec).Code)
		w.gate.Refuse = nil
		assert.Equal(t, "mcp_session_required", failed(t, w.say(as, batch, "mcp-protocol-version", "2025-03-26")).Code)
		w.gate.Refuse = erasing
	}
	assert.Zero(t, w.bench.Runs("echo"))
}

// asking asks one question for whatever message.
type asking struct{ method, target, body string }

func (a asking) Serve(w http.ResponseWriter, _ *http.Request, back http.Handler) error {
	r, err := http.NewRequest(a.method, a.target, strings.NewReader(a.body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	back.ServeHTTP(w, r)
	return nil
}

// What a message does is decided by the route that does it: one that writes is not let in while the tenant is erased, and access to what is no list
// is refused on record, even if the message said that it lists.
func TestWhatAMessageDoesDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) {
			w.deps.MCP = asking{"POST", "/tools/execute", `{"tool_name":"echo","params":{"text":"a"}}`}
		})
		for _, tenant := range []string{"acme", "globex"} {
			s := speaker{world: w, as: tenant, revision: "2026-07-28"}
			w.gate.Refuse = erasing
			assert.Equal(t, "tenant_erasing", failed(t, s.asks("tools/list", nil)).Code)
			assert.Equal(t, "tenant_erasing", failed(t, s.asks("tools/call", map[string]any{"name": "echo"})).Code)
			w.gate.Refuse = nil

			s.as += "-chat"
			assert.Equal(t, "scope_denied", failed(t, s.asks("tools/list", nil)).Code)
			time.Sleep(time.Minute) // of the bubble: they are gathered
			synctest.Wait()
			require.Len(t, w.acts(tenant), 1)
			assert.Equal(t, "scope_denied", w.acts(tenant)[0].Code)
		}
		assert.Zero(t, w.bench.Runs("echo"))
	})
}
