package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/reembed"
)

// move lets the flow of a move run to its end.
func (w *world) move(tenant, id string) {
	w.t.Helper()
	ctx, scope := context.Background(), w.scope(tenant)
	j, err := w.store.ledger.Job(ctx, scope, id)
	require.NoError(w.t, err)
	mover := reembed.New(reembed.Ports{
		Ledger: w.store.ledger, Documents: w.store.ledger, Embedder: w.store.embedder,
		Stores: corpus.Stores{Texts: w.store.texts, Vectors: w.store.vectors, Lexicon: w.store.lexicon},
	}, func() time.Time { return w.opts.Now() })
	order := reembed.Order{Model: j.Model, Drop: j.Stage == string(reembed.Dropping)}
	require.NoError(w.t, flow.Inline(ctx, scope, mover.Flow, id, order, nil))
}

// A search that names a space reads that one, and is not remembered: what is in it changes without a new edition.
func TestASearchMayNameItsSpace(t *testing.T) {
	inBubbleOf(t, "there", func(t *testing.T) {
		w := newWorld(t)
		w.do("acme", "POST", "/ingest", `{"docId": "a", "text": "Water flows in channels."}`)
		w.finish("acme", "id-1", job.Succeeded)
		const other = "@cf/baai/bge-small-en-v1.5"
		body := `{"query": "What flows?", "answer": false, "mode": "vector", "embeddingModel": "` + other + `"}`
		rec := w.do("acme", "POST", "/search", body)
		assert.Equal(t, http.StatusBadRequest, rec.Code)
		assert.Contains(t, rec.Body.String(), "space_unknown")
		w.do("acme", "POST", "/tenant/embedding", `{"model": "`+other+`", "switch": false}`)
		rec = w.do("acme", "POST", "/search", body)
		assert.Equal(t, http.StatusOK, rec.Code, "it is being filled")
		assert.NotContains(t, rec.Body.String(), "channels")
		w.move("acme", "job-1")
		for range 2 {
			rec = w.do("acme", "POST", "/search", body)
			assert.Contains(t, rec.Body.String(), "channels")
			assert.NotContains(t, rec.Body.String(), "cached")
		}
		calls := w.store.embedder.Calls()
		assert.Equal(t, []any{llm.ForQuery, other}, []any{calls[len(calls)-1].Purpose, calls[len(calls)-1].Model})
		assert.Contains(t, w.do("globex", "POST", "/search", body).Body.String(), "space_unknown", "another tenant's")
	})
}

// moves is a ledger that does not answer.
type moves struct{ reembed.Ledger }

func (moves) Spaces(context.Context, tenants.Scope) (reembed.Spaces, error) {
	return reembed.Spaces{}, fault.Unavailablef(nil, "ledger_unreachable", "the ledger was not reached")
}

func TestALedgerThatIsNotReachedIsSaid(t *testing.T) {
	w := newWorld(t, func(w *world) { w.deps.Moves = moves{} })
	for _, r := range [][3]string{
		{"GET", "/tenant/embedding", ""},
		{"POST", "/tenant/embedding", `{"model": "@cf/baai/bge-m3", "dryRun": true}`},
		{"POST", "/search", `{"query": "q", "embeddingModel": "@cf/baai/bge-m3"}`},
	} {
		rec := w.do("acme", r[0], r[1], r[2])
		assert.Equal(t, http.StatusServiceUnavailable, rec.Code, r)
		assert.NotEmpty(t, rec.Header().Get("Retry-After"))
	}
}
