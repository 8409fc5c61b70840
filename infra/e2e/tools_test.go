package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/tenants"
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

// runs has a tool run, which goes well, and reads what it said.
func runs[Out any](u user, name string, params map[string]any, headers ...string) (out Out) {
	u.t.Helper()
	text, err := json.Marshal(params)
	require.NoError(u.t, err)
	a := u.tool(name, string(text), headers...)
	require.Equal(u.t, http.StatusOK, a.Status, "%s: %s", name, a.Body)
	var said struct {
		Success  bool            `json:"success"`
		Data     json.RawMessage `json:"data"`
		Metadata struct {
			AuditID string `json:"auditId"`
		} `json:"metadata"`
	}
	a.into(u.t, &said)
	require.True(u.t, said.Success, "%s", a.Body)
	require.NotEmpty(u.t, said.Metadata.AuditID)
	require.NoError(u.t, json.Unmarshal(said.Data, &out), "%s", said.Data)
	return out
}

type place struct {
	Text  string   `json:"text"`
	Type  string   `json:"type"`
	Tags  []string `json:"tags"`
	Start int      `json:"start_offset"`
	End   int      `json:"end_offset"`
}

// The platform's own tools on the real platform: acme has all of them, globex has three, and neither sees what the other has stored.
func TestThePlatformsOwnTools(t *testing.T) {
	acme, globex := as(t, "acme"), as(t, "globex")
	assert.Equal(t, tenants.PlatformTools(), acme.tools())
	assert.Equal(t, []string{"calculator", "search_docs", "summarize"}, globex.tools())

	about := "Zorbulators of " + acme.tenant + " turn water into light. Dr. Ada Lovelace built the first zorbulator in Funchal on 22 November 2026 for $1,250."
	for _, u := range []user{acme, globex} {
		sum := runs[struct{ Result float64 }](u, "calculator", map[string]any{"operation": "add", "a": 0.1, "b": 0.2})
		assert.Equal(t, 0.3, sum.Result)
		short := runs[struct{ Summary, Format string }](u, "summarize", map[string]any{"text": about, "max_length": 100})
		assert.Equal(t, "Zorbulators of acme turn water into light.", short.Summary)
		assert.Equal(t, "paragraph", short.Format)
		bad := u.tool("calculator", `{"operation":"divide","a":1,"b":0}`)
		assert.Equal(t, []any{http.StatusBadRequest, "VALIDATION_FAILED", "params.b"}, []any{bad.Status, bad.Error.Code, bad.Error.Details.Field}, "%s", bad.Body)
	}

	entities := runs[struct {
		Entities []place
		Count    int
	}](acme, "extract_entities", map[string]any{"text": "é😀 " + about, "entity_types": []string{"PERSON", "LOCATION", "DATE", "MONEY"}})
	require.Equal(t, 4, entities.Count)
	for i, want := range []string{"Ada Lovelace", "Funchal", "22 November 2026", "$1,250"} {
		e := entities.Entities[i]
		assert.Equal(t, []string{want, want}, []string{e.Text, string([]rune("é😀 " + about)[e.Start:e.End])})
	}
	intent := runs[struct {
		Intent     string
		Confidence float64
		Considered []string `json:"categories_considered"`
	}](acme, "classify_intent", map[string]any{"text": "I was charged twice, please refund my invoice"})
	assert.Equal(t, "billing", intent.Intent)
	assert.Len(t, intent.Considered, 12)
	t.Logf("confidence %v", intent.Confidence)
	chunks := runs[struct {
		Chunks []place
		Count  int `json:"chunk_count"`
	}](acme, "tag_chunk_docs", map[string]any{"content": about, "chunk_size": 100})
	assert.Equal(t, len(chunks.Chunks), chunks.Count)
	assert.Equal(t, chunks.Chunks[0].Text, about[chunks.Chunks[0].Start:chunks.Chunks[0].End])
	assert.NotEmpty(t, chunks.Chunks[0].Tags)

	id, key := "tool/"+uuid.NewString(), uuid.NewString()
	type stored struct {
		DocID string `json:"doc_id"`
		JobID string `json:"job_id"`
	}
	document := map[string]any{"content": about, "doc_id": id, "title": "Zorbulators", "source": "tools"}
	first := runs[stored](acme, "ingest_docs", document, "Idempotency-Key", key)
	assert.Equal(t, first, runs[stored](acme, "ingest_docs", document, "Idempotency-Key", key), "once")
	assert.Equal(t, id, first.DocID)
	require.Equal(t, "succeeded", acme.finished(first.JobID).State)
	assert.Equal(t, 1, acme.document(id).Generation)
	type hits struct {
		Sources []struct {
			DocID string `json:"doc_id"`
			Text  string
		}
	}
	found := runs[hits](acme, "search_docs", map[string]any{"query": "who built the first zorbulator?", "top_k": 3})
	require.NotEmpty(t, found.Sources)
	assert.Equal(t, id, found.Sources[0].DocID)
	for _, s := range runs[hits](globex, "search_docs", map[string]any{"query": "who built the first zorbulator?"}).Sources {
		assert.NotEqual(t, id, s.DocID, "another tenant's")
	}
}
