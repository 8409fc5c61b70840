package erase_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/erase"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/reembed"
)

const model = "@cf/baai/bge-small-en-v1.5"

// house is the stores of two tenants, with a document of the same id in each.
type house struct {
	t            *testing.T
	now          time.Time
	texts        *memory.Texts
	vectors      *memory.Vectors
	words        *memory.Lexicon
	ledger       *memory.Ledger
	erase        *erase.Consumer
	acme, globex tenants.Scope
}

const chunks = 45 // more than the index is asked for at once

func newHouse(t *testing.T) *house {
	h := &house{t: t, now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), texts: &memory.Texts{}}
	clock := func() time.Time { return h.now }
	h.vectors, h.words, h.ledger = memory.NewVectors(clock), memory.NewLexicon(), memory.NewLedger(clock)
	h.erase = erase.New(corpus.Stores{Texts: h.texts, Vectors: h.vectors, Lexicon: h.words}, h.ledger, memory.NewLetters(clock))
	h.acme, h.globex = tenantstest.Two(t)
	for _, s := range []tenants.Scope{h.acme, h.globex} {
		h.document(s, "guide", "job-1")
	}
	return h
}

// document makes one that is searchable.
func (h *house) document(s tenants.Scope, id, jobID string) {
	h.t.Helper()
	ctx := h.t.Context()
	sub := corpus.Submission{
		DocID: id, JobID: jobID, ContentType: "text/plain", TextKey: corpus.TextKey(id, jobID, "sum"), SHA256: jobID, Model: model, Cause: events.Cause{ID: jobID},
	}
	require.NoError(h.t, h.texts.Put(ctx, s, sub.TextKey, []byte("text"), "text/plain"))
	r, err := corpus.Submit(ctx, h.ledger, s, sub)
	require.NoError(h.t, err)
	vs := make([]corpus.Vector, chunks)
	for i := range vs {
		vs[i] = corpus.Vector{ID: corpus.VectorID(s, id, r.Generation, i), Values: make([]float32, 384), Metadata: corpus.Metadata{DocID: id}}
		vs[i].Values[0] = 1
	}
	require.NoError(h.t, h.vectors.Upsert(ctx, s, model, vs))
	ps := make([]corpus.Passage, chunks)
	for i := range ps {
		ps[i] = corpus.Passage{Metadata: corpus.Metadata{DocID: id, Generation: r.Generation, Chunk: i}, Body: []string{"text"}}
	}
	require.NoError(h.t, h.words.Put(ctx, s, ps))
	_, err = h.ledger.Advance(ctx, s, []corpus.Progress{{
		DocumentRef: events.DocumentRef{DocID: id, Generation: r.Generation, JobID: jobID}, Stage: corpus.StageIndex,
		Slice: events.Slice{Slices: 1, Chunks: chunks},
	}})
	require.NoError(h.t, err)
}

// delete deletes a document and returns the event that tells it.
func (h *house) delete(s tenants.Scope, id, jobID string) consumers.Of[events.DocumentDeleted] {
	h.t.Helper()
	_, err := h.ledger.Delete(h.t.Context(), s, corpus.Deletion{DocID: id, JobID: jobID, Cause: events.Cause{ID: jobID}})
	require.NoError(h.t, err)
	f := events.DocumentDeleted{
		DocumentRef: events.DocumentRef{DocID: id, Generation: 1, JobID: jobID}, TextPrefix: corpus.TextPrefix(id),
		Generations: []events.Written{{Generation: 1, Chunks: chunks, Model: model}},
	}
	ev, err := events.New(s, "ledger", events.Cause{ID: jobID}, h.now, f)
	require.NoError(h.t, err)
	return consumers.Of[events.DocumentDeleted]{Delivery: consumers.Delivery{Event: ev, Attempt: 1}, Fact: f}
}

func (h *house) job(s tenants.Scope, id string) job.Job {
	h.t.Helper()
	j, err := h.ledger.Job(h.t.Context(), s, id)
	require.NoError(h.t, err)
	return j
}

func TestErase(t *testing.T) {
	h := newHouse(t)
	d := h.delete(h.acme, "guide", "erasure")
	for range 2 { // the second time it is told that there is nothing to do
		require.Equal(t, []error{nil}, h.erase.Handle(t.Context(), h.acme, []consumers.Of[events.DocumentDeleted]{d}))
	}
	assert.Empty(t, h.vectors.IDs(h.acme, model))
	assert.Empty(t, h.words.IDs(h.acme))
	assert.Zero(t, h.texts.Len(h.acme))
	assert.Len(t, h.words.IDs(h.globex), chunks)
	assert.Len(t, h.vectors.IDs(h.globex, model), chunks, "another's of the same id")
	assert.Equal(t, 1, h.texts.Len(h.globex))
	j := h.job(h.acme, "erasure")
	assert.Equal(t, job.Succeeded, j.State)
	assert.Equal(t, &job.Erasure{DocID: "guide", Generations: 1, Vectors: chunks, Passages: chunks, Texts: 1, CheckedAt: h.now}, j.Erasure)
}

// A document whose tenant changed its embedding model has vectors in more than one space. None is left in any.
func TestErasureReachesEverySpace(t *testing.T) {
	const other = "@cf/baai/bge-base-en-v1.5"
	h := newHouse(t)
	ctx := t.Context()
	_, err := h.ledger.OpenMove(ctx, h.acme, reembed.Request{JobID: "move", Model: other, Cause: events.Cause{ID: "move"}})
	require.NoError(t, err)
	b, err := h.ledger.TakeWorks(ctx, h.acme, reembed.Asked{JobID: "move", Chunks: 1})
	require.NoError(t, err)
	require.Len(t, b.Works, 1)
	vs := make([]corpus.Vector, chunks)
	for i := range vs {
		vs[i] = corpus.Vector{ID: corpus.VectorID(h.acme, "guide", 1, i), Values: make([]float32, 768), Metadata: corpus.Metadata{DocID: "guide"}}
		vs[i].Values[0] = 1
	}
	require.NoError(t, h.vectors.Upsert(ctx, h.acme, other, vs)) // and then whoever made them is not heard of any more

	d := h.delete(h.acme, "guide", "erasure")
	d.Fact.Generations[0].Also = []string{other}
	require.Equal(t, []error{nil}, h.erase.Handle(ctx, h.acme, []consumers.Of[events.DocumentDeleted]{d}))
	assert.Empty(t, h.vectors.IDs(h.acme, model))
	assert.Empty(t, h.vectors.IDs(h.acme, other))
	assert.Len(t, h.vectors.IDs(h.globex, model), chunks)
	j := h.job(h.acme, "erasure")
	assert.Equal(t, []any{job.Succeeded, 2 * chunks}, []any{j.State, j.Erasure.Vectors})
}

// What a move left behind in a generation that was replaced meanwhile is removed with it.
func TestARetiredGenerationIsRemovedFromEverySpace(t *testing.T) {
	const other = "@cf/baai/bge-base-en-v1.5"
	h := newHouse(t)
	v := corpus.Vector{ID: corpus.VectorID(h.acme, "guide", 1, 0), Values: make([]float32, 768), Metadata: corpus.Metadata{DocID: "guide"}}
	v.Values[0] = 1
	require.NoError(t, h.vectors.Upsert(t.Context(), h.acme, other, []corpus.Vector{v}))
	stores := corpus.Stores{Texts: h.texts, Vectors: h.vectors, Lexicon: h.words}
	require.NoError(t, corpus.Erase(t.Context(), h.acme, stores, h.ledger, []corpus.Retirement{
		{DocID: "guide", Retired: corpus.Retired{Generation: 1, Chunks: chunks, Model: model, Also: []string{other}}},
	}))
	assert.Empty(t, h.vectors.IDs(h.acme, model))
	assert.Empty(t, h.vectors.IDs(h.acme, other))
}

// The index shows late what it was told. The erasure is not over before it has caught up with the deletion.
func TestErasureWaitsForTheIndex(t *testing.T) {
	h := newHouse(t)
	h.vectors.Lag = time.Minute
	h.document(h.acme, "late", "job-2") // whose vectors nobody sees yet
	d := h.delete(h.acme, "late", "erasure")
	try := func(attempt int) *fault.Error {
		d.Attempt = attempt
		err := h.erase.Handle(t.Context(), h.acme, []consumers.Of[events.DocumentDeleted]{d})[0]
		if err == nil {
			return nil
		}
		return fault.As(err)
	}
	last := time.Duration(0)
	for attempt := 1; attempt <= 3; attempt++ {
		f := try(attempt)
		require.NotNil(t, f, "nothing is seen of it, and that says nothing")
		assert.Equal(t, []any{fault.Unavailable, "erasure_incomplete"}, []any{f.Kind, f.Code})
		assert.Greater(t, f.RetryAfter, last, "later and later")
		last = f.RetryAfter
		assert.Equal(t, job.Running, h.job(h.acme, "erasure").State)
	}
	h.now = h.now.Add(time.Minute)
	require.Nil(t, try(4))
	assert.Equal(t, job.Succeeded, h.job(h.acme, "erasure").State)
	h.now = h.now.Add(time.Minute)
	assert.Len(t, h.vectors.IDs(h.acme, model), chunks, "but for the other document's")
}

// Every call fails once, before its work and after it; what was found is counted all the same.
func TestErasureThatBreaksOff(t *testing.T) {
	for _, op := range []string{"list", "delete", "stored", "processed", "advance", "text delete", "words stored", "words remove"} {
		for _, when := range []string{"before", "after"} {
			t.Run(op+" "+when, func(t *testing.T) {
				h := newHouse(t)
				d := h.delete(h.acme, "guide", "erasure")
				failures := 1
				fail := func(called string) error {
					if called == op && failures > 0 {
						failures--
						return fault.Unavailablef(nil, "test_failure", "a store failed")
					}
					return nil
				}
				hooks := memory.Hooks{Before: fail}
				if when == "after" {
					hooks = memory.Hooks{After: fail}
				}
				h.vectors.Hooks, h.ledger.Hooks, h.texts.Hooks = hooks, hooks, memory.Hooks{
					Before: func(called string) error {
						if called == "delete" {
							called = "text delete"
						}
						if when == "before" {
							return fail(called)
						}
						return nil
					},
					After: func(called string) error {
						if called == "delete" {
							called = "text delete"
						}
						if when == "after" {
							return fail(called)
						}
						return nil
					},
				}
				h.words.Hooks = memory.Hooks{Before: words(hooks.Before), After: words(hooks.After)}
				err := h.erase.Handle(t.Context(), h.acme, []consumers.Of[events.DocumentDeleted]{d})[0]
				assert.True(t, fault.Retryable(err) && err != nil, "%v", err)
				assert.Zero(t, failures)
				require.NoError(t, h.erase.Handle(t.Context(), h.acme, []consumers.Of[events.DocumentDeleted]{d})[0])
				found := h.job(h.acme, "erasure").Erasure
				assert.Equal(t, []int{chunks, chunks, 1}, []int{found.Vectors, found.Passages, found.Texts})
				assert.Empty(t, h.vectors.IDs(h.acme, model))
				assert.Empty(t, h.words.IDs(h.acme))
				assert.Zero(t, h.texts.Len(h.acme))
			})
		}
	}
}

// words is a hook as the calls of the lexical index have it.
func words(f func(op string) error) func(string) error {
	if f == nil {
		return nil
	}
	return func(op string) error { return f("words " + op) }
}

func TestDocumentsOfABatchAreErasedEachByItself(t *testing.T) {
	h := newHouse(t)
	h.document(h.acme, "other", "job-2")
	ds := []consumers.Of[events.DocumentDeleted]{h.delete(h.acme, "guide", "erasure-1"), h.delete(h.acme, "other", "erasure-2")}
	calls := 0
	h.texts.Before = func(op string) error {
		if calls++; calls == 1 {
			return fault.Unavailablef(nil, "test_failure", "a store failed")
		}
		return nil
	}
	errs := h.erase.Handle(t.Context(), h.acme, ds)
	assert.Error(t, errs[0])
	assert.NoError(t, errs[1])
	assert.Equal(t, job.Succeeded, h.job(h.acme, "erasure-2").State)
}
