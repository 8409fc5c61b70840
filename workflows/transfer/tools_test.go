package transfer_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// notes has a tenant's tool store a document, under a key, and returns the job.
func (p *pool) notes(tenant, content, key string) (jobID string, replayed bool) {
	p.t.Helper()
	params, err := json.Marshal(map[string]string{"doc_id": "notes", "content": content})
	require.NoError(p.t, err)
	r := httptest.NewRequest(http.MethodPost, "https://levada.example.com/tools/execute", strings.NewReader(`{"tool_name":"ingest_docs","params":`+string(params)+`}`))
	r.Header.Set("Authorization", "Bearer "+p.keys[tenant])
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	rec := httptest.NewRecorder()
	p.handle.ServeHTTP(rec, r)
	require.Equal(p.t, http.StatusOK, rec.Code, "%s", rec.Body)
	var answer struct {
		Data struct {
			Data struct {
				JobID string `json:"job_id"`
			}
			Metadata struct{ Replayed bool }
		}
	}
	require.NoError(p.t, json.Unmarshal(rec.Body.Bytes(), &answer))
	return answer.Data.Data.JobID, answer.Data.Metadata.Replayed
}

// What is kept of calls does not move. A call that was made at the source and is repeated with its key after the move changes nothing here: its document
// is as it was stored, and is neither cut nor embedded again.
func TestACallIsRepeatedAfterTheMove(t *testing.T) {
	m := newMove(t)
	const content = "The gate is opened at dawn."
	there, _ := m.from.notes("acme", content, "once")
	m.goOn()
	again, replayed := m.from.notes("acme", content, "once")
	assert.Equal(t, there, again)
	assert.True(t, replayed)
	m.from.freeze(m.acme, true)
	j := m.bring(true)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	embedded := len(m.to.model.Calls())

	for i := range 2 {
		here, replayed := m.to.notes("acme", content, "once")
		assert.Equal(t, i > 0, replayed)
		m.goOn()
		assert.Equal(t, job.Succeeded, m.to.job(m.acme, here).State)
	}
	assert.Len(t, m.to.model.Calls(), embedded, "nothing is embedded")
	cards := m.to.cards(m.acme)
	require.Len(t, cards, 1)
	assert.Equal(t, corpus.Sum([]byte(content)), cards[0].SHA256)
	docs, err := m.to.ledger.Documents(t.Context(), m.acme, []string{"notes"})
	require.NoError(t, err)
	require.Len(t, docs, 1)
	assert.Equal(t, 1, docs[0].Generation)

	other, replayed := m.to.notes("globex", content, "once")
	assert.False(t, replayed, "another tenant's key")
	m.goOn()
	assert.Equal(t, job.Succeeded, m.to.job(m.globex, other).State)
	assert.Len(t, m.to.cards(m.globex), 2)
}
