package book_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// large is a text beside which no other has a turn.
const large = 1 << 30

// crowded is a desk where a large document keeps all others waiting.
func crowded(t *testing.T) (*desk, events.DocumentRef) {
	d := guarded(t)
	sub := d.submission("large")
	sub.Bytes = large
	r, err := d.take(sub)
	require.NoError(t, err)
	d.sent()
	return d, events.DocumentRef{DocID: r.DocID, Generation: 1, JobID: r.JobID}
}

// begun are the documents whose events have left.
func (d *desk) begun() (ids []string) {
	for _, e := range d.sent() {
		if e.Type == events.TypeDocumentSubmitted {
			ids = append(ids, e.Subject[len("documents/"):])
		}
	}
	return ids
}

func (d *desk) inFlight() int {
	d.t.Helper()
	var t struct {
		InFlight int `json:"f"`
	}
	require.NoError(d.t, json.Unmarshal(d.m["turns"], &t))
	return t.InFlight
}

func TestSingleDocumentsGoBeforeThoseOfImports(t *testing.T) {
	d, first := crowded(t)
	_, err := d.book.OpenImport(d.rows, d.scope, imports.Import{ID: "import", Origin: imports.Origin{Batch: 1}, Cause: events.Cause{ID: "r"}})
	require.NoError(t, err)
	var es []imports.Taking
	for i := range 3 {
		sub := d.submission(fmt.Sprint("i", i))
		es = append(es, imports.Taking{Submission: &sub})
	}
	_, err = d.book.Take(d.rows, d.scope, "import", 0, es)
	require.NoError(t, err)
	d.submit("s0")
	d.submit("s1")
	d.sent()
	docs, err := d.book.Documents(d.rows, []string{"s0", "s1", "i0", "i2", "large"})
	require.NoError(t, err)
	for i, before := range []int{0, 1, 2, 4} {
		require.NotNil(t, docs[i].Why)
		assert.Equal(t, []any{corpus.WhyWaiting, before}, []any{docs[i].Why.Code, docs[i].Why.Before}, docs[i].ID)
	}
	assert.Equal(t, corpus.WhyInProgress, docs[4].Why.Code)
	assert.Equal(t, 5, d.count("w/"))

	d.advance(indexed(first, 0, 1, 1))
	out, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	assert.Len(t, out, 5, "in the transaction that made room")
	assert.ElementsMatch(t, []string{"s0", "s1", "i0", "i1", "i2"}, d.begun())
	assert.Zero(t, d.count("w/"))
	assert.Equal(t, corpus.WhyInProgress, d.document("i2").Why.Code)
	assert.Equal(t, 5, d.inFlight())
}

// TestEveryEndGivesBack: however a document ends, the next has its turn, once.
func TestEveryEndGivesBack(t *testing.T) {
	for name, end := range map[string]func(d *desk, ref events.DocumentRef){
		"done":      func(d *desk, ref events.DocumentRef) { d.advance(indexed(ref, 0, 1, 1)) },
		"failed":    func(d *desk, ref events.DocumentRef) { d.advance(failed(ref, corpus.StageEmbed)) },
		"cut twice": func(d *desk, ref events.DocumentRef) { d.advance(chunked(ref, 2, 2), chunked(ref, 3, 3)) },
		"superseded": func(d *desk, ref events.DocumentRef) {
			newer := d.submit(ref.DocID)
			ref.Generation, ref.JobID = newer.Generation, newer.JobID
			d.advance(indexed(ref, 0, 1, 1))
		},
		"cancelled": func(d *desk, ref events.DocumentRef) {
			_, err := d.book.Cancel(d.rows, d.scope, ref.JobID)
			require.NoError(d.t, err)
		},
		"deleted": func(d *desk, ref events.DocumentRef) {
			_, err := d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: ref.DocID, JobID: "deletion", Cause: events.Cause{ID: "r"}})
			require.NoError(d.t, err)
		},
		"never sent": func(d *desk, ref events.DocumentRef) {
			require.NoError(d.t, d.rows.Put("o/"+ref.JobID+"."+events.TypeDocumentSubmitted, []byte("{")))
			require.NoError(d.t, d.book.SetAside(d.rows, ref.JobID+"."+events.TypeDocumentSubmitted, fault.New(fault.Invalid, "event_invalid", "no", nil)))
		},
		"stuck": func(d *desk, ref events.DocumentRef) {
			for !d.job(ref.JobID).State.Final() {
				d.now = d.now.Add(corpus.DefaultDeadline)
				d.watch()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, first := crowded(t)
			second := d.submission("second")
			second.Bytes = large
			r, err := d.take(second)
			require.NoError(t, err)
			d.submit("third")
			require.Empty(t, d.begun())
			for range 2 {
				end(d, first)
				assert.NotZero(t, d.inFlight(), "the second is on its way")
			}
			d.sent()
			assert.Equal(t, corpus.WhyInProgress, d.document("second").Why.Code)
			ref := events.DocumentRef{DocID: "second", Generation: 1, JobID: r.JobID}
			for range 2 {
				d.advance(indexed(ref, 0, 1, 1), indexed(first, 0, 1, 1))
			}
			assert.Contains(t, d.begun(), "third")
			d.advance(indexed(events.DocumentRef{DocID: "third", Generation: 1}, 0, 1, 1))
			assert.Zero(t, d.inFlight())
			assert.Zero(t, d.count("w/"))
		})
	}
}

func TestWhoWaitsMayLeave(t *testing.T) {
	d, first := crowded(t)
	gone, deleted, stays := d.submit("gone"), d.submit("deleted"), d.submit("stays")
	_, err := d.book.Cancel(d.rows, d.scope, gone.JobID)
	require.NoError(t, err)
	_, err = d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "deleted", JobID: "deletion", Cause: events.Cause{ID: "r"}})
	require.NoError(t, err)
	assert.Equal(t, 1, d.count("w/"))
	assert.Equal(t, job.Cancelled, d.job(deleted.JobID).State)
	d.advance(indexed(first, 0, 1, 1))
	assert.Equal(t, []string{"stays"}, d.begun())
	d.advance(indexed(stays, 0, 1, 1))
	assert.Zero(t, d.inFlight())
}

func TestAWaitingDocumentThatCannotBeReadStandsInNobodysWay(t *testing.T) {
	d, first := crowded(t)
	lost, next := d.submit("lost"), d.submit("next")
	var w map[string]any
	require.NoError(t, json.Unmarshal(d.m["w/0/0000000000000000"], &w))
	w["e"] = map[string]any{"specversion": "0.1"}
	b, err := json.Marshal(w)
	require.NoError(t, err)
	d.m["w/0/0000000000000000"] = b
	d.advance(indexed(first, 0, 1, 1))
	assert.Equal(t, []string{"next"}, d.begun())
	assert.Equal(t, job.Failed, d.job(lost.JobID).State)
	d.advance(indexed(next, 0, 1, 1))
	assert.Zero(t, d.inFlight())
}

func TestTooMuchWaits(t *testing.T) {
	d, first := crowded(t)
	sub := func(id string) corpus.Submission {
		sub := d.submission(id)
		sub.Pace.MaxWaiting = 2
		return sub
	}
	outs, err := d.book.SubmitAll(d.rows, d.scope, []corpus.Submission{sub("a"), sub("b"), sub("c"), sub("d")})
	require.NoError(t, err)
	for i, code := range []string{"", "", "backlog_full", "backlog_full"} {
		if code == "" {
			assert.Nil(t, outs[i].Fault)
			continue
		}
		require.NotNil(t, outs[i].Fault)
		assert.Equal(t, []any{fault.Limited, code}, []any{outs[i].Fault.Kind, outs[i].Fault.Code})
		assert.GreaterOrEqual(t, outs[i].Fault.RetryAfter, time.Second)
	}
	docs, err := d.book.Documents(d.rows, []string{"c", "d"})
	require.NoError(t, err)
	assert.Empty(t, docs, "nothing of them is kept")
	d.advance(indexed(first, 0, 1, 1))
	_, err = d.take(sub("c"))
	require.NoError(t, err)
}

// TestRowsWrittenForAnImport is what a document costs that comes with many and waits for its turn.
func TestRowsWrittenForAnImport(t *testing.T) {
	d, first := crowded(t)
	_, err := d.book.OpenImport(d.rows, d.scope, imports.Import{ID: "import", Origin: imports.Origin{Batch: 1}, Cause: events.Cause{ID: "r"}})
	require.NoError(t, err)
	const n = 200
	var es []imports.Taking
	var done []corpus.Progress
	for i := range n {
		sub := d.submission(fmt.Sprint("i", i))
		es = append(es, imports.Taking{Submission: &sub})
		done = append(done, indexed(events.DocumentRef{DocID: sub.DocID, Generation: 1, JobID: sub.JobID}, 0, 1, 1))
	}
	d.sent()
	before := d.written
	_, err = d.book.Take(d.rows, d.scope, "import", 0, es)
	require.NoError(t, err)
	_, err = d.book.SealImport(d.rows, d.scope, "import", n, nil)
	require.NoError(t, err)
	d.advance(indexed(first, 0, 1, 1))
	d.sent()
	for i := 0; i < n; i += 50 {
		var cut []corpus.Progress
		for _, p := range done[i : i+50] {
			p.Stage = corpus.StageChunk
			cut = append(cut, p)
		}
		d.advance(cut...)
		d.advance(done[i : i+50]...)
	}
	require.Equal(t, job.Succeeded, d.job("import").State)
	assert.InDelta(t, 9.2, float64(d.written-before)/n, 0.2, "document 3, job 2, its turn 2, event 2, and a little of what is shared")
}

// TestABacklogOpensTheWindow: what waits shows that the window is too small, also when nothing new comes.
func TestABacklogOpensTheWindow(t *testing.T) {
	d := guarded(t)
	var subs []corpus.Submission
	for i := range 3000 {
		subs = append(subs, d.submission(fmt.Sprint("doc", i)))
	}
	_, err := d.book.SubmitAll(d.rows, d.scope, subs)
	require.NoError(t, err)
	first, most := d.inFlight(), 0
	for n := d.inFlight(); n > 0; n = d.inFlight() {
		most = max(most, n)
		d.now = d.now.Add(2 * time.Second)
		for _, e := range d.sent() {
			var f events.DocumentSubmitted
			require.NoError(t, e.As(&f))
			d.advance(indexed(f.DocumentRef, 0, 1, 1))
			d.now = d.now.Add(-time.Second) // as advance goes on by one
		}
	}
	assert.Equal(t, 256, first)
	assert.Greater(t, most, 3*first)
	assert.Zero(t, d.count("w/"))
}
