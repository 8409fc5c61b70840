package embed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/embed"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm/llmtest"
)

// ledger answers what it is told to, by document.
type ledger struct {
	corpus.Ledger
	stale map[string]bool
	fault error
	asked [][]string
}

func (l *ledger) Advance(_ context.Context, _ tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	var ids []string
	vs := make([]corpus.Verdict, len(ps))
	for i, p := range ps {
		ids = append(ids, p.DocID)
		vs[i] = corpus.Verdict{Stale: l.stale[p.DocID], Unwanted: l.stale[p.DocID]}
	}
	l.asked = append(l.asked, ids)
	return vs, l.fault
}

// many are deliveries of documents, each of which is said to have so many slices.
func many(t *testing.T, slices int, texts ...[]string) []consumers.Of[events.DocumentChunked] {
	t.Helper()
	ds := deliveries(t, model, texts...)
	for i := range ds {
		ds[i].Fact.Slices, ds[i].Fact.Chunks = slices, max(slices, ds[i].Fact.Chunks)
	}
	return ds
}

// TestLargeDocumentsAreAskedFor: one call for a batch, and none for small documents.
func TestLargeDocumentsAreAskedFor(t *testing.T) {
	l, e, out := &ledger{stale: map[string]bool{"doc1": true}}, &llmtest.Embedder{}, &eventstest.Publisher{}
	c := embed.New(e, corpus.Stores{}, l, out, time.Now)
	handle := func(ds []consumers.Of[events.DocumentChunked]) {
		t.Helper()
		for _, err := range c.Handle(t.Context(), scope(t), ds) {
			require.NoError(t, err)
		}
	}
	handle(many(t, 7, []string{"a"}, []string{"b"}))
	assert.Empty(t, l.asked)
	assert.Len(t, out.Events(), 2, "small ones are embedded, whatever has become of them")

	ds := many(t, 8, []string{"a"}, []string{"b"}, []string{"c"})
	handle(append(ds, ds[1]))
	assert.Equal(t, [][]string{{"doc0", "doc1", "doc2"}}, l.asked)
	var told []string
	for _, ev := range out.Events()[2:] {
		var f events.ChunksEmbedded
		require.NoError(t, ev.As(&f))
		told = append(told, f.DocID)
	}
	assert.Equal(t, []string{"doc0", "doc2"}, told, "nobody waits for the other")
	assert.Len(t, e.Calls(), 2)

	l.stale["doc0"], l.stale["doc2"] = true, true
	handle(ds)
	assert.Len(t, e.Calls(), 2, "there is nothing left to call a model for")
	l.fault = fault.Unavailablef(nil, "ledger_unavailable", "no answer")
	handle(ds)
	assert.Len(t, e.Calls(), 3, "who is not told goes on")
}
