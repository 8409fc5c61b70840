package book_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/outbox"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// guarded is a desk whose ledger has served somebody, as one has before its alarm rings.
func guarded(t *testing.T) *desk {
	d := newDesk(t)
	require.NoError(t, d.rows.Put("tenant", []byte("acme")))
	return d
}

func (d *desk) watch() time.Time {
	d.t.Helper()
	next, err := d.book.Watch(d.rows)
	require.NoError(d.t, err)
	return next
}

// sent empties the outbox.
func (d *desk) sent() (evs []events.Event) {
	d.t.Helper()
	out, err := outbox.Pending(d.rows, 1000)
	require.NoError(d.t, err)
	for _, o := range out {
		require.NoError(d.t, o.Err)
		require.NoError(d.t, outbox.Sent(d.rows, []string{o.ID}))
		evs = append(evs, o.Event)
	}
	return evs
}

func (d *desk) count(prefix string) (n int) {
	for k := range d.m {
		if strings.HasPrefix(k, prefix) {
			n++
		}
	}
	return n
}

func TestWhatDoesNotGetOnIsSentAgainAndFailsInTheEnd(t *testing.T) {
	d := guarded(t)
	sub := d.submission("a")
	sub.Text, sub.Pace.Deadline = "text", 5*time.Minute
	sub.Cause.TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	r, err := d.take(sub)
	require.NoError(t, err)
	first := d.sent()
	require.Len(t, first, 1)
	assert.Equal(t, epoch.Add(5*time.Minute), d.watch())
	assert.Empty(t, d.sent(), "it is not due yet")

	ids := map[string]bool{first[0].ID: true}
	for n := range 3 {
		d.now = d.now.Add(5 * time.Minute)
		assert.Equal(t, d.now.Add(5*time.Minute), d.watch())
		again := d.sent()
		require.Len(t, again, 1, "time %d", n)
		ids[again[0].ID] = true
		var was, is events.DocumentSubmitted
		require.NoError(t, first[0].As(&was))
		require.NoError(t, again[0].As(&is))
		was.Text = "" // it is in the store
		assert.Equal(t, was, is, "the same generation of the same document")
		assert.Equal(t, sub.Cause.TraceParent, again[0].TraceParent)
		assert.Empty(t, func() []events.Event { d.watch(); return d.sent() }(), "once a deadline")
	}
	assert.Len(t, ids, 4, "each is an event of its own, or it would be taken for the first")
	d.now = d.now.Add(5 * time.Minute)
	assert.Zero(t, d.watch())
	told := d.sent()
	require.Len(t, told, 1)
	assert.Equal(t, events.TypeDocumentFailed, told[0].Type)
	j := d.job(r.JobID)
	assert.Equal(t, job.Failed, j.State)
	assert.Equal(t, []any{"stuck", "chunk"}, []any{j.Errors[0].Code, j.Errors[0].Stage})
	assert.Equal(t, "stuck", d.document("a").Why.Error)
	ref := events.DocumentRef{DocID: "a", Generation: 1, JobID: r.JobID}
	assert.True(t, d.advance(indexed(ref, 0, 1, 1))[0].Stale, "late work changes nothing")
}

func TestTheStageOfWhatIsStuckIsTheLastThatWasHeardOf(t *testing.T) {
	d := guarded(t)
	ref := d.submit("a")
	d.advance(indexed(ref, 0, 3, 6))
	for range 20 {
		d.now = d.now.Add(corpus.DefaultDeadline)
		if d.watch().IsZero() {
			break
		}
	}
	j := d.job(ref.JobID)
	require.Equal(t, job.Failed, j.State)
	assert.Equal(t, "index", j.Errors[0].Stage)
}

func TestWhatGetsOnIsNotStuck(t *testing.T) {
	d := guarded(t)
	ref := d.submit("large")
	d.sent()
	const slices = 300
	hours := 0
	for i := 0; i < slices-1 && len(d.sent()) == 0; i++ {
		d.now = d.now.Add(10 * time.Minute)
		d.advance(indexed(ref, i, slices, slices))
		d.watch()
		hours = i / 6
	}
	assert.GreaterOrEqual(t, hours, 5, "it was let go on")
	assert.Less(t, hours, 8, "but not for ever")
	require.False(t, d.job(ref.JobID).State.Final())
	for i := range slices {
		d.advance(indexed(ref, i, slices, slices))
	}
	assert.Equal(t, job.Succeeded, d.job(ref.JobID).State)
	for next := d.watch(); !next.IsZero(); next = d.watch() {
		d.now = next
	}
	assert.Equal(t, []string(nil), d.dirt())
}

// dirt is what a ledger at rest has no use for.
func (d *desk) dirt() (keys []string) {
	for k := range d.m {
		if strings.HasPrefix(k, "l/") || strings.HasPrefix(k, "w/") {
			keys = append(keys, k)
		}
	}
	return keys
}

func TestManyAreWatchedForLessThanARowEach(t *testing.T) {
	d := guarded(t)
	var refs []events.DocumentRef
	for i := range 200 {
		refs = append(refs, d.submit(fmt.Sprint("doc", i)))
		d.now = d.now.Add(time.Second)
	}
	assert.LessOrEqual(t, d.count("l/"), 200/32)
	d.sent()
	for _, ref := range refs[:199] {
		d.advance(indexed(ref, 0, 1, 1))
	}
	next := d.watch()
	for again := 0; !next.IsZero() && d.job(refs[199].JobID).State == job.Queued; again++ {
		require.Less(t, again, 100)
		d.now = next
		next = d.watch()
	}
	told := d.sent()
	var about []string
	for _, e := range told {
		about = append(about, e.Subject)
	}
	assert.Equal(t, []string{"documents/doc199", "documents/doc199"}, about, "only it was due, and the last time it failed")
	assert.Empty(t, d.dirt())
	assert.Zero(t, d.watch())
}

func TestNobodyHasBeenServed(t *testing.T) {
	assert.Zero(t, newDesk(t).watch())
}

// What was retired is to be removed even if nobody comes by who is told so: a few times the ledger says it by itself.
func TestWhatIsRetiredIsToldUntilItIsRemoved(t *testing.T) {
	d := guarded(t)
	one := d.submit("a")
	d.advance(corpus.Progress{DocumentRef: one, Stage: corpus.StageChunk, Code: "broken", Cause: events.Cause{ID: "event"}})
	d.submit("a") // of which nothing is ever heard, and the other's text is left
	other := d.submit("b")
	d.advance(indexed(other, 0, 1, 3))
	two := d.submit("b")
	d.advance(indexed(two, 0, 1, 3))
	d.advance(corpus.Progress{DocumentRef: other, Stage: corpus.StageRetire})
	d.sent()
	told := map[string]int{}
	for range 8 {
		d.now = d.now.Add(corpus.DefaultDeadline + time.Second)
		d.watch()
		for _, e := range d.sent() {
			if e.Type == events.TypeDocumentRetired {
				told[e.Subject]++
				require.NotContains(t, told, e.ID)
				told[e.ID]++
			}
		}
	}
	assert.Equal(t, 3, told["documents/a"], "each time another event")
	assert.Zero(t, told["documents/b"], "somebody said that it is gone")
	assert.True(t, d.watch().IsZero(), "whoever comes by next is told")
	three := d.submit("a")
	v := d.advance(indexed(three, 0, 1, 3))[0]
	assert.Len(t, v.Retired, 2)
}

// A document that is submitted and cancelled again and again while nobody works has a short row all the same.
func TestARowStaysShortWhileNobodyRemovesAnything(t *testing.T) {
	d := guarded(t)
	for range 500 {
		ref := d.submit("a")
		_, err := d.book.Cancel(d.rows, d.scope, ref.JobID)
		require.NoError(t, err)
		d.sent()
	}
	assert.Less(t, len(d.m["d/a"]), 40_000)
	last := d.submit("a")
	v := d.advance(indexed(last, 0, 1, 3))[0]
	assert.LessOrEqual(t, len(v.Retired), 66)
	assert.True(t, v.Retired[0].Stray, "which finds the texts of those that were forgotten")
	for _, r := range v.Retired {
		d.advance(corpus.Progress{DocumentRef: events.DocumentRef{DocID: "a", Generation: r.Generation}, Stage: corpus.StageRetire})
	}
	assert.Empty(t, d.advance(indexed(last, 0, 1, 3))[0].Retired)
}
