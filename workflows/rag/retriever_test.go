package rag_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/terms"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

// world is two tenants with a document of the same id and the same places on the number line.
type world struct {
	*rag.Retriever
	ports    rag.Ports
	embedder *embedder
	index    *index
	words    *words
	ledger   *ledger
	acme     tenants.Scope
	globex   tenants.Scope
}

func newWorld(t *testing.T, opts *rag.Options) *world {
	t.Helper()
	w := &world{
		embedder: &embedder{},
		index:    &index{Vectors: memory.NewVectors(time.Now)},
		words:    &words{Lexicon: memory.NewLexicon()},
		ledger:   &ledger{documents: map[string]corpus.Document{}},
		acme:     tenantstest.Scope(t, "acme"),
		globex:   tenantstest.Scope(t, "globex"),
	}
	w.ports = rag.Ports{Embedder: w.embedder, Vectors: w.index, Lexicon: w.words, Ledger: w.ledger}
	w.Retriever = rag.New(w.ports, opts)
	return w
}

// write puts chunks of one generation at the given places.
func (w *world) write(t *testing.T, s tenants.Scope, doc string, generation int, places ...float64) {
	t.Helper()
	for chunk, at := range places {
		text := fmt.Sprintf("%s says %v in generation %d", s.Tenant(), at, generation)
		require.NoError(t, w.index.Upsert(t.Context(), s, model, []corpus.Vector{{
			ID: corpus.VectorID(s, doc, generation, chunk), Values: place(at),
			Metadata: corpus.Metadata{DocID: doc, Generation: generation, Chunk: chunk, Start: chunk * 10, End: chunk*10 + 9, Text: text, Source: "old"},
		}}))
	}
}

// text replaces what the chunks of a document say, all at the place 5, in both indexes.
func (w *world) text(t *testing.T, s tenants.Scope, doc string, generation int, texts ...string) {
	t.Helper()
	start := 0
	for chunk, text := range texts {
		w.both(t, s, 5, corpus.Metadata{DocID: doc, Generation: generation, Chunk: chunk, Start: start, End: start + len(text), Text: text})
		start += len(text) + 1
	}
}

// both puts a chunk at a place of the one index, and its words into the other.
func (w *world) both(t *testing.T, s tenants.Scope, at float64, m corpus.Metadata) {
	t.Helper()
	require.NoError(t, w.index.Upsert(t.Context(), s, model, []corpus.Vector{{
		ID: corpus.VectorID(s, m.DocID, m.Generation, m.Chunk), Values: place(at), Metadata: m,
	}}))
	head, body := terms.Passage("", m.Heading, m.Text)
	require.NoError(t, w.words.Put(t.Context(), s, []corpus.Passage{{Metadata: m, Head: head, Body: body}}))
}

// remove takes the chunks of a retired generation away.
func (w *world) remove(t *testing.T, s tenants.Scope, doc string, generation, chunks int) {
	t.Helper()
	ids := make([]string, chunks)
	for chunk := range chunks {
		ids[chunk] = corpus.VectorID(s, doc, generation, chunk)
	}
	require.NoError(t, w.index.Delete(t.Context(), s, model, ids))
}

// ask is a question to the vectors alone.
func ask(text string, topK int) rag.Query {
	return rag.Query{Text: text, TopK: topK, Mode: rag.Vector, Model: model}
}

func ids(r rag.Result) []string {
	out := []string{}
	for _, s := range r.Sources {
		out = append(out, s.ChunkID)
	}
	return out
}

func TestSearchAnswersBestFirstWithItsPlace(t *testing.T) {
	w := newWorld(t, nil)
	w.ledger.set(w.acme, "guide", 1)
	w.write(t, w.acme, "guide", 1, 1, 5, 9.5)

	r, err := w.Search(t.Context(), w.acme, ask("5", 2))
	require.NoError(t, err)
	require.Equal(t, []string{"guide#1", "guide#0"}, ids(r))
	got := r.Sources[0]
	assert.Equal(t, "guide", got.DocID)
	assert.Equal(t, "GUIDE", got.Title, "the title is the ledger's")
	assert.Equal(t, "wiki", got.Source, "the source is the ledger's, not the index's")
	assert.Equal(t, "acme says 5 in generation 1", got.Text)
	assert.Equal(t, [2]int{10, 19}, [2]int{got.Start, got.End})
	assert.InDelta(t, 1.0, got.Score, 1e-6)
	assert.Equal(t, rag.Scores{Vector: &got.Score}, got.Scores)
}

func TestTenantsSeeTheirOwn(t *testing.T) {
	w := newWorld(t, nil)
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		w.ledger.set(s, "guide", 1)
		w.write(t, s, "guide", 1, 5)
	}
	w.ledger.set(w.acme, "secret", 1)
	w.write(t, w.acme, "secret", 1, 5)

	r, err := w.Search(t.Context(), w.globex, ask("5", 10))
	require.NoError(t, err)
	require.Equal(t, []string{"guide#0"}, ids(r))
	assert.Equal(t, "globex says 5 in generation 1", r.Sources[0].Text)

	_, err = w.Search(t.Context(), tenants.Scope{}, ask("5", 10))
	assert.Equal(t, tenants.ErrNoScope, err)
}

func TestOnlyTheSearchableGenerationIsShown(t *testing.T) {
	w := newWorld(t, nil)
	w.ledger.set(w.acme, "replaced", 2)
	w.write(t, w.acme, "replaced", 1, 5, 6)
	w.write(t, w.acme, "replaced", 2, 8)
	w.ledger.set(w.acme, "arriving", 0)
	w.write(t, w.acme, "arriving", 1, 5)
	w.write(t, w.acme, "gone", 1, 5)
	w.ledger.set(w.acme, "ahead", 1)
	w.write(t, w.acme, "ahead", 2, 5)

	r, err := w.Search(t.Context(), w.acme, ask("5", 10))
	require.NoError(t, err)
	assert.Equal(t, []string{"replaced#0"}, ids(r))
	assert.Equal(t, "acme says 8 in generation 2", r.Sources[0].Text)
}

func TestAWindowEmptiedByStaleChunksIsEnlargedOnce(t *testing.T) {
	w := newWorld(t, &rag.Options{OverFetch: 2})
	w.ledger.set(w.acme, "busy", 9)
	for generation := 1; generation < 9; generation++ {
		w.write(t, w.acme, "busy", generation, 5)
	}
	w.write(t, w.acme, "busy", 9, 7)

	r, err := w.Search(t.Context(), w.acme, ask("5", 2))
	require.NoError(t, err)
	assert.Equal(t, []string{"busy#0"}, ids(r))
	require.Len(t, w.index.queries, 2)
	assert.Equal(t, 4, w.index.queries[0].TopK)
	assert.Equal(t, rag.MaxTopK, w.index.queries[1].TopK)
}

func TestAWindowThatHoldsEverythingIsNotEnlarged(t *testing.T) {
	w := newWorld(t, nil)
	w.ledger.set(w.acme, "guide", 2)
	w.write(t, w.acme, "guide", 1, 5)

	r, err := w.Search(t.Context(), w.acme, ask("5", 5))
	require.NoError(t, err)
	assert.Equal(t, []string{}, ids(r), "an empty list, not null")
	assert.Len(t, w.index.queries, 1)

	_, err = w.Search(t.Context(), w.globex, ask("5", 5))
	require.NoError(t, err)
	assert.Len(t, w.ledger.asked, 1, "the ledger is not asked about nothing")
}

func TestTiesHaveAnOrder(t *testing.T) {
	w := newWorld(t, nil)
	for _, doc := range []string{"b", "a"} {
		w.ledger.set(w.acme, doc, 1)
		w.write(t, w.acme, doc, 1, 5, 5)
	}
	w.text(t, w.acme, "a", 1, "First of the four.", "The second one is this.")
	w.text(t, w.acme, "b", 1, "Third comes after that.", "No more follow, as it is the last.")
	r, err := w.Search(t.Context(), w.acme, ask("5", 4))
	require.NoError(t, err)
	assert.Equal(t, []string{"a#0", "a#1", "b#0", "b#1"}, ids(r))
	require.Len(t, w.ledger.asked, 1)
	assert.ElementsMatch(t, []string{"a", "b"}, w.ledger.asked[0], "each document is asked for once")
}

func TestQueryIsCheckedBeforeAnythingIsSpent(t *testing.T) {
	w := newWorld(t, nil)
	for _, tc := range []struct {
		q     rag.Query
		field string
	}{
		{ask(" \t", 5), "query"},
		{ask("5", 0), "topK"},
		{ask("5", rag.MaxTopK+1), "topK"},
		{rag.Query{Text: "5", TopK: 5, Filter: json.RawMessage(`{"x":1}`)}, "filter.x"},
	} {
		_, err := w.Search(t.Context(), w.acme, tc.q)
		require.True(t, fault.Is(err, fault.Invalid), "%v", err)
		assert.Equal(t, tc.field, fault.As(err).Field)
	}
	assert.Empty(t, w.embedder.calls)
}

func TestFaultsOfPortsKeepTheirKind(t *testing.T) {
	busy := fault.Unavailablef(errors.New("3040"), "model_busy", "busy")
	for name, breakIt := range map[string]func(*world){
		"embedder": func(w *world) { w.embedder.err = busy },
		"index":    func(w *world) { w.index.Before = func(string) error { return busy } },
		"ledger":   func(w *world) { w.ledger.err = busy },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.ledger.set(w.acme, "guide", 1)
			w.write(t, w.acme, "guide", 1, 5)
			breakIt(w)
			_, err := w.Search(t.Context(), w.acme, ask("5", 5))
			assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		})
	}
}

func TestCallsAreOnRecord(t *testing.T) {
	now := time.Unix(0, 0)
	w := newWorld(t, &rag.Options{Now: func() time.Time { now = now.Add(1500 * time.Microsecond); return now }})
	q := ask("5", 5)
	q.RequestID = "r-1"
	r, err := w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, []llm.Call{{Model: model, Purpose: llm.ForQuery, RequestID: "r-1"}}, w.embedder.calls)
	b, err := json.Marshal(r.Timings)
	require.NoError(t, err)
	assert.JSONEq(t, `{"embedMs":1.5,"vectorsMs":1.5,"lexiconMs":0,"ledgerMs":3,"totalMs":15}`, string(b), "asked for the space, and for the documents")
}

func TestFilterReachesTheIndex(t *testing.T) {
	w := newWorld(t, nil)
	q := ask("5", 5)
	q.Fields = rag.Fields{"year": tenants.FieldNumber}
	q.Filter = json.RawMessage(`{"year":{"$gte":2020}}`)
	_, err := w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.JSONEq(t, `{"meta.year":{"$gte":2020}}`, string(w.index.queries[0].Filter))
}

func ExampleRetriever_Search() {
	ctx := context.Background()
	s, _ := tenants.Resume("acme")
	books := &ledger{documents: map[string]corpus.Document{}}
	books.set(s, "guide", 1)
	vectors := memory.NewVectors(time.Now)
	_ = vectors.Upsert(ctx, s, model, []corpus.Vector{{
		ID: "1", Values: place(7), Metadata: corpus.Metadata{DocID: "guide", Generation: 1, Chunk: 3, Text: "Seven is here."},
	}})

	r := rag.New(rag.Ports{Embedder: &embedder{}, Vectors: vectors, Lexicon: memory.NewLexicon(), Ledger: books}, nil)
	found, _ := r.Search(ctx, s, rag.Query{Text: "7", TopK: 5, Model: model})
	for _, source := range found.Sources {
		fmt.Println(source.ChunkID, source.Text)
	}
	// Output: guide#3 Seven is here.
}
