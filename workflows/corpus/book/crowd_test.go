package book_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// A document that changes more often than it has its turn does not outgrow its row, which SQLite in an object takes up to 2 MB of: the newest version but one
// gives way, and whatever is left of them the newest becomes searchable.
func TestADocumentThatChangesAllTheTimeKeepsItsRowSmall(t *testing.T) {
	d, large := crowded(t)
	_, err := d.book.OpenImport(d.rows, d.scope, imports.Import{ID: "import", Origin: imports.Origin{Batch: 1}, Cause: events.Cause{ID: "r"}})
	require.NoError(t, err)
	const many = 300
	var es []imports.Taking
	for range many {
		sub := d.submission("a")
		sub.About.Metadata["note"] = strings.Repeat("x", 4000)
		es = append(es, imports.Taking{Submission: &sub})
	}
	for n := 0; n < many; n += 100 {
		_, err = d.book.Take(d.rows, d.scope, "import", n, es[n:n+100])
		require.NoError(t, err)
	}
	_, err = d.book.SealImport(d.rows, d.scope, "import", many, nil)
	require.NoError(t, err)
	assert.Less(t, len(d.m["d/a"]), 200_000, "bytes of its row")
	assert.Equal(t, 16, d.count("w/"))
	overtaken := d.job(es[many-2].Submission.JobID)
	assert.Equal(t, job.Cancelled, overtaken.State)
	assert.Equal(t, "superseded", overtaken.Errors[0].Code)
	assert.Equal(t, job.Queued, d.job(es[0].Submission.JobID).State, "the first are as near to their turn as they were")

	newest := events.DocumentRef{DocID: "a", Generation: many, JobID: es[many-1].Submission.JobID}
	assert.Equal(t, corpus.WhyWaiting, d.document("a").Why.Code)
	d.advance(indexed(large, 0, 1, 1))
	d.advance(indexed(newest, 0, 1, 1))
	assert.Equal(t, many, d.document("a").Searchable)
	assert.Zero(t, d.inFlight(), "every turn was given back")
	im := d.job("import")
	assert.Equal(t, []any{job.Succeeded, many, 1, many - 1}, []any{im.State, im.Counts.Total, im.Counts.Done, im.Counts.Cancelled})
}

// TestADocumentThatChangesAllTheTimeIsSearchable: a version takes longer than 16 others to come, and yet they get through, one after the other; in the end the
// newest does.
func TestADocumentThatChangesAllTheTimeIsSearchable(t *testing.T) {
	d := newDesk(t)
	const steps, takes = 200, 40
	var refs []events.DocumentRef
	shown := 0
	for step := range steps {
		r := d.submit("a")
		refs = append(refs, events.DocumentRef{DocID: "a", Generation: r.Generation, JobID: r.JobID})
		if step >= takes {
			d.advance(indexed(refs[step-takes], 0, 1, 1))
		}
		now := d.document("a").Searchable
		require.GreaterOrEqual(t, now, shown)
		shown = now
	}
	assert.Greater(t, shown, steps/2, "it follows what comes")
	for _, ref := range refs[steps-takes:] {
		d.advance(indexed(ref, 0, 1, 1))
	}
	assert.Equal(t, steps, d.document("a").Searchable)
	assert.Zero(t, d.inFlight())
}

// TestWhatCameBeforeIsThereWhenTheNewestFails, however many there were.
func TestWhatCameBeforeIsThereWhenTheNewestFails(t *testing.T) {
	d := newDesk(t)
	var refs []events.DocumentRef
	for range 30 {
		r := d.submit("a")
		refs = append(refs, events.DocumentRef{DocID: "a", Generation: r.Generation, JobID: r.JobID})
	}
	d.advance(failed(refs[29], corpus.StageChunk))
	for _, ref := range refs[:29] {
		d.advance(indexed(ref, 0, 1, 1))
	}
	doc := d.document("a")
	assert.Equal(t, []any{15, 30, corpus.WhyFailed}, []any{doc.Searchable, doc.Generation, doc.Why.Code}, "the last of those that were not cancelled")
	assert.Zero(t, d.inFlight())
}

// A page that is what the searchable version was is that version again, also when one in between has failed of which vectors are left.
func TestAPageThatIsAsItWasBeforeAFailure(t *testing.T) {
	d := newDesk(t)
	page := func() events.DocumentRef {
		sub := d.submission("a")
		sub.TextKey, sub.SHA256, sub.Bytes, sub.Fetch = "", "", 0, &events.Fetch{URL: "https://a.example/"}
		r, err := d.take(sub)
		require.NoError(t, err)
		return events.DocumentRef{DocID: "a", Generation: r.Generation, JobID: r.JobID}
	}
	fetched := func(ref events.DocumentRef, sum string) corpus.Progress {
		return corpus.Progress{DocumentRef: ref, Stage: corpus.StageFetch, Fetched: &corpus.Original{
			TextKey: corpus.TextKey("a", ref.JobID, sum), ContentType: "text/html", SHA256: sum, Bytes: 10,
		}}
	}
	first := page()
	d.advance(fetched(first, "one"), indexed(first, 0, 1, 1))
	second := page()
	d.advance(fetched(second, "two"), indexed(second, 0, 2, 2), failed(second, corpus.StageEmbed))
	third := page()
	d.advance(corpus.Progress{DocumentRef: third, Stage: corpus.StageFetch, Unchanged: true})
	assert.True(t, d.job(third.JobID).Unchanged)

	doc := d.document("a")
	assert.Nil(t, doc.Why, "it is searchable as it is on the web")
	assert.Equal(t, []any{corpus.Indexed, 1, 1, first.JobID}, []any{doc.State, doc.Generation, doc.Searchable, doc.JobID})
	assert.NotEmpty(t, doc.TextKey)
	next := page()
	assert.Equal(t, 4, next.Generation, "no number is given twice")
	vs := d.advance(fetched(next, "four"), indexed(next, 0, 1, 1))
	var left []int
	for _, r := range vs[1].Retired {
		left = append(left, r.Generation)
	}
	assert.ElementsMatch(t, []int{1, 2}, left, "what the failure has left is not forgotten")
}
