package book_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/book"
	"levada.dev/workflows/job"
)

func (d *desk) delete(docID string) events.DocumentRef {
	d.t.Helper()
	d.jobs++
	r, err := d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: docID, JobID: fmt.Sprintf("job-%04d", d.jobs), Cause: events.Cause{ID: "delete"}})
	require.NoError(d.t, err)
	return events.DocumentRef{DocID: r.DocID, Generation: r.Generation, JobID: r.JobID}
}

// outgoing are the types of the events that wait for the queue.
func (d *desk) outgoing() (types []string) {
	d.t.Helper()
	out, err := outbox.Pending(d.rows, 1000)
	require.NoError(d.t, err)
	for _, o := range out {
		require.NoError(d.t, o.Err)
		types = append(types, strings.TrimPrefix(o.Event.Type, "dev.levada."))
	}
	return types
}

func TestAPageOfAListLooksAtABoundedNumberOfRows(t *testing.T) {
	d := newDesk(t)
	for i := range 2100 {
		require.NoError(t, d.Put(fmt.Sprintf("d/doc%05d", i), fmt.Appendf(nil, `{"id":"doc%05d","n":1,"del":{"t":1,"job":"j"}}`, i)))
		require.NoError(t, d.Put(fmt.Sprintf("j/job%05d", i), []byte(`{"d":"none","g":1}`))) // whose document is gone
	}
	require.NoError(t, d.Put("d/doc99999", []byte(`{"id":"doc99999","n":1,"g":[{"n":1,"st":"indexed","job":"j","model":"m"}]}`)))
	written := d.written
	q, found, pages := corpus.Listing{State: corpus.Indexed, Limit: 10}, 0, 0
	for {
		page, err := d.book.List(d.rows, q)
		require.NoError(t, err)
		found += len(page.Documents)
		pages++
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	assert.Equal(t, []int{1, 3}, []int{found, pages}, "a thousand a page")
	jq, pages := corpus.JobListing{Limit: 10}, 0
	for {
		page, err := d.book.Jobs(d.rows, jq)
		require.NoError(t, err)
		assert.Empty(t, page.Jobs)
		pages++
		if jq.Cursor = page.Next; jq.Cursor == "" {
			break
		}
	}
	assert.Equal(t, 3, pages)
	assert.Equal(t, written, d.written, "asking writes nothing")
}

func TestRowsWrittenForWhatIsUnchangedAndForADeletion(t *testing.T) {
	d := newDesk(t)
	sub := d.submission("a")
	_, err := corpusSubmit(d, sub)
	require.NoError(t, err)
	ref := refOf(d.document("a"))
	d.advance(chunked(ref, 1, 2), indexed(ref, 0, 1, 2))
	written := d.written
	again := sub
	again.JobID = "job-again"
	r, err := corpusSubmit(d, again)
	require.NoError(t, err)
	require.True(t, r.Unchanged)
	assert.LessOrEqual(t, d.written-written, 2, "its job; and the turns, once the pace has changed")
	assert.Equal(t, []string{"document.submitted.v1"}, d.outgoing(), "no event")
	written = d.written
	d.delete("a")
	assert.Equal(t, 4, d.written-written, "tombstone, job, event, and the watchdog's")
	written = d.written
	d.delete("a")
	assert.Equal(t, written, d.written, "the same again writes nothing")
}

func corpusSubmit(d *desk, sub corpus.Submission) (corpus.Receipt, error) {
	outs, err := d.book.SubmitAll(d.rows, d.scope, []corpus.Submission{sub})
	if err != nil {
		return corpus.Receipt{}, err
	}
	if f := outs[0].Fault; f != nil {
		return corpus.Receipt{}, f
	}
	return outs[0].Receipt, nil
}

// A document that waits for its turn has sent nothing. When it is deleted or cancelled its turn never comes, and the others' does.
func TestWhatWaitsEndsWithItsDocument(t *testing.T) {
	for name, end := range map[string]func(d *desk, ref events.DocumentRef){
		"deleted":   func(d *desk, ref events.DocumentRef) { d.delete(ref.DocID) },
		"cancelled": func(d *desk, ref events.DocumentRef) { _, _ = d.book.Cancel(d.rows, d.scope, ref.JobID) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			sub := d.submission("large")
			sub.Bytes = 64 << 20 // more than a window
			_, err := corpusSubmit(d, sub)
			require.NoError(t, err)
			large := refOf(d.document("large"))
			waits, next := d.submit("waits"), d.submit("next")
			why := d.document("next").Why
			require.Equal(t, []any{corpus.WhyWaiting, 1}, []any{why.Code, why.Before})
			end(d, waits)
			assert.Equal(t, job.Cancelled, d.job(waits.JobID).State)
			assert.Equal(t, name, d.job(waits.JobID).Errors[0].Code)
			assert.Equal(t, 0, d.document("next").Why.Before)
			d.advance(failed(large, corpus.StageChunk))
			out, err := outbox.Pending(d.rows, 100)
			require.NoError(t, err)
			var submitted []string
			for _, o := range out {
				if o.Event.Type == events.TypeDocumentSubmitted {
					submitted = append(submitted, o.Event.Subject)
				}
			}
			assert.ElementsMatch(t, []string{"documents/large", "documents/next"}, submitted)
			d.advance(chunked(next, 1, 1), indexed(next, 0, 1, 1))
			assert.Equal(t, job.Succeeded, d.job(next.JobID).State)
			for k := range d.m {
				assert.False(t, strings.HasPrefix(k, "w/"), "nobody waits: %s", k)
			}
		})
	}
}

func TestADeletedDocumentLeavesNothingOfWhatItSaid(t *testing.T) {
	d := newDesk(t)
	sub := d.submission("a")
	sub.About = events.About{Title: "whispered", Source: "whispered", URL: "whispered", Metadata: map[string]any{"k": "whispered"}}
	_, err := corpusSubmit(d, sub)
	require.NoError(t, err)
	ref := refOf(d.document("a"))
	d.advance(chunked(ref, 2, 20), indexed(ref, 0, 2, 20))
	out, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	require.NoError(t, outbox.Sent(d.rows, []string{out[0].ID}))
	deletion := d.delete("a")
	d.advance(corpus.Progress{DocumentRef: deletion, Stage: corpus.StageErase, Left: &corpus.Left{Settled: true}, Cause: events.Cause{ID: "event"}})
	for k, v := range d.m {
		assert.NotContains(t, string(v), "whispered", k)
	}
	assert.Contains(t, d.outgoing(), "document.erased.v1")
}

func TestTheRowOfABarredTextGoesAway(t *testing.T) {
	d := newDesk(t)
	d.submit("a")
	deletion := d.delete("a")
	orphan := corpus.TextKey("a", "orphan", "sum")
	v := d.advance(corpus.Progress{DocumentRef: deletion, Stage: corpus.StageErase, Left: &corpus.Left{Texts: []string{orphan}}, Cause: events.Cause{ID: "event"}})
	assert.Equal(t, []string{orphan}, v[0].Texts)
	_, err := d.book.Job(d.rows, "orphan")
	assert.Equal(t, "job_not_found", fault.As(err).Code)
	page, err := d.book.Jobs(d.rows, corpus.JobListing{Limit: 10})
	require.NoError(t, err)
	assert.Len(t, page.Jobs, 2, "it is no job")
	_, err = d.book.Cancel(d.rows, d.scope, "orphan")
	assert.Equal(t, "job_not_found", fault.As(err).Code)
	require.Contains(t, d.m, "j/orphan")
	d.now = d.now.Add(book.JobLife)
	for next := ""; ; {
		if next, err = d.book.Sweep(d.rows, next, 10); next == "" {
			break
		}
	}
	require.NoError(t, err)
	assert.NotContains(t, d.m, "j/orphan")
}

func TestADeletionThatCanNeverBeToldFails(t *testing.T) {
	d := newDesk(t)
	require.NoError(t, d.rows.Put("tenant", []byte("acme")))
	ref := d.submit("a")
	d.advance(chunked(ref, 1, 2), indexed(ref, 0, 1, 2))
	deletion := d.delete("a")
	id := deletion.JobID + "." + events.TypeDocumentDeleted
	require.NoError(t, d.book.SetAside(d.rows, id, fault.New(fault.Invalid, "event_invalid", "it cannot be read", nil)))
	j := d.job(deletion.JobID)
	assert.Equal(t, []any{job.Failed, "event_invalid"}, []any{j.State, j.Errors[0].Code})
	assert.NotEqual(t, deletion.JobID, d.delete("a").JobID, "the next one tries again")
}
