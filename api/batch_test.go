package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events"
	"levada.dev/producers/batch"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// door is the real door of batches, on the ledger in memory.
func (s *store) door() api.Imports {
	n := 0
	return batch.New(s.parts, s.ledger, &batch.Options{NewID: func() string {
		n++
		return fmt.Sprintf("import-%d", n)
	}})
}

// line is a request's line of NDJSON that the tenant takes.
const line = `{"text":"Levadas carry water."}` + "\n"

func (w *world) batch(as string, body io.Reader) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://levada.test/ingest/batch", body)
	r.Header.Set("Authorization", "Bearer "+w.keys[as])
	r.Header.Set("Content-Type", "application/x-ndjson")
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// feed hands the entries of a batch to the ledger, as the import's flow would.
func (w *world) feed(tenant, id string) {
	w.t.Helper()
	ctx, scope := context.Background(), w.scope(tenant)
	raw, err := w.store.parts.Get(ctx, scope, id, 0, imports.MaxPartBytes)
	require.NoError(w.t, err)
	var takings []imports.Taking
	for entry := range bytes.Lines(raw) {
		var e imports.Entry
		require.NoError(w.t, json.Unmarshal(entry, &e))
		if f := e.Refuse; f != nil {
			takings = append(takings, imports.Taking{Problem: &job.Problem{Stage: "submit", Line: e.Line, Field: f.Field, Code: f.Code, Message: f.Message}})
			continue
		}
		e.Draft.JobID, e.Draft.Cause = fmt.Sprintf("%s-%d", id, e.Line), events.Cause{ID: "test"}
		sub, err := w.store.Prepare(ctx, scope, *e.Draft)
		require.NoError(w.t, err)
		sub.Line = e.Line
		takings = append(takings, imports.Taking{Submission: &sub})
	}
	_, err = w.store.ledger.Take(ctx, scope, id, 0, takings)
	require.NoError(w.t, err)
}

// The body of acme's requests may have 2,000 bytes; a batch is as long as it likes, its lines are not.
func TestABatchIsLongerThanABody(t *testing.T) {
	w := newWorld(t)
	long := `{"text":"` + strings.Repeat("x", 2000) + `"}` + "\n"
	rec := w.batch("acme", io.MultiReader(strings.NewReader(strings.Repeat(line, 1500)), strings.NewReader(long), strings.NewReader(line)))
	require.Equal(t, http.StatusAccepted, rec.Code, rec.Body)
	assert.Contains(t, rec.Body.String(), `"entries":1501,"refused":1,"errors":[{"line":1501,"code":"line_too_long"`)
	assert.Equal(t, 4, w.store.parts.Len(w.scope("acme")))
	assert.Zero(t, w.store.parts.Len(w.scope("globex")))
}

func TestAClientThatLeavesStartsNothing(t *testing.T) {
	w := newWorld(t)
	rec := w.batch("acme", io.MultiReader(strings.NewReader(strings.Repeat(line, 1200)), &gone{}))
	assert.Equal(t, http.StatusBadRequest, rec.Code)
	assert.Contains(t, rec.Body.String(), `"body_incomplete"`)
	assert.Zero(t, w.store.parts.Len(w.scope("acme")))
}

type gone struct{}

func (*gone) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// Batches that are being read do not use up the room for bodies, and more than four at once wait.
func TestManyBatchesAtOnce(t *testing.T) {
	w := newWorld(t)
	const all = 12
	bodies := make([]*io.PipeWriter, all)
	answers := make(chan int, all)
	for i := range all {
		r, body := io.Pipe()
		bodies[i] = body
		go func() { answers <- w.batch("globex", r).Code }()
	}
	for _, body := range bodies {
		go func() {
			_, err := io.WriteString(body, strings.Repeat(line, 600))
			assert.NoError(t, errors.Join(err, body.Close()))
		}()
	}
	for range all {
		assert.Equal(t, http.StatusAccepted, <-answers)
	}
	assert.Equal(t, 2*all, w.store.parts.Len(w.scope("globex")))
}
