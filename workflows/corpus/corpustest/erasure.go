package corpustest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// deleted deletes a document.
func deleted(t *testing.T, l Ledger, s tenants.Scope, docID string) events.DocumentRef {
	t.Helper()
	r, err := l.Delete(t.Context(), s, corpus.Deletion{DocID: docID, JobID: tenantstest.Fresh(t, ""), Cause: events.Cause{ID: "delete"}})
	require.NoError(t, err)
	require.Equal(t, docID, r.DocID)
	return events.DocumentRef{DocID: docID, Generation: r.Generation, JobID: r.JobID}
}

func erased(ref events.DocumentRef, vectors int, settled bool, texts ...string) corpus.Progress {
	return corpus.Progress{
		DocumentRef: ref, Stage: corpus.StageErase, Cause: events.Cause{ID: "event"},
		Left: &corpus.Left{Vectors: vectors, Texts: texts, Settled: settled},
	}
}

func deleting(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	one := submit(t, l, acme, id, 1)
	advance(t, l, acme, indexed(one, 0, 1, 7))
	two := submit(t, l, acme, id, 2)
	ref := deleted(t, l, acme, id)
	assert.Equal(t, 2, ref.Generation)
	d := document(t, l, acme, id)
	assert.Equal(t, []any{corpus.Deleted, 0, ref.JobID, corpus.WhyDeleted}, []any{d.State, d.Searchable, d.JobID, d.Why.Code})
	assert.Empty(t, d.Title+d.Source+d.TextKey+d.SHA256)
	assert.Empty(t, d.Versions)
	assert.Equal(t, job.Cancelled, jobOf(t, l, acme, two).State)
	assert.Equal(t, "deleted", jobOf(t, l, acme, two).Errors[0].Code)
	assert.Equal(t, job.Succeeded, jobOf(t, l, acme, one).State, "it was")
	j := jobOf(t, l, acme, ref)
	assert.Equal(t, []any{job.Erase, job.Queued, id}, []any{j.Kind, j.State, j.DocID})
	assert.Equal(t, ref, deleted(t, l, acme, id), "it is being erased")
	_, err := l.Cancel(t.Context(), acme, ref.JobID)
	assert.Equal(t, "job_not_cancellable", fault.As(err).Code)
	_, err = l.Delete(t.Context(), acme, corpus.Deletion{DocID: tenantstest.Fresh(t, "none-"), JobID: tenantstest.Fresh(t, ""), Cause: events.Cause{ID: "x"}})
	assert.Equal(t, "document_not_found", fault.As(err).Code)
}

func erasing(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	sub := submission(t, tenantstest.Fresh(t, "doc-"))
	indexedDocument(t, l, acme, sub)
	ref := deleted(t, l, acme, sub.DocID)
	elsewhere := corpus.TextKey("other", "x", "y")
	derived := sub.TextKey + "/derived"
	assert.Equal(t, []corpus.Verdict{{Texts: []string{sub.TextKey, derived}}}, advance(t, l, acme, erased(ref, 3, false, sub.TextKey, derived, elsewhere)))
	j := jobOf(t, l, acme, ref)
	assert.Equal(t, []any{job.Running, job.Counts{Total: 5}, 5}, []any{j.State, j.Counts, j.Erasure.Remaining})
	assert.Equal(t, []corpus.Verdict{{}}, advance(t, l, acme, erased(ref, 2, true)), "something is left")
	assert.Equal(t, []corpus.Verdict{{}}, advance(t, l, acme, erased(ref, 0, false)), "the index has not caught up")
	assert.Equal(t, job.Running, jobOf(t, l, acme, ref).State)
	for range 2 {
		assert.Equal(t, complete, advance(t, l, acme, erased(ref, 0, true)))
	}
	assert.Equal(t, complete, advance(t, l, acme, erased(ref, 9, true, sub.TextKey)), "it has ended")
	j = jobOf(t, l, acme, ref)
	assert.Equal(t, []any{job.Succeeded, 100, job.Counts{Total: 5, Done: 5}}, []any{j.State, j.Percent, j.Counts})
	assert.False(t, j.Erasure.CheckedAt.IsZero())
	j.Erasure.CheckedAt = time.Time{}
	assert.Equal(t, &job.Erasure{DocID: sub.DocID, Generations: 1, Vectors: 3, Texts: 2}, j.Erasure, "what was found at first")
	assert.Equal(t, ref, deleted(t, l, acme, sub.DocID), "it is erased")
	assert.Equal(t, corpus.Deleted, document(t, l, acme, sub.DocID).State, "and known to have been")
}

func erasingAgain(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	sub := submission(t, tenantstest.Fresh(t, "doc-"))
	one := indexedDocument(t, l, acme, sub)
	ref := deleted(t, l, acme, sub.DocID)
	p := corpus.Progress{DocumentRef: ref, Stage: corpus.StageErase, Code: "erasure_incomplete", Message: "2 vectors", Attempts: 4, Cause: events.Cause{ID: "event"}}
	assert.Equal(t, stale, advance(t, l, acme, p))
	assert.Equal(t, stale, advance(t, l, acme, p, erased(ref, 0, true))[1:], "a job that has ended stays so")
	j := jobOf(t, l, acme, ref)
	assert.Equal(t, []any{job.Failed, "erasure_incomplete"}, []any{j.State, j.Errors[0].Code})
	again := deleted(t, l, acme, sub.DocID)
	assert.NotEqual(t, ref.JobID, again.JobID)
	assert.Equal(t, 1, jobOf(t, l, acme, again).Erasure.Generations, "what is to be erased is still known")

	next := submit(t, l, acme, sub.DocID, 2)
	vs := advance(t, l, acme, indexed(next, 0, 1, 5))
	assert.Equal(t, []corpus.Retired{{Generation: one.Generation, Chunks: 3, Model: model, Stray: true}}, vs[0].Retired, "also to whoever comes by")
}

func barring(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	submit(t, l, acme, id, 1)
	ref := deleted(t, l, acme, id)
	late, later := submission(t, id), submission(t, id) // their texts are stored, and they are on their way to the ledger
	fetching := submit(t, l, acme, id, 2)
	fetched := corpus.TextKey(id, fetching.JobID, "fetched")
	vs := advance(t, l, acme, erased(ref, 0, true, late.TextKey, fetched))
	assert.Equal(t, []string{late.TextKey}, vs[0].Texts, "not what belongs to one that is on its way")
	for range 2 {
		_, err := corpus.Submit(t.Context(), l, acme, late)
		assert.Equal(t, []any{fault.Conflict, "text_erased"}, []any{fault.KindOf(err), fault.As(err).Code}, "its text is being removed")
	}
	_, err := l.Job(t.Context(), acme, late.JobID)
	assert.Equal(t, "job_not_found", fault.As(err).Code)
	assert.Equal(t, complete, advance(t, l, acme, erased(ref, 0, true)))
	r, err := corpus.Submit(t.Context(), l, acme, later)
	require.NoError(t, err)
	assert.Equal(t, 3, r.Generation)
}

func living(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	sub := submission(t, tenantstest.Fresh(t, "doc-"))
	indexedDocument(t, l, acme, sub)
	first := deleted(t, l, acme, sub.DocID)
	next := sub
	next.JobID = tenantstest.Fresh(t, "")
	next.TextKey = corpus.TextKey(sub.DocID, next.JobID, sub.SHA256)
	two := indexedDocument(t, l, acme, next)
	assert.Equal(t, 2, two.Generation, "although it is what was deleted")
	assert.Equal(t, []corpus.Verdict{{Texts: []string{sub.TextKey}}}, advance(t, l, acme, erased(first, 3, true, sub.TextKey, next.TextKey)))
	assert.Equal(t, complete, advance(t, l, acme, erased(first, 0, true, next.TextKey)), "what is left is another's life")
	d := document(t, l, acme, sub.DocID)
	assert.Equal(t, []any{corpus.Indexed, 2, 1}, []any{d.State, d.Searchable, len(d.Versions)})
	second := deleted(t, l, acme, sub.DocID)
	assert.NotEqual(t, first.JobID, second.JobID)
	assert.Equal(t, 2, second.Generation)
}

func lateSlices(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	ref := submit(t, l, acme, id, 1)
	advance(t, l, acme, chunked(ref, 2, 20), indexed(ref, 0, 2, 20))
	deletion := deleted(t, l, acme, id)
	for _, p := range []corpus.Progress{indexed(ref, 1, 2, 20), chunked(ref, 2, 20)} {
		assert.True(t, advance(t, l, acme, p)[0].Stale)
	}
	advance(t, l, acme, erased(deletion, 0, true))
	assert.Equal(t, unwanted, advance(t, l, acme, indexed(ref, 1, 2, 20)), "and after it")
	assert.Equal(t, 0, document(t, l, acme, id).Searchable)
}
