package book_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/book"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

func (d *desk) page(id string) corpus.Submission {
	sub := d.submission(id)
	sub.TextKey, sub.SHA256, sub.Bytes, sub.Fetch = "", "", 0, &events.Fetch{URL: "https://a.example/" + id}
	return sub
}

// request submits pages and returns what names them.
func (d *desk) request(ids ...string) (refs []events.DocumentRef) {
	d.t.Helper()
	for _, id := range ids {
		r, err := d.take(d.page(id))
		require.NoError(d.t, err)
		refs = append(refs, events.DocumentRef{DocID: id, Generation: r.Generation, JobID: r.JobID})
	}
	return refs
}

func arrived(ref events.DocumentRef, bytes int) corpus.Progress {
	return corpus.Progress{DocumentRef: ref, Stage: corpus.StageFetch, Fetched: &corpus.Original{
		TextKey: corpus.TextKey(ref.DocID, ref.JobID, "sum"), ContentType: "text/html", SHA256: "sum", Bytes: bytes,
	}}
}

// requested are the documents that somebody was told to fetch since.
func (d *desk) requested() (ids []string) {
	for _, e := range d.sent() {
		if e.Type == events.TypeDocumentRequested {
			ids = append(ids, e.Subject[len("documents/"):])
		}
	}
	return ids
}

func names(prefix string, n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("%s%02d", prefix, i))
	}
	return ids
}

// TestAFewAreFetchedAtATime: what is being fetched takes nothing of the window, and texts nothing of its places.
func TestAFewAreFetchedAtATime(t *testing.T) {
	d := guarded(t)
	texts := d.fill(257)
	refs := d.request(names("p", book.MaxFetches+3)...)
	assert.Len(t, d.requested(), book.MaxFetches)
	assert.Equal(t, 256, d.inFlight())
	why := d.document(refs[book.MaxFetches+1].DocID).Why
	assert.Equal(t, []any{corpus.WhyWaiting, 1}, []any{why.Code, why.Before}, "behind those that are to be fetched, not behind texts")

	d.advance(indexed(texts[0], 0, 1, 1))
	assert.Equal(t, []string{texts[256].DocID}, d.begun(), "while as many are fetched as may be")
	for _, ref := range texts[1:] {
		d.advance(indexed(ref, 0, 1, 1))
	}
	assert.Zero(t, d.inFlight())

	d.advance(arrived(refs[0], 40_000))
	assert.Equal(t, []string{refs[book.MaxFetches].DocID}, d.requested(), "in the transaction that made room")
	assert.Equal(t, 1+40_000/4096, d.inFlight(), "it goes through the pipeline like any other")
	d.advance(failed(refs[1], corpus.StageFetch))
	_, err := d.book.Cancel(d.rows, d.scope, refs[2].JobID)
	require.NoError(t, err)
	assert.Len(t, d.requested(), 2)
	d.advance(indexed(refs[0], 0, 1, 1))
	assert.Zero(t, d.inFlight())
}

// fill submits n texts of a unit each.
func (d *desk) fill(n int) (refs []events.DocumentRef) {
	for _, id := range names("text", n) {
		r := d.submit(id)
		refs = append(refs, events.DocumentRef{DocID: id, Generation: 1, JobID: r.JobID})
	}
	d.sent()
	return refs
}

// TestAWindowThatIsFullHoldsFetchingBack: more is not fetched than the pipeline takes.
func TestAWindowThatIsFullHoldsFetchingBack(t *testing.T) {
	d := newDesk(t)
	refs := d.request(names("p", book.MaxFetches+2)...)
	require.Len(t, d.requested(), book.MaxFetches)
	d.advance(arrived(refs[0], large))
	assert.Empty(t, d.requested())
	d.advance(indexed(refs[0], 0, 1, 1))
	assert.Len(t, d.requested(), 1)
}

// TestWhatHasArrivedIsSentAgainAsItIs: the watchdog has nothing fetched that is here.
func TestWhatHasArrivedIsSentAgainAsItIs(t *testing.T) {
	d := guarded(t)
	refs := d.request("here", "away")
	d.advance(arrived(refs[0], 10))
	d.sent()
	d.now = d.now.Add(2 * corpus.DefaultDeadline)
	d.watch()
	types := map[string]string{}
	for _, e := range d.sent() {
		types[e.Subject] = e.Type
		if e.Type == events.TypeDocumentSubmitted {
			var f events.DocumentSubmitted
			require.NoError(t, e.As(&f))
			assert.Equal(t, []any{"text/html", "sum", 10}, []any{f.ContentType, f.SHA256, f.Bytes})
		}
	}
	assert.Equal(t, map[string]string{"documents/here": events.TypeDocumentSubmitted, "documents/away": events.TypeDocumentRequested}, types)
}

// TestACancelledImportLeavesBothLanes ends what waits of an import that has texts and pages, some at once and the rest by and by.
func TestACancelledImportLeavesBothLanes(t *testing.T) {
	d := guarded(t)
	texts := d.fill(256)
	const n = 150
	_, err := d.book.OpenImport(d.rows, d.scope, imports.Import{ID: "import", Origin: imports.Origin{Batch: 1}, Cause: events.Cause{ID: "r"}})
	require.NoError(t, err)
	var es []imports.Taking
	for i := range n {
		sub := d.submission(fmt.Sprint("i", i))
		if i%2 == 0 {
			sub = d.page(fmt.Sprint("i", i))
		}
		es = append(es, imports.Taking{Submission: &sub})
	}
	_, err = d.book.Take(d.rows, d.scope, "import", 0, es)
	require.NoError(t, err)
	begun := d.requested()
	require.Len(t, begun, book.MaxFetches)
	single := d.request("single")[0]
	_, err = d.book.Cancel(d.rows, d.scope, "import")
	require.NoError(t, err)
	for range 5 {
		d.watch()
	}
	assert.Equal(t, 1, d.count("w/"), "the single page")
	assert.Equal(t, n-book.MaxFetches, d.job("import").Counts.Cancelled)
	for _, e := range es {
		if sub := e.Submission; sub.Fetch != nil { // whoever was told to fetch it asks first
			ask := corpus.Progress{DocumentRef: events.DocumentRef{DocID: sub.DocID, Generation: 1, JobID: sub.JobID}, Stage: corpus.StageSubmit}
			assert.Equal(t, []corpus.Verdict{{Stale: true, Unwanted: true}}, d.advance(ask))
		}
	}
	assert.Equal(t, job.Cancelled, d.job("import").State)
	assert.Equal(t, []string{"single"}, d.requested())
	d.advance(arrived(single, 1), indexed(single, 0, 1, 1))
	for _, ref := range texts {
		d.advance(indexed(ref, 0, 1, 1))
	}
	assert.Zero(t, d.inFlight())
}

// TestImportsLeaveRoom: what an import has waiting keeps neither single documents nor, as they are counted apart, pages out. Whoever is refused is told
// how long what must go before takes.
func TestImportsLeaveRoom(t *testing.T) {
	d := newDesk(t)
	pace := corpus.Pace{MaxWaiting: 40}
	_, err := d.book.OpenImport(d.rows, d.scope, imports.Import{ID: "import", Origin: imports.Origin{Batch: 1}, Cause: events.Cause{ID: "r"}})
	require.NoError(t, err)
	var es []imports.Taking
	for _, id := range names("i", 60) {
		sub := d.page(id)
		sub.Pace = pace
		es = append(es, imports.Taking{Submission: &sub})
	}
	taken, err := d.book.Take(d.rows, d.scope, "import", 0, es)
	require.NoError(t, err)
	assert.Equal(t, book.MaxFetches+30, taken.Entries, "three quarters wait")
	for _, id := range names("s", 10) {
		sub := d.page(id)
		sub.Pace = pace
		_, err := d.take(sub)
		require.NoError(t, err)
	}
	sub := d.page("one too many")
	sub.Pace = pace
	outs, err := d.book.SubmitAll(d.rows, d.scope, []corpus.Submission{sub})
	require.NoError(t, err)
	assert.Equal(t, "backlog_full", outs[0].Fault.Code)
	text := d.submission("text")
	text.Pace = pace
	_, err = d.take(text)
	require.NoError(t, err)

	for range 4 { // servers that take a minute
		for _, id := range d.requested() {
			d.now = d.now.Add(time.Minute)
			doc := d.document(id)
			d.advance(failed(events.DocumentRef{DocID: id, Generation: 1, JobID: doc.JobID}, corpus.StageFetch))
		}
	}
	var row struct {
		Fetches int     `json:"fe"`
		Gap     float64 `json:"fg"`
	}
	require.NoError(t, json.Unmarshal(d.m["turns"], &row))
	assert.InDelta(t, time.Minute.Milliseconds(), row.Gap, 2000)
	_, err = d.book.Take(d.rows, d.scope, "import", taken.Entries, es[taken.Entries:])
	require.NoError(t, err, "there is room again")
	for i := 0; ; i++ {
		sub := d.page(fmt.Sprint("more", i))
		sub.Pace = pace
		outs, err := d.book.SubmitAll(d.rows, d.scope, []corpus.Submission{sub})
		require.NoError(t, err)
		if f := outs[0].Fault; f != nil {
			assert.InDelta(t, 2*time.Minute.Seconds(), f.RetryAfter.Seconds(), 5, "two must go before")
			break
		}
	}
}
