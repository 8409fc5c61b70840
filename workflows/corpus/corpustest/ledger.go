package corpustest

import (
	"strings"
	"sync"
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

// model is what the documents of the suite are embedded with. The ledger does not look at it.
const model = "@cf/baai/bge-m3"

// TestLedger checks the promises of corpus.Ledger. Whether events reach the queue is not its business.
func TestLedger(t *testing.T, newLedger func(t *testing.T) corpus.Ledger) {
	for name, test := range map[string]func(*testing.T, corpus.Ledger){
		"a document's way":                          documentsWay,
		"slices may overtake the chunk report":      overtaking,
		"a newer generation replaces":               replacing,
		"a newer generation may be first":           newerFirst,
		"a failure keeps what is searchable":        failing,
		"documents and jobs belong to a tenant":     belonging,
		"a key gives the first receipt":             replaying,
		"a submission without an id is refused":     refusing,
		"one that is refused holds up no other":     together,
		"documents wait for their turn":             turns,
		"nobody's call is refused":                  nobody,
		"calls at once are serial":                  serial,
		"verdicts and documents are in order":       ordered,
		"what a document says comes back as it was": content,
	} {
		t.Run(name, func(t *testing.T) { test(t, newLedger(t)) })
	}
}

func submission(t *testing.T, docID string) corpus.Submission {
	t.Helper()
	jobID := tenantstest.Fresh(t, "")
	sum := tenantstest.Fresh(t, "sum-") // each is another text
	return corpus.Submission{
		DocID: docID, JobID: jobID, ContentType: "text/plain", TextKey: corpus.TextKey(docID, jobID, sum), Bytes: 12, SHA256: sum, Model: model,
		About: events.About{Title: "Title", Source: "suite"}, Cause: events.Cause{ID: tenantstest.Fresh(t, "request-")},
	}
}

// submit opens a generation and checks its number.
func submit(t *testing.T, l corpus.Ledger, s tenants.Scope, docID string, generation int) events.DocumentRef {
	t.Helper()
	r, err := corpus.Submit(t.Context(), l, s, submission(t, docID))
	require.NoError(t, err)
	require.Equal(t, generation, r.Generation)
	require.Equal(t, docID, r.DocID)
	require.False(t, r.Replayed)
	return events.DocumentRef{DocID: r.DocID, Generation: r.Generation, JobID: r.JobID}
}

func chunked(ref events.DocumentRef, slices, chunks int) corpus.Progress {
	return corpus.Progress{DocumentRef: ref, Stage: corpus.StageChunk, Slice: events.Slice{Slices: slices, Chunks: chunks}, Attempts: 1}
}

func indexed(ref events.DocumentRef, slice, slices, chunks int) corpus.Progress {
	return corpus.Progress{
		DocumentRef: ref, Stage: corpus.StageIndex, Slice: events.Slice{Slice: slice, Slices: slices, Chunks: chunks}, Attempts: 1,
		Embedded: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Cause: events.Cause{ID: "event"},
	}
}

func advance(t *testing.T, l corpus.Ledger, s tenants.Scope, ps ...corpus.Progress) []corpus.Verdict {
	t.Helper()
	vs, err := l.Advance(t.Context(), s, ps)
	require.NoError(t, err)
	require.Len(t, vs, len(ps))
	return vs
}

func document(t *testing.T, l corpus.Ledger, s tenants.Scope, id string) corpus.Document {
	t.Helper()
	docs, err := l.Documents(t.Context(), s, []string{id})
	require.NoError(t, err)
	require.Len(t, docs, 1)
	assert.Equal(t, shown(docs...), showing(t, l, s, id))
	return docs[0]
}

// shown is what searches are told of the documents.
func shown(docs ...corpus.Document) (all []corpus.Document) {
	for _, d := range docs {
		if d.Searchable > 0 {
			all = append(all, corpus.Document{ID: d.ID, About: d.About, Searchable: d.Searchable, UpdatedAt: d.UpdatedAt})
		}
	}
	return all
}

func showing(t *testing.T, l corpus.Ledger, s tenants.Scope, ids ...string) (all []corpus.Document) {
	t.Helper()
	docs, err := l.Shown(t.Context(), s, ids)
	require.NoError(t, err)
	return append(all, docs...)
}

func jobOf(t *testing.T, l corpus.Ledger, s tenants.Scope, ref events.DocumentRef) job.Job {
	t.Helper()
	j, err := l.Job(t.Context(), s, ref.JobID)
	require.NoError(t, err)
	return j
}

var (
	nothing  = []corpus.Verdict{{}}
	complete = []corpus.Verdict{{Complete: true}}
	stale    = []corpus.Verdict{{Stale: true}}
	unwanted = []corpus.Verdict{{Stale: true, Unwanted: true}}
)

func documentsWay(t *testing.T, l corpus.Ledger) {
	acme, _ := tenantstest.Two(t)
	ref := submit(t, l, acme, tenantstest.Fresh(t, "doc-"), 1)
	d, j := document(t, l, acme, ref.DocID), jobOf(t, l, acme, ref)
	assert.Equal(t, corpus.Submitted, d.State)
	assert.Equal(t, 0, d.Searchable)
	assert.Equal(t, ref.JobID, d.JobID)
	assert.Equal(t, job.Queued, j.State)
	assert.Equal(t, job.Ingest, j.Kind)
	assert.Equal(t, ref.DocID, j.DocID)

	assert.Equal(t, nothing, advance(t, l, acme, chunked(ref, 2, 20)))
	assert.Equal(t, corpus.Chunked, document(t, l, acme, ref.DocID).State)
	assert.Equal(t, nothing, advance(t, l, acme, indexed(ref, 1, 2, 20)))
	j = jobOf(t, l, acme, ref)
	assert.Equal(t, job.Running, j.State)
	assert.Equal(t, job.Counts{Total: 2, Done: 1}, j.Counts)
	assert.Equal(t, 50, j.Percent)
	assert.Equal(t, nothing, advance(t, l, acme, indexed(ref, 1, 2, 20)), "told again")

	assert.Equal(t, complete, advance(t, l, acme, indexed(ref, 0, 2, 20)))
	assert.Equal(t, complete, advance(t, l, acme, indexed(ref, 0, 2, 20)), "told again, with the same consequences")
	assert.Equal(t, complete, advance(t, l, acme, chunked(ref, 2, 20)))
	d, j = document(t, l, acme, ref.DocID), jobOf(t, l, acme, ref)
	assert.Equal(t, corpus.Indexed, d.State)
	assert.Equal(t, 1, d.Searchable)
	assert.Equal(t, 20, d.Chunks)
	assert.Equal(t, job.Succeeded, j.State)
	assert.Equal(t, 100, j.Percent)
	var stages []corpus.Stage
	for _, s := range d.Stages {
		stages = append(stages, s.Stage)
		assert.False(t, s.At.IsZero(), s.Stage)
		assert.Equal(t, s.Total, s.Done, s.Stage)
	}
	assert.Equal(t, []corpus.Stage{corpus.StageSubmit, corpus.StageChunk, corpus.StageEmbed, corpus.StageIndex}, stages)
}

func overtaking(t *testing.T, l corpus.Ledger) {
	acme, _ := tenantstest.Two(t)
	ref := submit(t, l, acme, tenantstest.Fresh(t, "doc-"), 1)
	assert.Equal(t, nothing, advance(t, l, acme, indexed(ref, 1, 2, 20)))
	assert.Equal(t, job.Running, jobOf(t, l, acme, ref).State)
	assert.Equal(t, complete, advance(t, l, acme, indexed(ref, 0, 2, 20)))
	assert.Equal(t, complete, advance(t, l, acme, chunked(ref, 2, 20)))
	assert.Equal(t, job.Succeeded, jobOf(t, l, acme, ref).State)
}

func replacing(t *testing.T, l corpus.Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	one := submit(t, l, acme, id, 1)
	advance(t, l, acme, indexed(one, 0, 1, 7))
	text := document(t, l, acme, id).TextKey
	two := submit(t, l, acme, id, 2)
	assert.Equal(t, 1, document(t, l, acme, id).Searchable, "until the newer one is ready")

	want := []corpus.Verdict{{Complete: true, Retired: []corpus.Retired{{Generation: 1, Chunks: 7, Model: model, Texts: []string{text}, Stray: true}}}}
	assert.Equal(t, want, advance(t, l, acme, indexed(two, 0, 1, 9)))
	assert.Equal(t, want, advance(t, l, acme, indexed(two, 0, 1, 9)), "again, for a consumer that died")
	assert.Equal(t, 2, document(t, l, acme, id).Searchable)
	late := advance(t, l, acme, indexed(one, 0, 1, 7))
	assert.True(t, late[0].Stale, "what comes late is to be removed")

	retire := corpus.Progress{DocumentRef: events.DocumentRef{DocID: id, Generation: 1}, Stage: corpus.StageRetire}
	advance(t, l, acme, retire)
	advance(t, l, acme, retire)
	assert.Equal(t, complete, advance(t, l, acme, indexed(two, 0, 1, 9)), "nothing is left to remove")
	assert.Equal(t, unwanted, advance(t, l, acme, indexed(one, 0, 1, 7)))
	assert.Equal(t, job.Succeeded, jobOf(t, l, acme, one).State)
	assert.Equal(t, job.Succeeded, jobOf(t, l, acme, two).State)
}

func newerFirst(t *testing.T, l corpus.Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	one := submit(t, l, acme, id, 1)
	text := document(t, l, acme, id).TextKey
	two := submit(t, l, acme, id, 2)
	advance(t, l, acme, chunked(one, 2, 20), indexed(one, 1, 2, 20))
	vs := advance(t, l, acme, chunked(two, 1, 5), indexed(two, 0, 1, 5))
	gone := []corpus.Retired{{Generation: 1, Chunks: 20, Model: model, Texts: []string{text}, Stray: true}}
	assert.Equal(t, corpus.Verdict{Complete: true, Retired: gone}, vs[1], "the older one had a slice in")
	j := jobOf(t, l, acme, one)
	assert.Equal(t, job.Cancelled, j.State)
	require.Len(t, j.Errors, 1)
	assert.Equal(t, "superseded", j.Errors[0].Code)
	assert.True(t, advance(t, l, acme, indexed(one, 0, 2, 20))[0].Stale)
	assert.Equal(t, 2, document(t, l, acme, id).Searchable)
}

func failing(t *testing.T, l corpus.Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	one := submit(t, l, acme, id, 1)
	advance(t, l, acme, indexed(one, 0, 1, 3))
	two := submit(t, l, acme, id, 2)
	advance(t, l, acme, indexed(two, 0, 2, 20))
	failure := indexed(two, 1, 2, 20)
	failure.Code, failure.Message, failure.Attempts = "model_busy", "the model was busy", 4
	want := []corpus.Verdict{{Stale: true, Retired: []corpus.Retired{{Generation: 2, Chunks: 20, Model: model}}}}
	assert.Equal(t, want, advance(t, l, acme, failure))
	assert.Equal(t, want, advance(t, l, acme, failure), "again")

	d, j := document(t, l, acme, id), jobOf(t, l, acme, two)
	assert.Equal(t, corpus.Failed, d.State)
	assert.Equal(t, 1, d.Searchable)
	assert.Equal(t, "model_busy", d.Why.Error)
	assert.Equal(t, job.Failed, j.State)
	require.Len(t, j.Errors, 1)
	assert.Equal(t, "model_busy", j.Errors[0].Code)
	assert.Equal(t, "index", j.Errors[0].Stage)
	assert.True(t, advance(t, l, acme, indexed(one, 0, 1, 3))[0].Complete)

	three := submit(t, l, acme, id, 3)
	assert.True(t, advance(t, l, acme, indexed(three, 0, 1, 1))[0].Complete)
	assert.Equal(t, 3, document(t, l, acme, id).Searchable)
}

func belonging(t *testing.T, l corpus.Ledger) {
	acme, globex := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	ref := submit(t, l, acme, id, 1)
	docs, err := l.Documents(t.Context(), globex, []string{id})
	require.NoError(t, err)
	assert.Empty(t, docs)
	_, err = l.Job(t.Context(), globex, ref.JobID)
	_, none := l.Job(t.Context(), globex, tenantstest.Fresh(t, ""))
	for _, err := range []error{err, none} {
		assert.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
		assert.Equal(t, "job_not_found", fault.As(err).Code)
	}
	assert.Equal(t, unwanted, advance(t, l, globex, indexed(ref, 0, 1, 1)))
	assert.Equal(t, corpus.Submitted, document(t, l, acme, id).State, "another tenant's progress changes nothing")
	other := submit(t, l, globex, id, 1)
	advance(t, l, globex, indexed(other, 0, 1, 1))
	assert.Equal(t, 0, document(t, l, acme, id).Searchable)
}

func replaying(t *testing.T, l corpus.Ledger) {
	acme, globex := tenantstest.Two(t)
	key := tenantstest.Fresh(t, "key-")
	sub := func(id, hash string) corpus.Submission {
		sub := submission(t, id)
		sub.Cause.IdempotencyKey, sub.RequestHash = key, hash
		return sub
	}
	id := tenantstest.Fresh(t, "doc-")
	first, err := corpus.Submit(t.Context(), l, acme, sub(id, "h1"))
	require.NoError(t, err)
	again, err := corpus.Submit(t.Context(), l, acme, sub(tenantstest.Fresh(t, "doc-"), "h1"))
	require.NoError(t, err)
	first.Replayed = true
	assert.Equal(t, first, again)
	_, err = corpus.Submit(t.Context(), l, acme, sub(id, "h2"))
	assert.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
	assert.Equal(t, "idempotency_conflict", fault.As(err).Code)
	assert.Equal(t, 1, document(t, l, acme, id).Generation, "neither opened a generation")
	other, err := corpus.Submit(t.Context(), l, globex, sub(id, "h2"))
	require.NoError(t, err, "another tenant's key is another key")
	assert.False(t, other.Replayed)
}

func refusing(t *testing.T, l corpus.Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	sub := submission(t, id)
	sub.JobID = ""
	_, err := corpus.Submit(t.Context(), l, acme, sub)
	assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	assert.Equal(t, "jobId", fault.As(err).Field)
	docs, err := l.Documents(t.Context(), acme, []string{id})
	require.NoError(t, err)
	assert.Empty(t, docs, "nothing half done stays behind")
}

func together(t *testing.T, l corpus.Ledger) {
	acme, globex := tenantstest.Two(t)
	id, key := tenantstest.Fresh(t, "doc-"), tenantstest.Fresh(t, "key-")
	one, two, other := submission(t, id), submission(t, id), submission(t, tenantstest.Fresh(t, "doc-"))
	nameless, clash, again := submission(t, ""), submission(t, id), submission(t, id)
	one.Cause.IdempotencyKey, clash.Cause.IdempotencyKey, again.Cause.IdempotencyKey = key, key, key
	clash.RequestHash = "another"
	outs, err := l.SubmitAll(t.Context(), acme, []corpus.Submission{one, nameless, clash, two, again, other})
	require.NoError(t, err)
	require.Len(t, outs, 6)
	assert.Equal(t, corpus.Outcome{Receipt: corpus.Receipt{DocID: id, JobID: one.JobID, Generation: 1}}, outs[0])
	require.NotNil(t, outs[1].Fault)
	assert.Equal(t, "docId", outs[1].Fault.Field)
	require.NotNil(t, outs[2].Fault)
	assert.Equal(t, "idempotency_conflict", outs[2].Fault.Code)
	assert.Equal(t, corpus.Receipt{DocID: id, JobID: two.JobID, Generation: 2}, outs[3].Receipt)
	assert.Equal(t, corpus.Receipt{DocID: id, JobID: one.JobID, Generation: 1, Replayed: true}, outs[4].Receipt)
	assert.Equal(t, 1, outs[5].Generation)
	assert.Equal(t, 2, document(t, l, acme, id).Generation)
	docs, err := l.Documents(t.Context(), globex, []string{id, other.DocID})
	require.NoError(t, err)
	assert.Empty(t, docs)

	outs, err = l.SubmitAll(t.Context(), acme, nil)
	require.NoError(t, err)
	assert.Empty(t, outs)
}

func turns(t *testing.T, l corpus.Ledger) {
	// A tenant whose ledger nobody has used: what others have left on its way would have its turn before.
	s := tenantstest.Scope(t, "t"+strings.ReplaceAll(tenantstest.Fresh(t, ""), "-", "")[4:])
	var subs []corpus.Submission
	for range 5 {
		sub := submission(t, tenantstest.Fresh(t, "doc-"))
		sub.Bytes, sub.Pace = 1<<30, corpus.Pace{MaxWaiting: 3} // beside one so large no other has a turn
		subs = append(subs, sub)
	}
	outs, err := l.SubmitAll(t.Context(), s, subs)
	require.NoError(t, err)
	require.NotNil(t, outs[4].Fault)
	assert.Equal(t, []any{fault.Limited, "backlog_full"}, []any{outs[4].Fault.Kind, outs[4].Fault.Code})
	assert.Positive(t, outs[4].Fault.RetryAfter)
	why := func(i int) *corpus.NotSearchable { return document(t, l, s, subs[i].DocID).Why }
	for done := range 4 {
		require.Nil(t, outs[done].Fault)
		assert.Equal(t, corpus.WhyInProgress, why(done).Code)
		for i := done + 1; i < 4; i++ {
			assert.Equal(t, []any{corpus.WhyWaiting, i - done - 1}, []any{why(i).Code, why(i).Before})
		}
		advance(t, l, s, indexed(events.DocumentRef{DocID: subs[done].DocID, Generation: 1, JobID: subs[done].JobID}, 0, 1, 1))
		assert.Nil(t, why(done))
	}
}

func nobody(t *testing.T, l corpus.Ledger) {
	none := tenants.Scope{}
	_, err := corpus.Submit(t.Context(), l, none, submission(t, "doc"))
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = l.Advance(t.Context(), none, nil)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = l.Shown(t.Context(), none, []string{"doc"})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = l.Documents(t.Context(), none, []string{"doc"})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = l.Job(t.Context(), none, "job")
	assert.ErrorIs(t, err, tenants.ErrNoScope)
}

func serial(t *testing.T, l corpus.Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	const n = 16
	var wg sync.WaitGroup
	var mu sync.Mutex
	generations := map[int]events.DocumentRef{}
	subs := make([]corpus.Submission, n)
	for i := range subs {
		subs[i] = submission(t, id)
	}
	for _, sub := range subs {
		wg.Go(func() {
			r, err := corpus.Submit(t.Context(), l, acme, sub)
			if assert.NoError(t, err) {
				mu.Lock()
				defer mu.Unlock()
				generations[r.Generation] = events.DocumentRef{DocID: id, Generation: r.Generation, JobID: r.JobID}
			}
		})
	}
	wg.Wait()
	require.Len(t, generations, n, "each got a number of its own")

	last := generations[n]
	for slice := range n {
		wg.Go(func() {
			_, err := l.Advance(t.Context(), acme, []corpus.Progress{indexed(last, slice, n, n)})
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Equal(t, n, document(t, l, acme, id).Searchable, "no slice was lost")
}

func ordered(t *testing.T, l corpus.Ledger) {
	acme, _ := tenantstest.Two(t)
	a, b := submit(t, l, acme, tenantstest.Fresh(t, "doc-"), 1), submit(t, l, acme, tenantstest.Fresh(t, "doc-"), 1)
	ghost := events.DocumentRef{DocID: tenantstest.Fresh(t, "ghost-"), Generation: 1, JobID: "x"}
	vs := advance(t, l, acme, indexed(ghost, 0, 1, 1), indexed(b, 0, 1, 1), chunked(a, 1, 1), indexed(a, 0, 1, 1))
	assert.Equal(t, []corpus.Verdict{{Stale: true, Unwanted: true}, {Complete: true}, {}, {Complete: true}}, vs)
	assert.Empty(t, advance(t, l, acme))

	docs, err := l.Documents(t.Context(), acme, []string{b.DocID, ghost.DocID, a.DocID})
	require.NoError(t, err)
	require.Len(t, docs, 2)
	assert.Equal(t, []string{b.DocID, a.DocID}, []string{docs[0].ID, docs[1].ID})
	assert.Equal(t, shown(docs...), showing(t, l, acme, b.DocID, ghost.DocID, a.DocID))
	docs, err = l.Documents(t.Context(), acme, nil)
	require.NoError(t, err)
	assert.Empty(t, docs)
	assert.Empty(t, showing(t, l, acme))
}

func content(t *testing.T, l corpus.Ledger) {
	acme, _ := tenantstest.Two(t)
	sub := submission(t, tenantstest.Fresh(t, "doc/ü ?#%-"))
	sub.About = events.About{
		Title: "Água & <b>\"pão\"</b> 👩‍👩‍👧‍👦", Source: "s", URL: "https://example.com/?a=b&c=d",
		Metadata: map[string]any{"year": 2026.0, "draft": false, "tags": []any{"a", "b"}, "name": "x\u2028y"},
	}
	_, err := corpus.Submit(t.Context(), l, acme, sub)
	require.NoError(t, err)
	d := document(t, l, acme, sub.DocID)
	assert.Equal(t, sub.About, d.About)
	assert.Equal(t, sub.TextKey, d.TextKey)
	assert.Equal(t, sub.SHA256, d.SHA256)
	assert.Equal(t, sub.Bytes, d.Bytes)
	assert.Equal(t, sub.ContentType, d.ContentType)
	assert.Equal(t, sub.Model, d.Model)
	assert.False(t, d.CreatedAt.IsZero())
}
