package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
)

// execution is what came of a call of a tool.
type execution struct {
	Success  bool
	Data     map[string]any
	Metadata struct {
		AuditID  string
		Replayed bool
		DryRun   bool
	}
}

const sum = `{"operation":"add","a":2,"b":3}`

// Two tenants with different tools on the real platform: what each has, what is refused, what is answered once, and what is on record.
func TestToolsAreCalled(t *testing.T) {
	acme, globex := as(t, "acme"), as(t, "globex")
	assert.Contains(t, acme.tools(), "tag_chunk_docs")
	assert.NotContains(t, globex.tools(), "tag_chunk_docs")
	assert.Contains(t, globex.tools(), "calculator")

	for _, name := range []string{"tag_chunk_docs", "no_such_tool"} {
		a := globex.tool(name, `{"content":"a"}`)
		assert.Equal(t, []any{http.StatusNotFound, "TOOL_NOT_FOUND"}, []any{a.Status, a.Error.Code})
	}
	a := acme.tool("calculator", `{"operation":"add","a":"two","b":3}`)
	assert.Equal(t, []any{http.StatusBadRequest, "VALIDATION_FAILED", "params.a"}, []any{a.Status, a.Error.Code, a.Error.Details.Field})
	const power = `{"operation":"power","a":2,"b":3}`
	a = globex.tool("calculator", power)
	assert.Equal(t, []any{http.StatusForbidden, "PERMISSION_DENIED", "params.operation"}, []any{a.Status, a.Error.Code, a.Error.Details.Field}, "its policy")

	key := uuid.NewString()
	var first, again, other, dry execution
	acme.tool("calculator", sum, "Idempotency-Key", key).into(t, &first)
	assert.Equal(t, map[string]any{"result": 5.0}, first.Data)
	a = acme.tool("calculator", ` {"b":3.0,"a":2,"operation":"add"} `, "Idempotency-Key", key)
	a.into(t, &again)
	assert.Equal(t, "true", a.Header.Get("Idempotent-Replayed"))
	assert.Equal(t, first.Metadata.AuditID, again.Metadata.AuditID)
	a = acme.tool("calculator", power, "Idempotency-Key", key)
	assert.Equal(t, []any{http.StatusConflict, "idempotency_conflict"}, []any{a.Status, a.Error.Code})
	globex.tool("calculator", sum, "Idempotency-Key", key).into(t, &other)
	assert.NotEqual(t, first.Metadata.AuditID, other.Metadata.AuditID, "another tenant's key")
	acme.do(http.MethodPost, "/tools/execute", map[string]any{"tool_name": "calculator", "params": json.RawMessage(sum), "dry_run": true}).into(t, &dry)
	assert.True(t, dry.Metadata.DryRun)

	done, theirs := acme.act("calls/"+first.Metadata.AuditID), globex.act("calls/"+other.Metadata.AuditID)
	assert.Equal(t, []any{events.ActTool, "calculator", events.OutcomeSucceeded}, []any{done.Kind, done.Name, done.Outcome})
	assert.Equal(t, done.Arguments, theirs.Arguments)
	assert.NotNil(t, objectRows(t, sharedState, "Calls", "acme"))
	for _, e := range trail(t, sharedState, "globex") {
		assert.True(t, e.Act == nil || e.Act.Target != done.Target, "in another tenant's trail")
	}
}

// The same over a stream: one result and nothing after it.
func TestAToolIsTold(t *testing.T) {
	body, _ := json.Marshal(map[string]any{"tool_name": "calculator", "params": json.RawMessage(sum)})
	for _, tenant := range []string{"acme", "globex"} {
		a := as(t, tenant).do(http.MethodPost, "/tools/execute", json.RawMessage(body), "Accept", "text/event-stream")
		require.Equal(t, http.StatusOK, a.Status)
		assert.True(t, strings.HasPrefix(a.Header.Get("Content-Type"), "text/event-stream"))
		assert.Equal(t, 1, strings.Count(string(a.Body), "event: "), "%s", a.Body)
		assert.Contains(t, string(a.Body), "event: result\ndata: {\"success\":true,\"data\":{\"result\":5}")
	}
}
