package book_test

import (
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

// requestOf submits pages of a host.
func (d *desk) requestOf(host string, ids ...string) (refs []events.DocumentRef) {
	d.t.Helper()
	for _, id := range ids {
		sub := d.page(id)
		sub.Fetch.URL = "https://" + host + "/" + id
		r, err := d.take(sub)
		require.NoError(d.t, err)
		refs = append(refs, events.DocumentRef{DocID: id, Generation: r.Generation, JobID: r.JobID})
	}
	return refs
}

// silent is an attempt to fetch a document that was in vain; the last one has no next.
func (d *desk) silent(ref events.DocumentRef, last bool) corpus.Progress {
	p := corpus.Progress{DocumentRef: ref, Stage: corpus.StageFetch, Attempts: 2, Code: "fetch_failed", Message: "the server did not answer", Cause: events.Cause{ID: ref.JobID}}
	if !last {
		p.Retry = d.now.Add(time.Minute)
	}
	return p
}

// TestAHostThatDoesNotAnswerIsTriedLast: once that is known, its documents take turns behind everybody else's, and never all of the places.
func TestAHostThatDoesNotAnswerIsTriedLast(t *testing.T) {
	d := newDesk(t)
	dead := d.requestOf("dead.example", names("dead", 40)...)
	good := d.requestOf("good.example", names("good", 5)...)
	assert.Equal(t, names("dead", book.MaxFetches), d.requested(), "first come, first served")
	for _, ref := range dead[:book.FailsAfter] {
		d.advance(d.silent(ref, false))
	}
	assert.Empty(t, d.requested(), "nobody has ended")
	d.advance(d.silent(dead[0], true))
	assert.Equal(t, []string{"good00"}, d.requested(), "before 32 that came earlier")
	why := d.document("dead08").Why
	assert.Equal(t, []any{corpus.WhyWaiting, 4}, []any{why.Code, why.Before}, "behind what is to be had of others, though it came before them")
	for _, ref := range dead[1:book.MaxFetches] {
		d.advance(d.silent(ref, true))
	}
	assert.ElementsMatch(t, []string{"good01", "good02", "good03", "good04", "dead08", "dead09", "dead10"}, d.requested(), "all of the others, and then these, in their order")
	for _, ref := range good {
		d.advance(arrived(ref, 10), indexed(ref, 0, 1, 1))
	}
	assert.Equal(t, []string{"dead11", "dead12", "dead13"}, d.requested(), "six at a time")
	good = d.requestOf("good.example", "good05", "good06", "good07")
	assert.Equal(t, []string{"good05", "good06"}, d.requested(), "the other places are free for whoever comes")
	d.advance(arrived(good[0], 10), indexed(good[0], 0, 1, 1), arrived(good[1], 10), indexed(good[1], 0, 1, 1))
	assert.Equal(t, []string{"good07"}, d.requested())

	d.advance(arrived(dead[8], 10), indexed(dead[8], 0, 1, 1))
	back := d.requestOf("dead.example", "back")
	assert.Equal(t, []string{"dead14", "back"}, d.requested(), "it has answered: what comes now waits for nobody")
	d.advance(arrived(back[0], 10), indexed(back[0], 0, 1, 1), arrived(good[2], 10), indexed(good[2], 0, 1, 1))
	for i := 9; i < len(dead); i++ {
		d.advance(arrived(dead[i], 10), indexed(dead[i], 0, 1, 1))
	}
	assert.Zero(t, d.count("w/"), "everybody had a turn")
	assert.Equal(t, job.Succeeded, d.job(dead[39].JobID).State)
	assert.Len(t, d.requestOf("dead.example", names("again", 10)...), 10)
	assert.Len(t, d.requested()[25:], book.MaxFetches, "and nothing is left of what was known of it")
}

// TestACancelledImportLeavesTheSlowToo ends what waits of a host that does not answer.
func TestACancelledImportLeavesTheSlowToo(t *testing.T) {
	d := guarded(t)
	_, err := d.book.OpenImport(d.rows, d.scope, imports.Import{ID: "import", Origin: imports.Origin{Batch: 1}, Cause: events.Cause{ID: "r"}})
	require.NoError(t, err)
	const n = 100
	var es []imports.Taking
	for i := range n {
		sub := d.page(fmt.Sprint("i", i))
		es = append(es, imports.Taking{Submission: &sub})
	}
	_, err = d.book.Take(d.rows, d.scope, "import", 0, es)
	require.NoError(t, err)
	ref := func(i int) events.DocumentRef {
		return events.DocumentRef{DocID: es[i].Submission.DocID, Generation: 1, JobID: es[i].Submission.JobID}
	}
	for i := range book.MaxFetches {
		d.advance(d.silent(ref(i), false))
	}
	for i := range book.MaxFetches {
		d.advance(d.silent(ref(i), true))
	}
	require.Len(t, d.requested(), book.MaxFetches+book.MaxSlow)
	_, err = d.book.Cancel(d.rows, d.scope, "import")
	require.NoError(t, err)
	for range 5 {
		d.watch()
	}
	assert.Zero(t, d.count("w/"))
	for i := range n {
		d.advance(corpus.Progress{DocumentRef: ref(i), Stage: corpus.StageSubmit})
	}
	assert.Equal(t, job.Cancelled, d.job("import").State)
	assert.Equal(t, n-book.MaxFetches, d.job("import").Counts.Cancelled)
	single := d.request(names("s", book.MaxFetches)...)
	assert.Len(t, d.requested(), book.MaxSlow, "every place was given back; the host is still one that fails")
	d.advance(arrived(single[0], 1), indexed(single[0], 0, 1, 1))
	assert.Len(t, d.requested(), 1)
}
