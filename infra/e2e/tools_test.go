package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"levada.dev/events"
)

func (u user) tool(name, params string, headers ...string) answer {
	u.t.Helper()
	return u.do(http.MethodPost, "/tools/execute", map[string]any{"tool_name": name, "params": json.RawMessage(params)}, headers...)
}

// tools are the names of those that the user may call.
func (u user) tools() (names []string) {
	u.t.Helper()
	var list struct{ Tools []struct{ Name string } }
	u.do(http.MethodGet, "/schema/tools", nil).into(u.t, &list)
	for _, t := range list.Tools {
		names = append(names, t.Name)
	}
	return names
}

// act waits until the trail has the act of a call.
func (u user) act(target string) (act events.Act) {
	u.t.Helper()
	eventually(u.t, "the call is in the audit trail", func() bool {
		for _, e := range trail(u.t, sharedState, u.tenant) {
			if e.Act != nil && e.Act.Target == target && e.Act.Outcome != events.OutcomeBegun {
				act = *e.Act
				return true
			}
		}
		return false
	})
	return act
}

// Two tenants on the real platform: what is not there is refused alike, whether the other has it or nobody; and it is on record, for its own tenant.
func TestToolsThatATenantDoesNotHave(t *testing.T) {
	acme, globex := as(t, "acme"), as(t, "globex")
	assert.Equal(t, http.StatusOK, acme.do(http.MethodGet, "/ready", nil).Status)
	assert.NotContains(t, globex.tools(), "tag_chunk_docs", "which is acme's")
	for _, headers := range [][]string{nil, {"Accept", "text/event-stream"}, {"Idempotency-Key", uuid.NewString()}} {
		for _, name := range []string{"tag_chunk_docs", "no_such_tool"} {
			a := globex.tool(name, `{"content":"a"}`, headers...)
			assert.Equal(t, []any{http.StatusNotFound, "TOOL_NOT_FOUND"}, []any{a.Status, a.Error.Code}, "%s", a.Body)
			act := globex.act("calls/" + a.Error.Details.AuditID)
			assert.Equal(t, []any{events.ActTool, name, events.OutcomeRefused, "TOOL_NOT_FOUND"}, []any{act.Kind, act.Name, act.Outcome, act.Code})
			assert.Len(t, act.Arguments, 64)
			for _, e := range trail(t, sharedState, "acme") {
				assert.True(t, e.Act == nil || e.Act.Target != act.Target, "in another tenant's trail")
			}
		}
	}
}
