package book_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/book"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
	"levada.dev/workflows/reembed"
)

// searchable makes documents that searches show.
func (d *desk) searchable(ids ...string) {
	d.t.Helper()
	for _, id := range ids {
		d.advance(indexed(d.submit(id), 0, 1, 10))
	}
}

func (d *desk) open(id, model string) {
	d.t.Helper()
	_, err := d.book.OpenMove(d.rows, d.scope, reembed.Request{JobID: id, Model: model, Cause: events.Cause{ID: id}})
	require.NoError(d.t, err)
}

func (d *desk) works(id string, chunks int) reembed.Batch {
	d.t.Helper()
	b, err := d.book.TakeWorks(d.rows, d.scope, reembed.Asked{JobID: id, Chunks: chunks})
	require.NoError(d.t, err)
	return b
}

func (d *desk) filled(id string, ws ...reembed.Work) []corpus.Verdict {
	d.t.Helper()
	ds := make([]reembed.Done, len(ws))
	for i, w := range ws {
		ds[i] = reembed.Done{Generation: w.Generation, Cost: job.Cost{Tokens: 5, Nanos: 7}}
	}
	vs, err := d.book.Filled(d.rows, d.scope, id, ds)
	require.NoError(d.t, err)
	return vs
}

// fillWhole fills until the phase needs no more.
func (d *desk) fillWhole(id string, chunks int) {
	d.t.Helper()
	for range 1000 {
		b := d.works(id, chunks)
		d.filled(id, b.Works...)
		if b.Last {
			return
		}
	}
	d.t.Fatal("it does not end")
}

func (d *desk) end(id string) job.Job {
	d.t.Helper()
	j, err := d.book.EndMove(d.rows, d.scope, id, nil)
	require.NoError(d.t, err)
	return j
}

func (d *desk) switched(id string) {
	d.t.Helper()
	require.NoError(d.t, d.book.Turn(d.rows, d.scope, id))
	d.fillWhole(id, 1000)
	require.NoError(d.t, d.book.Switch(d.rows, d.scope, id))
}

func (d *desk) space() reembed.Spaces {
	d.t.Helper()
	sp, err := d.book.Spaces(d.rows)
	require.NoError(d.t, err)
	return sp
}

func TestAMove(t *testing.T) {
	d := newDesk(t)
	for i := range 25 {
		d.searchable(fmt.Sprintf("d%02d", i))
	}
	m, err := d.book.Missing(d.rows, d.scope, "n", "")
	require.NoError(t, err)
	assert.Equal(t, reembed.Missing{Documents: 25, Chunks: 250}, m)
	before := d.document("d00")

	d.open("move-1", "n")
	assert.Equal(t, reembed.Spaces{Active: "m", Target: "n", Phase: reembed.Filling, JobID: "move-1", Kept: []string{"n"}}, d.space())
	assert.Equal(t, job.Queued, d.job("move-1").State)
	b := d.works("move-1", 100)
	require.Len(t, b.Works, 10)
	assert.Equal(t, reembed.Work{Generation: corpus.Generation{DocID: "d00", Generation: 1}, Title: "T", Chunks: 10, TextKey: before.TextKey}, b.Works[0])
	assert.Equal(t, b.Works, d.works("move-1", 100).Works, "until they are done")
	d.filled("move-1", b.Works...)
	d.filled("move-1", b.Works...)
	assert.Equal(t, job.Counts{Total: 10, Done: 10}, d.job("move-1").Counts)
	assert.Equal(t, "space_incomplete", fault.As(d.book.Turn(d.rows, d.scope, "move-1")).Code)
	d.fillWhole("move-1", 100)
	d.switched("move-1")
	j := d.end("move-1")
	assert.Equal(t, []any{job.Succeeded, job.Reembed, 100, job.Counts{Total: 25, Done: 25}, &job.Cost{Tokens: 125, Nanos: 175}, "n"},
		[]any{j.State, j.Kind, j.Percent, j.Counts, j.Cost, j.Model})
	assert.Equal(t, reembed.Spaces{Active: "n", Kept: []string{"m"}}, d.space())
	assert.Equal(t, before.UpdatedAt, d.document("d00").UpdatedAt, "the document is what it was")

	_, err = d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "d00", JobID: "delete", Cause: events.Cause{ID: "delete"}})
	require.NoError(t, err)
	var f events.DocumentDeleted
	for _, ev := range d.sent() {
		if ev.Type == events.TypeDocumentDeleted {
			require.NoError(t, ev.As(&f))
		}
	}
	assert.Equal(t, []events.Written{{Generation: 1, Chunks: 10, Model: "m", Also: []string{"n"}}}, f.Generations)
}

func TestRowsWrittenForAMove(t *testing.T) {
	const many = 200
	rowsOf := func(docs int) (filled, dropped int) {
		d := newDesk(t)
		for i := range docs {
			d.searchable(fmt.Sprintf("d%03d", i))
		}
		d.sent()
		before := d.written
		d.open("move", "n")
		d.fillWhole("move", 1000)
		d.switched("move")
		d.end("move")
		filled, before = d.written-before, d.written
		_, err := d.book.OpenMove(d.rows, d.scope, reembed.Request{JobID: "drop", Model: "m", Drop: true, Cause: events.Cause{ID: "drop"}})
		require.NoError(t, err)
		for b := (reembed.Batch{}); !b.Last; {
			b, err = d.book.TakeWorks(d.rows, d.scope, reembed.Asked{JobID: "drop", Cursor: b.Next, Chunks: 1000})
			require.NoError(t, err)
			d.filled("drop", b.Works...)
		}
		d.end("drop")
		return filled, d.written - before
	}
	few, none := rowsOf(many)
	more, some := rowsOf(2 * many)
	assert.InDelta(t, 2, float64(more-few)/many, 0.1, "rows for each document of 10 chunks: taken and done; a batch of 100 shares the rest")
	assert.InDelta(t, 0, float64(some-none)/many, 0.1, "a removal writes none for a document")
	assert.Less(t, few-2*many, 25)
}

func TestAMoveEndsHoweverFastDocumentsCome(t *testing.T) {
	d := newDesk(t)
	for i := range 40 {
		d.searchable(fmt.Sprintf("d%02d", i))
	}
	d.open("move", "n")
	n, phases := 0, map[reembed.Phase]int{}
	for rounds := 0; ; rounds++ {
		require.Less(t, rounds, 2000, "%v", phases)
		for range 2 { // two come, one before those that are there and one after them, and two change, while one is filled
			n++
			for _, id := range []string{fmt.Sprintf("c%05d", n), fmt.Sprintf("e%05d", n), fmt.Sprintf("d%02d", n%40)} {
				_, err := d.take(d.submission(id))
				require.True(t, err == nil || fault.Is(err, fault.Limited))
			}
		}
		for _, ev := range d.sent() {
			var f events.DocumentSubmitted
			if ev.Type == events.TypeDocumentSubmitted {
				require.NoError(t, ev.As(&f))
				d.advance(indexed(f.DocumentRef, 0, 1, 10))
			}
		}
		b := d.works("move", 10)
		phases[b.Spaces.Phase]++
		d.filled("move", b.Works...)
		if b.Spaces.Phase == reembed.Settling {
			late, err := d.book.Late(d.rows, d.scope, "move")
			require.NoError(t, err)
			if late == 0 {
				break
			}
		} else if b.Last && b.Spaces.Phase == reembed.Filling {
			require.NoError(t, d.book.Turn(d.rows, d.scope, "move"))
		} else if b.Last {
			require.NoError(t, d.book.Switch(d.rows, d.scope, "move"))
		}
	}
	assert.Equal(t, job.Succeeded, d.end("move").State)
	assert.Zero(t, d.count("m/"))
	t.Log(phases)

	d.open("back", "m")
	m, err := d.book.Missing(d.rows, d.scope, "m", "")
	require.NoError(t, err)
	all, err := d.book.Missing(d.rows, d.scope, "o", "")
	require.NoError(t, err)
	assert.Less(t, m.Documents, all.Documents, "the way back is what came since")
}

func TestTheWayBackIsShort(t *testing.T) {
	d := newDesk(t)
	for i := range 50 {
		d.searchable(fmt.Sprintf("d%02d", i))
	}
	d.open("there", "n")
	d.fillWhole("there", 100)
	d.switched("there")
	d.end("there")
	d.searchable("x", "d07")
	m, err := d.book.Missing(d.rows, d.scope, "m", "")
	require.NoError(t, err)
	assert.Equal(t, 2, m.Documents)
	before := d.written
	d.open("back", "m")
	d.fillWhole("back", 100)
	d.switched("back")
	assert.Equal(t, job.Counts{Total: 2, Done: 2}, d.end("back").Counts)
	assert.Less(t, d.written-before, 35, "rows for all of it")
	assert.Equal(t, reembed.Spaces{Active: "m", Kept: []string{"n"}}, d.space())
}

// turning is a move of a tenant with one document, from now on in the phase in which new ones are held.
func turning(t *testing.T) *desk {
	d := guarded(t)
	d.searchable("old")
	d.open("move", "n")
	d.fillWhole("move", 100)
	require.NoError(t, d.book.Turn(d.rows, d.scope, "move"))
	d.sent()
	return d
}

func TestWhatIsHeldIsNeitherSentAgainNorForgotten(t *testing.T) {
	d := turning(t)
	ref := d.submit("new")
	assert.Equal(t, []corpus.Verdict{{}}, d.advance(indexed(ref, 0, 1, 10)), "it is neither stale nor complete")
	doc := d.document("new")
	assert.Zero(t, doc.Searchable)
	assert.Contains(t, doc.Why.Message, "next embedding model")
	assert.Equal(t, []corpus.Verdict{{}}, d.advance(failed(ref, corpus.StageIndex)), "a message that died after its slice was in changes nothing")
	d.sent()
	for range 20 {
		d.works("move", 1) // the move goes on
		d.now = d.now.Add(time.Hour)
		d.watch()
	}
	assert.Empty(t, d.sent())
	assert.Equal(t, job.Running, d.job(ref.JobID).State)

	b := d.works("move", 100)
	require.Len(t, b.Works, 1)
	assert.Equal(t, "new", b.Works[0].DocID)
	v := d.filled("move", b.Works...)
	assert.True(t, v[0].Complete)
	assert.Equal(t, ref.Generation, d.document("new").Searchable)
	assert.Zero(t, d.count("m/"))
	var told []string
	for _, ev := range d.sent() {
		told = append(told, ev.Type)
	}
	assert.Equal(t, []string{events.TypeDocumentIndexed}, told, "nobody else can tell")
	assert.Equal(t, v, d.filled("move", b.Works...))
}

func TestWhatAHeldGenerationReplacesIsNamedAtOnce(t *testing.T) {
	d := turning(t)
	two := d.submit("old")
	d.advance(indexed(two, 0, 1, 10))
	assert.Equal(t, 1, d.document("old").Searchable)
	b := d.works("move", 100)
	v := d.filled("move", b.Works...)[0]
	require.Len(t, v.Retired, 1)
	assert.Equal(t, []any{1, "m", []string{"n"}}, []any{v.Retired[0].Generation, v.Retired[0].Model, v.Retired[0].Also})
}

func TestTheEndOfAMoveLetsGoOfWhatItHeld(t *testing.T) {
	for name, end := range map[string]func(d *desk){
		"cancelled": func(d *desk) {
			j, err := d.book.Cancel(d.rows, d.scope, "move")
			require.NoError(d.t, err)
			assert.Equal(d.t, job.Cancelled, j.State)
		},
		"failed": func(d *desk) {
			for range 2 {
				j, err := d.book.EndMove(d.rows, d.scope, "move", &job.Problem{Stage: "embed", Code: "budget_exhausted", Message: "no"})
				require.NoError(d.t, err)
				assert.Equal(d.t, []any{job.Failed, "budget_exhausted"}, []any{j.State, j.Errors[0].Code})
			}
		},
		"nobody is heard of": func(d *desk) {
			for d.job("move").State == job.Running {
				d.now = d.now.Add(12 * time.Hour)
				d.watch()
			}
			assert.Equal(d.t, "stuck", d.job("move").Errors[0].Code)
		},
		"everything is to be erased": func(d *desk) {
			_, err := d.book.OpenErasure(d.rows, d.scope, erasure.Request{JobID: "all", Cause: events.Cause{ID: "all"}})
			require.NoError(d.t, err)
			assert.Equal(d.t, job.Cancelled, d.job("move").State)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := turning(t)
			var refs []events.DocumentRef
			for i := range 100 {
				refs = append(refs, d.submit(fmt.Sprintf("d%02d", i)))
				d.advance(indexed(refs[i], 0, 1, 10))
			}
			assert.Equal(t, 100, d.count("m/"))
			end(d)
			for range 5 {
				d.watch()
			}
			assert.Zero(t, d.count("m/"))
			for _, ref := range refs {
				assert.Equal(t, job.Succeeded, d.job(ref.JobID).State)
			}
			assert.Equal(t, reembed.Spaces{Active: "m", Kept: []string{"n"}}, d.space())
			assert.Zero(t, d.inFlight())
		})
	}
}

func TestWhatIsOnItsWayWhenSearchesSwitch(t *testing.T) {
	d := turning(t)
	inQueue := d.submit("in the queue")
	page := d.page("page")
	r, err := d.take(page)
	require.NoError(t, err)
	large := d.submission("large")
	large.Bytes = 8 << 20
	_, err = d.take(large)
	require.NoError(t, err)
	waits := d.submission("waits")
	waits.Text = "the text"
	w, err := d.take(waits)
	require.NoError(t, err)
	assert.Equal(t, corpus.WhyWaiting, d.document("waits").Why.Code)
	d.sent()
	require.NoError(t, d.book.Switch(d.rows, d.scope, "move"))
	require.NoError(t, d.book.Switch(d.rows, d.scope, "move"), "told again")
	late := func() int {
		n, err := d.book.Late(d.rows, d.scope, "move")
		require.NoError(t, err)
		return n
	}
	assert.Equal(t, "n", d.space().Active)
	assert.Equal(t, 2, late(), "in the queue and being fetched; what waits is not late")
	_, err = d.book.EndMove(d.rows, d.scope, "move", nil)
	assert.Equal(t, "space_incomplete", fault.As(err).Code)
	_, err = d.book.Cancel(d.rows, d.scope, "move")
	assert.Equal(t, "job_not_cancellable", fault.As(err).Code)

	d.advance(indexed(inQueue, 0, 1, 10))
	assert.Zero(t, d.document("in the queue").Searchable, "it is in the other space")
	assert.Equal(t, 2, late())
	b := d.works("move", 100)
	require.Len(t, b.Works, 1)
	assert.True(t, d.filled("move", b.Works...)[0].Complete)
	assert.Equal(t, 1, late())
	var begun []events.DocumentSubmitted
	for _, ev := range d.sent() {
		var f events.DocumentSubmitted
		if ev.Type == events.TypeDocumentSubmitted {
			require.NoError(t, ev.As(&f))
			begun = append(begun, f)
		}
	}
	require.Len(t, begun, 1, "the large one has its turn")
	assert.Equal(t, []any{"large", "n"}, []any{begun[0].DocID, begun[0].Model})
	d.advance(indexed(begun[0].DocumentRef, 0, 1, 10))
	var f events.DocumentSubmitted
	for _, ev := range d.sent() {
		if ev.Type == events.TypeDocumentSubmitted {
			require.NoError(t, ev.As(&f))
		}
	}
	assert.Equal(t, []any{"waits", "n", "the text", w.JobID}, []any{f.DocID, f.Model, f.Text, f.JobID})
	d.advance(indexed(f.DocumentRef, 0, 1, 10))
	assert.Equal(t, 1, d.document("waits").Searchable)

	ref := events.DocumentRef{DocID: "page", Generation: r.Generation, JobID: r.JobID}
	d.advance(corpus.Progress{DocumentRef: ref, Stage: corpus.StageFetch, Fetched: &corpus.Original{TextKey: "k", SHA256: "s", Bytes: 3}}, indexed(ref, 0, 1, 1))
	assert.Equal(t, 1, late(), "held")
	d.filled("move", d.works("move", 100).Works...)
	assert.Zero(t, late())
	assert.Equal(t, job.Succeeded, d.end("move").State)
	assert.Equal(t, 1, d.document("page").Searchable)
}

func TestWhatAFailedMoveLeavesBehindFailsAndIsSubmittedAgain(t *testing.T) {
	d := turning(t)
	held, late := d.submit("held"), d.submit("late")
	d.advance(indexed(held, 0, 1, 10))
	require.NoError(t, d.book.Switch(d.rows, d.scope, "move"))
	j, err := d.book.EndMove(d.rows, d.scope, "move", &job.Problem{Stage: "embed", Code: "budget_exhausted", Message: "no"})
	require.NoError(t, err)
	assert.Equal(t, job.Failed, j.State)
	assert.True(t, d.advance(indexed(late, 0, 1, 10))[0].Stale)
	for _, ref := range []events.DocumentRef{held, late} {
		j := d.job(ref.JobID)
		assert.Equal(t, []any{job.Failed, "space_left"}, []any{j.State, j.Errors[0].Code})
		r, err := d.book.Resubmit(d.rows, d.scope, corpus.Resubmission{DocID: ref.DocID, Generation: 1, JobID: "again-" + ref.DocID, Cause: events.Cause{ID: "again"}})
		require.NoError(t, err)
		v := d.advance(indexed(events.DocumentRef{DocID: ref.DocID, Generation: r.Generation, JobID: r.JobID}, 0, 1, 10))[0]
		assert.True(t, v.Complete)
		require.Len(t, v.Retired, 1)
		assert.Equal(t, "m", v.Retired[0].Model)
		assert.Equal(t, "n", d.document(ref.DocID).Model)
	}
	assert.Equal(t, "n", d.space().Active)
	assert.Zero(t, d.inFlight())
}

func TestADocumentThatCannotBeEmbeddedRefusesTheSwitch(t *testing.T) {
	d := newDesk(t)
	d.searchable("a", "b")
	d.open("move", "n")
	b := d.works("move", 100)
	failed := reembed.Done{Generation: b.Works[0].Generation, Code: "model_refused", Message: "no"}
	for range 2 {
		_, err := d.book.Filled(d.rows, d.scope, "move", []reembed.Done{failed, {Generation: b.Works[1].Generation}})
		require.NoError(t, err)
	}
	j := d.job("move")
	assert.Equal(t, job.Counts{Total: 2, Done: 1, Failed: 1}, j.Counts)
	require.Len(t, j.Errors, 1)
	assert.Equal(t, []any{"a", "model_refused", "embed"}, []any{j.Errors[0].DocID, j.Errors[0].Code, j.Errors[0].Stage})
	d.fillWhole("move", 100)
	require.NoError(t, d.book.Turn(d.rows, d.scope, "move"))
	assert.Equal(t, "space_incomplete", fault.As(d.book.Switch(d.rows, d.scope, "move")).Code)
	assert.Equal(t, 1, d.document("a").Searchable)

	d.advance(indexed(d.submit("a"), 0, 1, 10)) // another version of it can be
	d.fillWhole("move", 100)
	require.NoError(t, d.book.Switch(d.rows, d.scope, "move"))
	assert.Equal(t, job.Succeeded, d.end("move").State)
	page, err := d.book.Problems(d.rows, imports.Listing{JobID: "move", Limit: 1})
	require.NoError(t, err)
	assert.Len(t, page.Problems, 1)
	assert.Empty(t, page.Next)
}

func TestASpaceIsEmptied(t *testing.T) {
	d := newDesk(t)
	d.searchable("a", "b", "c")
	d.open("move", "n")
	taken := d.works("move", 10)
	d.filled("move", taken.Works...)
	left := d.works("move", 100)
	_, err := d.book.Cancel(d.rows, d.scope, "move")
	require.NoError(t, err)

	drop := func(id string) reembed.Batch {
		_, err := d.book.OpenMove(d.rows, d.scope, reembed.Request{JobID: id, Model: "n", Drop: true, Cause: events.Cause{ID: id}})
		require.NoError(t, err)
		b := d.works(id, 100)
		d.filled(id, b.Works...)
		return b
	}
	b := drop("drop")
	assert.Len(t, b.Works, 3, "also what was taken and not done")
	_, err = d.book.Cancel(d.rows, d.scope, "drop")
	assert.Equal(t, "job_not_cancellable", fault.As(err).Code)
	m, err := d.book.Missing(d.rows, d.scope, "n", "")
	require.NoError(t, err)
	assert.Equal(t, 3, m.Documents, "from the beginning of the removal on")
	assert.Equal(t, job.Counts{Total: 3, Done: 3}, d.end("drop").Counts)
	assert.Equal(t, reembed.Spaces{Active: "m"}, d.space())

	assert.True(t, d.filled("move", left.Works...)[0].Complete, "who was late is not to remove it: it could be too late for that, too")
	assert.Equal(t, []string{"n"}, d.space().Kept, "and it is known that something is there")
	d.open("again", "n")
	d.fillWhole("again", 100)
	assert.Equal(t, 3, d.job("again").Counts.Done)
	d.switched("again")
	d.end("again")
	assert.Equal(t, []string{"m"}, d.space().Kept)
}

func TestWhoAsksForAMoveAgain(t *testing.T) {
	d := newDesk(t)
	d.searchable("a")
	ask := func(r reembed.Request) (corpus.Receipt, error) { return d.book.OpenMove(d.rows, d.scope, r) }
	first := reembed.Request{JobID: "move", Model: "n", Cause: events.Cause{ID: "r1", IdempotencyKey: "key"}}
	for i, r := range []reembed.Request{
		first, first,
		{JobID: "other", Model: "n", Cause: events.Cause{ID: "r2", IdempotencyKey: "key"}},
		{JobID: "other", Model: "n", Cause: events.Cause{ID: "r3"}},
	} {
		rec, err := ask(r)
		require.NoError(t, err)
		assert.Equal(t, corpus.Receipt{JobID: "move", Replayed: i > 0}, rec)
	}
	assert.Equal(t, 1, len(d.sent())-1, "the document's event, and that of the move once")
	for code, r := range map[string]reembed.Request{
		"idempotency_conflict": {JobID: "other", Model: "o", Cause: events.Cause{ID: "r4", IdempotencyKey: "key"}},
		"embedding_moving":     {JobID: "other", Model: "n", Stay: true, Cause: events.Cause{ID: "r5"}},
		"submission_invalid":   {JobID: "other", Model: "n", Stay: true, Drop: true, Cause: events.Cause{ID: "r6"}},
	} {
		_, err := ask(r)
		assert.Equal(t, code, fault.As(err).Code)
	}
	_, err := d.book.Cancel(d.rows, d.scope, "move")
	require.NoError(t, err)
	for _, r := range []reembed.Request{{JobID: "x", Model: "m"}, {JobID: "x", Model: "m", Drop: true}} {
		_, err := ask(r)
		assert.Equal(t, "embedding_active", fault.As(err).Code)
	}
	assert.Equal(t, "embedding_over", fault.As(d.book.Switch(d.rows, d.scope, "move")).Code)
	assert.True(t, d.works("move", 10).Over)
	_, err = d.book.OpenErasure(d.rows, d.scope, erasure.Request{JobID: "all", Cause: events.Cause{ID: "all"}})
	require.NoError(t, err)
	_, err = ask(reembed.Request{JobID: "y", Model: "n"})
	assert.Equal(t, "tenant_erasing", fault.As(err).Code)
}

func TestAMoveThatNobodyBeginsIsToldAgain(t *testing.T) {
	d := guarded(t)
	d.searchable("a")
	d.sent()
	d.open("move", "n")
	told := 0
	for d.job("move").State == job.Queued {
		for _, ev := range d.sent() {
			if ev.Type == events.TypeTenantEmbeddingRequested {
				told++
			}
		}
		d.now = d.now.Add(15 * time.Minute)
		d.watch()
	}
	assert.Greater(t, told, 5)
	assert.Equal(t, "stuck", d.job("move").Errors[0].Code)
	assert.Empty(t, d.space().JobID)

	d.open("next", "n")
	require.NoError(t, d.book.SetAside(d.rows, "next."+events.TypeTenantEmbeddingRequested, fault.New(fault.Invalid, "event_refused", "no", nil)))
	assert.Equal(t, []any{job.Failed, "event_refused"}, []any{d.job("next").State, d.job("next").Errors[0].Code})
}

// Before the first document, and after an erasure, nothing can be in a space, and the first document may come for any: a removal would take its vectors.
func TestNothingIsRemovedBeforeTheFirstDocument(t *testing.T) {
	d := newDesk(t)
	drop := func(model string) error {
		_, err := d.book.OpenMove(d.rows, d.scope, reembed.Request{JobID: "drop-" + model, Model: model, Drop: true, Cause: events.Cause{ID: "r"}})
		return err
	}
	for _, model := range []string{"m", "n"} {
		assert.Equal(t, "space_empty", fault.As(drop(model)).Code)
	}
	assert.Empty(t, d.sent())
	assert.Zero(t, d.space())
	d.searchable("a")
	assert.Equal(t, "embedding_active", fault.As(drop("m")).Code)
	require.NoError(t, drop("n"))
}

// A page that waits, and is brought all the same, is on its way to the space that it was submitted for: after the last look at what is late, too.
func TestAPageThatComesAfterTheLastLookIsLate(t *testing.T) {
	d := turning(t)
	refs := d.request(names("p", book.MaxFetches+1)...)
	require.NoError(t, d.book.Switch(d.rows, d.scope, "move"))
	late := func() int {
		n, err := d.book.Late(d.rows, d.scope, "move")
		require.NoError(t, err)
		return n
	}
	require.Equal(t, book.MaxFetches, late())
	d.advance(arrived(refs[book.MaxFetches], 10))
	assert.Equal(t, book.MaxFetches+1, late())
	_, err := d.book.EndMove(d.rows, d.scope, "move", nil)
	assert.Equal(t, "space_incomplete", fault.As(err).Code)
	for _, ref := range refs {
		d.advance(arrived(ref, 10))
		d.advance(indexed(ref, 0, 1, 10))
	}
	d.fillWhole("move", 1000)
	assert.Zero(t, late())
	assert.Equal(t, job.Succeeded, d.end("move").State)
}
