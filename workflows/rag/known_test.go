package rag_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/rag"
)

// What the ledger has said of a document is not asked again in the same edition, by any mode that hears of the edition.
func TestDocumentsAreKnownForAnEdition(t *testing.T) {
	w := library(t, nil)
	search := func(s tenants.Scope, q rag.Query) []string {
		t.Helper()
		r, err := w.Search(t.Context(), s, q)
		require.NoError(t, err)
		return ids(r)
	}
	first := search(w.acme, hybrid("5 zorbulator", 3))
	require.Len(t, w.ledger.asked, 1)
	assert.Equal(t, first, search(w.acme, hybrid("5 zorbulator", 3)))
	q := hybrid("4 water", 3)
	q.Mode = rag.Vector
	search(w.acme, q)
	assert.Len(t, w.ledger.asked, 1, "all of them are known")

	assert.Equal(t, first, search(w.globex, hybrid("5 zorbulator", 3)))
	assert.Len(t, w.ledger.asked, 2, "another tenant's are its own")

	w.ledger.set(w.acme, "word", 2)
	assert.NotContains(t, search(w.acme, hybrid("5 zorbulator", 3)), "word#0", "it is another generation now")
	require.Len(t, w.ledger.asked, 3)
	w.ledger.set(w.acme, "word", 1)
	assert.Equal(t, first, search(w.acme, hybrid("5 zorbulator", 3)))
	require.Len(t, w.ledger.asked, 4)

	q.Mode = rag.Keyword
	q.Text = "zorbulator"
	search(w.acme, q)
	assert.Len(t, w.ledger.asked, 5, "who has not heard of the edition asks for the documents")
	q = hybrid("5 zorbulator", 3)
	q.Space = model
	search(w.acme, q)
	assert.Len(t, w.ledger.asked, 6, "as a space of its own says nothing of it")
}

// Only what is not known is asked for, and what is not shown is known as well.
func TestOnlyUnknownDocumentsAreAskedFor(t *testing.T) {
	w := library(t, nil)
	w.ledger.set(w.acme, "far", 0)
	q := rag.Query{Text: "5", TopK: 1, Model: model, Mode: rag.Vector}
	q.Filter = []byte(`{"docId":{"$in":["near","far"]}}`)
	for range 2 {
		_, err := w.Search(t.Context(), w.acme, q)
		require.NoError(t, err)
	}
	require.Len(t, w.ledger.asked, 1)
	assert.ElementsMatch(t, []string{"near", "far"}, w.ledger.asked[0])
	_, err := w.Search(t.Context(), w.acme, hybrid("5 zorbulator", 3))
	require.NoError(t, err)
	require.Len(t, w.ledger.asked, 2)
	assert.Equal(t, []string{"word"}, w.ledger.asked[1])
}

// A ledger that does not say which edition it is has said nothing, whatever is known.
func TestNothingIsKnownWithoutTheLedger(t *testing.T) {
	w := library(t, nil)
	_, err := w.Search(t.Context(), w.acme, hybrid("5 zorbulator", 3))
	require.NoError(t, err)
	w.ledger.edition = func(context.Context) (corpus.Edition, error) { return corpus.Edition{}, assert.AnError }
	_, err = w.Search(t.Context(), w.acme, hybrid("5 zorbulator", 3))
	assert.ErrorIs(t, err, assert.AnError)
}

// The cache before a search hands on the edition that it has heard of.
func TestTheCacheHandsOnItsEdition(t *testing.T) {
	w := library(t, nil)
	cached := rag.NewCached(w.Retriever, w.ledger, memory.NewCache(time.Now), nil)
	for i, text := range []string{"5 zorbulator", "5 shed", "5 water"} {
		q := hybrid(text, 3)
		q.Cache, q.Mode = time.Minute, rag.Modes[i]
		r, err := cached.Search(t.Context(), w.acme, q)
		require.NoError(t, err)
		assert.Equal(t, rag.Miss, r.Cache)
		assert.NotEmpty(t, r.Sources)
	}
	assert.Len(t, w.ledger.asked, 1)
}

// What is known has its bounds: then what was not asked for of late is asked for again, and nothing else changes.
func TestWhatIsKnownHasBounds(t *testing.T) {
	const documents = 60
	w, all := newWorld(t, &rag.Options{KnownBytes: 10_000}), newWorld(t, nil)
	for _, x := range []*world{w, all} {
		for i := range documents {
			doc := fmt.Sprint("doc-", i)
			text := fmt.Sprintf("The word number%d stands here.", i)
			x.ledger.set(x.acme, doc, 1)
			x.both(t, x.acme, 0, corpus.Metadata{DocID: doc, Generation: 1, End: len(text), Text: text})
		}
	}
	for i := range 3 * documents {
		q := rag.Query{Text: fmt.Sprint("number", i%documents), TopK: 1, Model: model}
		q.Filter = []byte(fmt.Sprintf(`{"docId":{"$eq":"doc-%d"}}`, i%documents))
		for _, x := range []*world{w, all} {
			r, err := x.Search(t.Context(), x.acme, q)
			require.NoError(t, err)
			require.Equal(t, []string{fmt.Sprintf("doc-%d#0", i%documents)}, ids(r))
		}
	}
	assert.Len(t, all.ledger.asked, documents, "each once")
	assert.Len(t, w.ledger.asked, 3*documents, "too many for what is kept of them")
	for range 5 {
		_, err := w.Search(t.Context(), w.acme, rag.Query{Text: "number59", TopK: 1, Model: model, Filter: []byte(`{"docId":{"$eq":"doc-59"}}`)})
		require.NoError(t, err)
	}
	assert.Len(t, w.ledger.asked, 3*documents, "the last is there")
}
