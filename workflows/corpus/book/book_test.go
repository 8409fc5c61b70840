package book_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/book"
	"levada.dev/workflows/job"
)

var epoch = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// desk is a book with its rows and a clock.
type desk struct {
	*rows
	t     testing.TB
	now   time.Time
	book  *book.Book
	scope tenants.Scope
	jobs  int
}

func newDesk(t testing.TB) *desk {
	s, err := tenants.Resume("acme")
	require.NoError(t, err)
	d := &desk{rows: newRows(), t: t, now: epoch, scope: s}
	d.book = book.New(func() time.Time { return d.now })
	return d
}

func (d *desk) submission(docID string) corpus.Submission {
	d.jobs++
	return corpus.Submission{
		DocID: docID, JobID: fmt.Sprintf("job-%04d", d.jobs), About: events.About{Title: "T", Metadata: map[string]any{"year": 2026.0}},
		ContentType: "text/plain", TextKey: corpus.TextKey(docID, fmt.Sprintf("job-%04d", d.jobs), "sum"), Bytes: 10, SHA256: fmt.Sprint("sum", d.jobs), Model: "m",
		Cause: events.Cause{ID: fmt.Sprintf("request-%04d", d.jobs)},
	}
}

// take submits one document.
func (d *desk) take(sub corpus.Submission) (corpus.Receipt, error) {
	outs, err := d.book.SubmitAll(d.rows, d.scope, []corpus.Submission{sub})
	if err == nil && outs[0].Fault != nil {
		err = outs[0].Fault
	}
	if err != nil {
		return corpus.Receipt{}, err
	}
	return outs[0].Receipt, nil
}

func (d *desk) submit(docID string) events.DocumentRef {
	d.t.Helper()
	r, err := d.take(d.submission(docID))
	require.NoError(d.t, err)
	return events.DocumentRef{DocID: r.DocID, Generation: r.Generation, JobID: r.JobID}
}

func (d *desk) advance(ps ...corpus.Progress) []corpus.Verdict {
	d.t.Helper()
	d.now = d.now.Add(time.Second)
	vs, err := d.book.Advance(d.rows, d.scope, ps)
	require.NoError(d.t, err)
	return vs
}

func (d *desk) document(id string) corpus.Document {
	d.t.Helper()
	docs, err := d.book.Documents(d.rows, []string{id})
	require.NoError(d.t, err)
	require.Len(d.t, docs, 1)
	return docs[0]
}

func (d *desk) job(id string) job.Job {
	d.t.Helper()
	j, err := d.book.Job(d.rows, id)
	require.NoError(d.t, err)
	return j
}

func chunked(ref events.DocumentRef, slices, chunks int) corpus.Progress {
	return corpus.Progress{DocumentRef: ref, Stage: corpus.StageChunk, Slice: events.Slice{Slices: slices, Chunks: chunks}}
}

func indexed(ref events.DocumentRef, slice, slices, chunks int) corpus.Progress {
	return corpus.Progress{DocumentRef: ref, Stage: corpus.StageIndex, Slice: events.Slice{Slice: slice, Slices: slices, Chunks: chunks}, Embedded: epoch}
}

func failed(ref events.DocumentRef, stage corpus.Stage) corpus.Progress {
	return corpus.Progress{DocumentRef: ref, Stage: stage, Code: "broken", Message: "it broke", Attempts: 4, Cause: events.Cause{ID: "event"}}
}

func retired(ref events.DocumentRef) corpus.Progress {
	return corpus.Progress{DocumentRef: ref, Stage: corpus.StageRetire}
}

func TestRowsWrittenForADocument(t *testing.T) {
	d := newDesk(t)
	ref := d.submit("a")
	assert.Equal(t, 4, d.written, "document, job, event, turns")
	out, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	require.Len(t, out, 1)
	require.NoError(t, outbox.Sent(d.rows, []string{out[0].ID}))
	assert.Equal(t, 5, d.written)
	d.advance(chunked(ref, 3, 40))
	assert.Equal(t, 6, d.written)
	d.advance(indexed(ref, 0, 3, 40), indexed(ref, 2, 3, 40))
	assert.Equal(t, 7, d.written, "two slices in one call are one row")
	d.advance(indexed(ref, 0, 3, 40), chunked(ref, 3, 40))
	assert.Equal(t, 7, d.written, "what is told again writes nothing")
	d.advance(indexed(ref, 1, 3, 40))
	assert.Equal(t, 10, d.written, "document, job, turns")
	d.advance(indexed(ref, 1, 3, 40))
	assert.Equal(t, 10, d.written)
}

func TestTheSubmittedEvent(t *testing.T) {
	d := newDesk(t)
	sub := d.submission("a")
	sub.Cause = events.Cause{ID: "request", TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", IdempotencyKey: "k"}
	_, err := d.take(sub)
	require.NoError(t, err)
	out, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	require.Len(t, out, 1)
	var f events.DocumentSubmitted
	require.NoError(t, out[0].Event.As(&f))
	assert.Equal(t, sub.Cause, events.Cause{ID: out[0].Event.CausationID, TraceParent: out[0].Event.TraceParent, IdempotencyKey: out[0].Event.IdempotencyKey})
	assert.Equal(t, events.DocumentRef{DocID: "a", Generation: 1, JobID: sub.JobID}, f.DocumentRef)
	assert.Equal(t, sub.About, f.About)
	assert.Equal(t, sub.TextKey, f.TextKey)
	assert.Equal(t, "/tenants/acme/ledger", out[0].Event.Source)
}

func TestTheOutboxSendsTheOldestFirst(t *testing.T) {
	d := newDesk(t)
	for i := range 5 {
		d.submit(fmt.Sprint("doc", 9-i))
	}
	first, err := outbox.Pending(d.rows, 2)
	require.NoError(t, err)
	require.Len(t, first, 2)
	assert.Equal(t, "documents/doc9", first[0].Event.Subject)
	again, err := outbox.Pending(d.rows, 2)
	require.NoError(t, err)
	assert.Equal(t, first, again, "until it was sent")
	require.NoError(t, outbox.Sent(d.rows, []string{first[0].ID, first[1].ID}))
	rest, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	assert.Len(t, rest, 3)
}

func TestAFailureKeepsWhatIsSearchableAndNamesWhatToRemove(t *testing.T) {
	d := newDesk(t)
	one := d.submit("a")
	d.advance(chunked(one, 1, 2), indexed(one, 0, 1, 2))
	two := d.submit("a")
	d.advance(chunked(two, 3, 40), indexed(two, 1, 3, 40))
	want := corpus.Verdict{Stale: true, Retired: []corpus.Retired{{Generation: 2, Chunks: 40, Model: "m"}}}
	assert.Equal(t, []corpus.Verdict{want}, d.advance(failed(two, corpus.StageEmbed)))
	assert.Equal(t, []corpus.Verdict{want}, d.advance(failed(two, corpus.StageIndex)), "and again, until it is confirmed")

	doc := d.document("a")
	assert.Equal(t, corpus.Failed, doc.State)
	assert.Equal(t, 1, doc.Searchable)
	assert.Equal(t, "broken", doc.Why.Error)
	assert.Equal(t, "it broke", doc.Why.Message)
	assert.Equal(t, "embed", d.job(two.JobID).Errors[0].Stage, "the first failure counts")
	assert.Equal(t, []corpus.Verdict{{Stale: true}}, d.advance(retired(two)))
	assert.Equal(t, []corpus.Verdict{{Complete: true}}, d.advance(indexed(one, 0, 1, 2)))

	out, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	var told []string
	for _, o := range out {
		told = append(told, o.Event.Type)
	}
	assert.Equal(t, []string{events.TypeDocumentSubmitted, events.TypeDocumentFailed, events.TypeDocumentSubmitted}, told)
}

func TestCutInTwoWaysFails(t *testing.T) {
	d := newDesk(t)
	ref := d.submit("a")
	d.advance(chunked(ref, 2, 20), indexed(ref, 0, 2, 20))
	vs := d.advance(indexed(ref, 1, 3, 35))
	assert.Equal(t, []corpus.Verdict{{Stale: true, Retired: []corpus.Retired{{Generation: 1, Chunks: 35, Model: "m"}}}}, vs)
	assert.Equal(t, "slices_disagree", d.job(ref.JobID).Errors[0].Code)
}

func TestIdempotencyKeys(t *testing.T) {
	d := newDesk(t)
	submit := func(key, hash string) (corpus.Receipt, error) {
		sub := d.submission("a")
		sub.Cause.IdempotencyKey, sub.RequestHash = key, hash
		return d.take(sub)
	}
	first, err := submit("k", "h1")
	require.NoError(t, err)
	written := d.written

	d.now = epoch.Add(23*time.Hour + 59*time.Minute)
	again, err := submit("k", "h1")
	require.NoError(t, err)
	first.Replayed = true
	assert.Equal(t, first, again)
	_, err = submit("k", "h2")
	assert.Equal(t, "idempotency_conflict", fault.As(err).Code)
	assert.Equal(t, fault.Conflict, fault.KindOf(err))
	assert.Equal(t, written, d.written, "neither wrote anything")

	d.now = epoch.Add(24 * time.Hour)
	fresh, err := submit("k", "h2")
	require.NoError(t, err)
	assert.Equal(t, 2, fresh.Generation)
}

func TestOldRowsGoAway(t *testing.T) {
	d := newDesk(t)
	count := func(prefix string) (n int) {
		for k := range d.m {
			if strings.HasPrefix(k, prefix) {
				n++
			}
		}
		return n
	}
	for i := range 40 { // ten keys a day
		sub := d.submission(fmt.Sprint("doc", i))
		sub.Cause.IdempotencyKey = fmt.Sprint("key", i)
		r, err := d.take(sub)
		require.NoError(t, err)
		if i%2 == 0 {
			d.advance(failed(events.DocumentRef{DocID: r.DocID, Generation: 1, JobID: r.JobID}, corpus.StageChunk))
		}
		d.now = d.now.Add(24 * time.Hour / 10)
	}
	assert.LessOrEqual(t, count("i/"), 30, "keys go as new ones come")
	d.now = d.now.Add(book.JobLife)
	from, steps := "", 0
	for ; steps == 0 || from != ""; steps++ {
		require.Less(t, steps, 20)
		var err error
		from, err = d.book.Sweep(d.rows, from, 3) // fewer than have not ended
		require.NoError(t, err)
	}
	assert.Zero(t, count("i/"))
	assert.Equal(t, 20, count("j/"), "jobs that have not ended stay")
	assert.Equal(t, 40, count("d/"))
}

func TestWireCarriesFaultsAndRollsBack(t *testing.T) {
	d := newDesk(t)
	var commits []bool
	client := book.NewClient(func(_ context.Context, _ tenants.Scope, _ []string, method string, body []byte) ([]byte, error) {
		reply, commit := d.book.Call(d.rows, method, body)
		commits = append(commits, commit)
		return reply, nil
	})
	_, err := client.Job(t.Context(), d.scope, "none")
	assert.Equal(t, "job_not_found", fault.As(err).Code)
	_, err = corpus.Submit(t.Context(), client, d.scope, corpus.Submission{DocID: "a"})
	assert.Equal(t, "jobId", fault.As(err).Field)
	_, err = corpus.Submit(t.Context(), client, d.scope, d.submission("a"))
	require.NoError(t, err)

	other, err := tenants.Resume("globex")
	require.NoError(t, err)
	_, err = client.Documents(t.Context(), other, []string{"a"})
	assert.Equal(t, "tenant_mismatch", fault.As(err).Code, "a book is one tenant's for ever")

	d.err = errors.New("disk full")
	_, err = corpus.Submit(t.Context(), client, d.scope, d.submission("b"))
	assert.Equal(t, "object_storage", fault.As(err).Code)
	assert.True(t, fault.Retryable(err))
	assert.NotContains(t, err.Error(), "disk", "causes stay behind")
	assert.Equal(t, []bool{false, true, true, false, false}, commits, "a refused submission is an answer")

	for _, body := range []string{"", "null", "{}", `{"tenant":"acme","args":3}`} {
		for _, method := range []string{"submitAll", "advance", "documents", "job", "no"} {
			reply, commit := d.book.Call(newRows(), method, []byte(body))
			assert.False(t, commit, "%s %s", method, body)
			assert.Contains(t, string(reply), `"fault"`)
		}
	}
}

func TestAdvanceOfADocumentThatIsNotThereIsStale(t *testing.T) {
	d := newDesk(t)
	d.submit("a")
	ghost := events.DocumentRef{DocID: "ghost", Generation: 1, JobID: "j"}
	future := events.DocumentRef{DocID: "a", Generation: 9, JobID: "j"}
	assert.Equal(t, []corpus.Verdict{{Stale: true, Unwanted: true}, {Stale: true, Unwanted: true}, {}}, d.advance(
		indexed(ghost, 0, 1, 1), indexed(future, 0, 1, 1), corpus.Progress{DocumentRef: events.DocumentRef{DocID: "a", Generation: 1}, Stage: corpus.StageEmbed}))
}

func refOf(d corpus.Document) events.DocumentRef {
	return events.DocumentRef{DocID: d.ID, Generation: d.Generation, JobID: d.JobID}
}

func TestAnEventThatCanNeverBeSentStandsInNobodysWay(t *testing.T) {
	d := newDesk(t)
	require.NoError(t, d.rows.Put("tenant", []byte("acme")))
	lost := d.submit("lost")
	d.submit("next")
	out, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	require.Len(t, out, 2)
	require.NoError(t, d.rows.Put("o/"+out[0].ID, []byte(`{"specversion":`)))

	out, err = outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	require.Len(t, out, 2)
	require.Error(t, out[0].Err)
	require.NoError(t, out[1].Err)
	for range 2 { // also when the answer was lost
		require.NoError(t, d.book.SetAside(d.rows, out[0].ID, out[0].Err))
	}

	rest, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	var types []string
	for _, o := range rest {
		require.NoError(t, o.Err)
		types = append(types, o.Event.Type)
	}
	assert.ElementsMatch(t, []string{events.TypeDocumentFailed, events.TypeDocumentSubmitted}, types)
	docs, err := d.book.Documents(d.rows, []string{"lost", "next"})
	require.NoError(t, err)
	assert.Equal(t, corpus.Failed, docs[0].State)
	assert.Equal(t, "event_invalid", docs[0].Why.Error)
	assert.Equal(t, corpus.Submitted, docs[1].State)
	j, err := d.book.Job(d.rows, lost.JobID)
	require.NoError(t, err)
	assert.Equal(t, job.Failed, j.State)
	kept, err := d.rows.Get("x/" + out[0].ID)
	require.NoError(t, err)
	assert.Equal(t, `{"specversion":`, string(kept), "for operators")
}
