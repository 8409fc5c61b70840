package index_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/index"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

const model = "m"

// store is an index and a ledger that answer as they are told, and note in what order they were called.
type store struct {
	corpus.Vectors
	corpus.Ledger
	log      []string
	vectors  map[string]corpus.Vector
	passages map[corpus.Place]corpus.Passage
	verdicts map[string]corpus.Verdict // by document
	refuse   string                    // a document whose vectors are refused
	unread   string                    // a document whose passages are
	err      error                     // of the call that begins with failing
	failing  string
}

func (x *store) stores() corpus.Stores {
	return corpus.Stores{Texts: &memory.Texts{}, Vectors: x, Lexicon: words{store: x}}
}

// words is the store as a lexical index.
type words struct {
	corpus.Lexicon
	store *store
}

func (w words) Put(_ context.Context, _ tenants.Scope, ps []corpus.Passage) error {
	if err := w.store.did("put %d", len(ps)); err != nil {
		return err
	}
	for _, p := range ps {
		if p.DocID == w.store.unread {
			return fault.Invalidf("", "passage_refused", "no")
		}
	}
	for _, p := range ps {
		w.store.passages[corpus.Place{Generation: corpus.Generation{DocID: p.DocID, Generation: p.Generation}, Chunk: p.Chunk}] = p
	}
	return nil
}

func (w words) Remove(_ context.Context, _ tenants.Scope, refs []corpus.Generation) error {
	if err := w.store.did("remove %d", len(refs)); err != nil {
		return err
	}
	maps.DeleteFunc(w.store.passages, func(at corpus.Place, _ corpus.Passage) bool { return slices.Contains(refs, at.Generation) })
	return nil
}

func (x *store) did(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	x.log = append(x.log, line)
	if x.failing != "" && strings.HasPrefix(line, x.failing) {
		return x.err
	}
	return nil
}

func (x *store) Upsert(_ context.Context, _ tenants.Scope, _ string, vs []corpus.Vector) error {
	if err := x.did("upsert %d", len(vs)); err != nil {
		return err
	}
	for _, v := range vs {
		if v.Metadata.DocID == x.refuse {
			return fault.Invalidf("", "vector_refused", "no")
		}
	}
	for _, v := range vs {
		x.vectors[v.ID] = v
	}
	return nil
}

func (x *store) Delete(_ context.Context, _ tenants.Scope, _ string, ids []string) error {
	if err := x.did("delete %d", len(ids)); err != nil {
		return err
	}
	for _, id := range ids {
		delete(x.vectors, id)
	}
	return nil
}

func (x *store) Advance(_ context.Context, _ tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	vs := make([]corpus.Verdict, len(ps))
	for i, p := range ps {
		vs[i] = x.verdicts[p.DocID]
	}
	return vs, x.did("advance %d %s", len(ps), ps[0].Stage)
}

func scope(t *testing.T) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume("acme")
	require.NoError(t, err)
	return s
}

func delivery(t *testing.T, doc string, parts int) consumers.Of[events.ChunksEmbedded] {
	t.Helper()
	f := events.ChunksEmbedded{
		DocumentRef: events.DocumentRef{DocID: doc, Generation: 2, JobID: "job-" + doc}, Slice: events.Slice{Slices: 1, Chunks: parts},
		Model: model, Dimensions: 2, Vectors: make([]byte, 8*parts),
	}
	for i := range parts {
		f.Parts = append(f.Parts, events.Chunk{Index: i, Text: "x", End: 1})
	}
	ev, err := events.New(scope(t), "consumers", events.Cause{ID: "cause"}, time.Unix(0, 0), f)
	require.NoError(t, err)
	return consumers.Of[events.ChunksEmbedded]{Delivery: consumers.Delivery{Event: ev, Attempt: 1}, Fact: f}
}

func newStore() *store {
	return &store{vectors: map[string]corpus.Vector{}, passages: map[corpus.Place]corpus.Passage{}, verdicts: map[string]corpus.Verdict{}}
}

func TestVectorsOfManySlicesShareCalls(t *testing.T) {
	x, out := newStore(), &eventstest.Publisher{}
	var ds []consumers.Of[events.ChunksEmbedded]
	for i := range 150 {
		id := fmt.Sprint("doc", i)
		ds = append(ds, delivery(t, id, 16))
		x.verdicts[id] = corpus.Verdict{Complete: i%2 == 0}
	}
	assert.Equal(t, make([]error, 150), index.New(x.stores(), x, out, time.Now).Handle(t.Context(), scope(t), ds))
	assert.Equal(t, slices.Concat([]string{"upsert 992", "upsert 992", "upsert 416"}, slices.Repeat([]string{"put 256"}, 9), []string{"put 96", "advance 150 index"}), x.log)
	assert.Len(t, x.passages, 2400)
	assert.Len(t, out.Events(events.TypeDocumentIndexed), 75)
	assert.Equal(t, 1, out.Calls())
}

func TestOneBadSliceFailsAlone(t *testing.T) {
	x, out := newStore(), &eventstest.Publisher{}
	x.refuse, x.unread = "bad", "unread"
	ds := []consumers.Of[events.ChunksEmbedded]{delivery(t, "a", 1), delivery(t, "bad", 1), delivery(t, "c", 1), delivery(t, "unread", 1)}
	errs := index.New(x.stores(), x, out, time.Now).Handle(t.Context(), scope(t), ds)
	assert.NoError(t, errs[0])
	assert.Equal(t, "vector_refused", fault.As(errs[1]).Code)
	assert.NoError(t, errs[2])
	assert.Equal(t, "passage_refused", fault.As(errs[3]).Code)
	assert.Len(t, x.vectors, 3)
	assert.Len(t, x.passages, 2)
	assert.Equal(t, "advance 2 index", x.log[len(x.log)-1], "what has failed is not told")
}

func TestStaleAndRetiredVectorsGo(t *testing.T) {
	x, out := newStore(), &eventstest.Publisher{}
	x.verdicts["late"] = corpus.Verdict{Stale: true}
	x.verdicts["new"] = corpus.Verdict{Complete: true, Retired: []corpus.Retired{{Generation: 1, Chunks: 3, Model: model}}}
	x.vectors[corpus.VectorID(scope(t), "new", 1, 2)] = corpus.Vector{}
	ds := []consumers.Of[events.ChunksEmbedded]{delivery(t, "late", 2), delivery(t, "new", 1), delivery(t, "new", 1)}
	c := index.New(x.stores(), x, out, time.Now)
	assert.Equal(t, make([]error, 3), c.Handle(t.Context(), scope(t), ds))
	assert.Equal(t, []string{"upsert 4", "put 4", "advance 3 index", "delete 2", "remove 1", "delete 3", "remove 1", "advance 1 retire"}, x.log)
	assert.Len(t, x.vectors, 1)
	assert.Len(t, x.passages, 1)
	assert.Contains(t, x.vectors, corpus.VectorID(scope(t), "new", 2, 0))
	assert.Len(t, out.Events(), 1, "two slices complete it, one fact tells")

	first := out.Events()[0].ID
	require.Equal(t, make([]error, 1), c.Handle(t.Context(), scope(t), ds[2:]))
	assert.Equal(t, first, out.Events()[1].ID, "and the same when told for another slice")
}

func TestAFailureAnywhereIsTriedAgain(t *testing.T) {
	for _, call := range []string{"upsert", "put", "advance 1 index", "delete", "remove", "advance 1 retire"} {
		x, out := newStore(), &eventstest.Publisher{}
		x.verdicts["a"] = corpus.Verdict{Complete: true, Retired: []corpus.Retired{{Generation: 1, Chunks: 3, Model: model}}}
		x.failing, x.err = call, errors.New("down")
		errs := index.New(x.stores(), x, out, time.Now).Handle(t.Context(), scope(t), []consumers.Of[events.ChunksEmbedded]{delivery(t, "a", 1)})
		assert.ErrorContains(t, errs[0], "down", call)
		assert.Empty(t, out.Events(), "nothing is told before it is done: %s", call)
	}
	out := &eventstest.Publisher{}
	out.FailBefore(1, errors.New("down"))
	x := newStore()
	x.verdicts["a"] = corpus.Verdict{Complete: true}
	errs := index.New(x.stores(), x, out, time.Now).Handle(t.Context(), scope(t), []consumers.Of[events.ChunksEmbedded]{delivery(t, "a", 1)})
	assert.ErrorContains(t, errs[0], "down")
}

func TestATextThatDoesNotFitIsCutAndMarked(t *testing.T) {
	x := newStore()
	d := delivery(t, "a", 1)
	d.Fact.Parts[0].Text = strings.Repeat("water ", 4000)
	assert.Equal(t, make([]error, 1), index.New(x.stores(), x, &eventstest.Publisher{}, time.Now).Handle(t.Context(), scope(t), []consumers.Of[events.ChunksEmbedded]{d}))
	m := x.vectors[corpus.VectorID(scope(t), "a", 2, 0)].Metadata
	assert.True(t, m.Cut)
	assert.Greater(t, len(m.Text), 9000)
}

func TestAPassageHasTheTermsOfAllItsText(t *testing.T) {
	x := newStore()
	d := delivery(t, "a", 1)
	d.Fact.Title, d.Fact.Parts[0].Heading = "The Levada", "Guide > Water"
	d.Fact.Parts[0].Text = strings.Repeat("stone ", 4000) + "hill"
	require.Equal(t, make([]error, 1), index.New(x.stores(), x, &eventstest.Publisher{}, time.Now).Handle(t.Context(), scope(t), []consumers.Of[events.ChunksEmbedded]{d}))
	p := x.passages[corpus.Place{Generation: corpus.Generation{DocID: "a", Generation: 2}}]
	assert.True(t, p.Cut)
	assert.Contains(t, p.Body, "hill", "also what is not shown")
	assert.Subset(t, p.Head, []string{"levada", "water"})
	assert.Equal(t, x.vectors[corpus.VectorID(scope(t), "a", 2, 0)].Metadata, p.Metadata)
}
