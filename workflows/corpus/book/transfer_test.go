package book_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
	"levada.dev/workflows/transfer"
)

func (d *desk) cards(a transfer.Asked) transfer.Page {
	d.t.Helper()
	page, err := d.book.Cards(d.rows, a)
	require.NoError(d.t, err)
	return page
}

// TestWhichVersionMoves goes through what a document may be when somebody takes it elsewhere.
func TestWhichVersionMoves(t *testing.T) {
	d := newDesk(t)
	done := func(ref events.DocumentRef) { d.advance(chunked(ref, 1, 1), indexed(ref, 0, 1, 1)) }
	done(d.submit("a-shown"))
	d.submit("b-on-its-way")
	done(d.submit("c-changing"))
	d.submit("c-changing")
	done(d.submit("d-failed-since"))
	d.advance(failed(d.submit("d-failed-since"), corpus.StageChunk))
	d.advance(failed(d.submit("e-failed"), corpus.StageChunk))
	cancelled := d.submit("f-cancelled")
	_, err := d.book.Cancel(d.rows, d.scope, cancelled.JobID)
	require.NoError(t, err)
	done(d.submit("g-deleted"))
	_, err = d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "g-deleted", JobID: "delete"})
	require.NoError(t, err)
	fetched := d.submission("h-to-fetch")
	fetched.Fetch, fetched.TextKey, fetched.SHA256, fetched.Bytes = &events.Fetch{URL: "https://a.example/"}, "", "", 0
	_, err = d.take(fetched)
	require.NoError(t, err)

	type face struct {
		ID, Sum, Failed      string
		Searchable, OnItsWay bool
	}
	var got []face
	for _, c := range d.cards(transfer.Asked{Limit: 100}).Cards {
		got = append(got, face{c.DocID, c.SHA256, c.Failed, c.Searchable, c.OnItsWay})
		assert.Equal(t, "T", c.Title)
	}
	assert.Equal(t, []face{
		{"a-shown", "sum1", "", true, false},
		{"b-on-its-way", "sum2", "", false, true},
		{"c-changing", "sum4", "", false, true},
		{"d-failed-since", "sum5", "", true, false},
		{"e-failed", "sum7", "broken", false, false},
		{"h-to-fetch", "", "", false, true},
	}, got)
	named := d.cards(transfer.Asked{IDs: []string{"e-failed", "nobody", "g-deleted", "a-shown"}}).Cards
	require.Len(t, named, 2)
	assert.Equal(t, "e-failed", named[0].DocID, "in the order in which they are asked for")
}

func TestCardsArePages(t *testing.T) {
	d := newDesk(t)
	ids := []string{"a", "a/b", "a0", "b", "c"}
	for _, id := range ids {
		d.submit(id)
	}
	_, err := d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "b", JobID: "delete"})
	require.NoError(t, err)
	var seen []string
	page := transfer.Page{More: true}
	for page.More {
		page = d.cards(transfer.Asked{After: page.Last, Limit: 1})
		for _, c := range page.Cards {
			seen = append(seen, c.DocID)
		}
	}
	assert.Equal(t, []string{"a", "a/b", "a0", "c"}, seen)
	page = d.cards(transfer.Asked{After: "a", UpTo: "a0", Limit: 10})
	assert.Len(t, page.Cards, 2)
	assert.False(t, page.More)
	for _, a := range []transfer.Asked{{}, {Limit: transfer.MaxCards + 1}, {IDs: make([]string, transfer.MaxCards+1)}} {
		_, err := d.book.Cards(d.rows, a)
		assert.True(t, fault.Is(err, fault.Invalid))
	}
}

// A tenant that takes no changes refuses each of them; what was open goes on until nothing is on its way, and an erasure of everything is let in.
func TestATenantStandsStill(t *testing.T) {
	d := newDesk(t)
	ref := d.submit("a")
	d.openImport("import")
	st, err := d.book.Freeze(d.rows, true)
	require.NoError(t, err)
	assert.Equal(t, transfer.Standing{Readonly: true, Since: epoch, OnTheirWay: 1, Imports: 1}, st)
	d.now = d.now.Add(time.Minute)
	again, err := d.book.Freeze(d.rows, true)
	require.NoError(t, err)
	assert.Equal(t, st, again, "it may be repeated")

	_, err = d.take(d.submission("b"))
	assert.Equal(t, transfer.ErrReadonly, err)
	assert.True(t, fault.Retryable(err), "it comes again")
	for name, change := range map[string]func() error{
		"delete": func() error {
			_, err := d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "a", JobID: "delete"})
			return err
		},
		"import": func() error {
			_, err := d.book.OpenImport(d.rows, d.scope, imports.Import{ID: "other", Origin: imports.Origin{Prefix: "x"}})
			return err
		},
		"resubmit": func() error {
			_, err := d.book.Resubmit(d.rows, d.scope, corpus.Resubmission{DocID: "a", JobID: "again", Generation: 1})
			return err
		},
		"run": func() error {
			_, err := d.book.OpenTransfer(d.rows, d.scope, transfer.Request{JobID: "run", From: "https://a.example", Key: "k"})
			return err
		},
	} {
		assert.Equal(t, transfer.ErrReadonly, change(), name)
	}
	_, err = d.book.SealImport(d.rows, d.scope, "import", 1, nil)
	require.NoError(t, err)
	d.takeOf("import", 0, 1) // replaces the document
	doc := d.document("a")
	d.advance(chunked(refOf(doc), 1, 1), indexed(refOf(doc), 0, 1, 1))
	d.advance(chunked(ref, 1, 1), indexed(ref, 0, 1, 1))
	st, err = d.book.Standing(d.rows)
	require.NoError(t, err)
	assert.True(t, st.Settled(), "%+v", st)

	_, err = d.book.OpenErasure(d.rows, d.scope, erasure.Request{JobID: "erase"})
	require.NoError(t, err)
	_, err = d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "a", JobID: "delete"})
	require.NoError(t, err, "an erasure deletes")
	_, err = d.book.EndErasure(d.rows, d.scope, "erase", &job.Problem{Code: "x"})
	require.NoError(t, err)
	st, err = d.book.Freeze(d.rows, false)
	require.NoError(t, err)
	assert.False(t, st.Readonly)
	_, err = d.take(d.submission("b"))
	assert.NoError(t, err)
}

func (d *desk) openRun(id string, last bool) {
	d.t.Helper()
	r, err := d.book.OpenTransfer(d.rows, d.scope, transfer.Request{JobID: id, From: "https://a.example", Key: "sealed", Last: last, Cause: events.Cause{ID: "request"}})
	require.NoError(d.t, err)
	require.Equal(d.t, id, r.JobID)
}

func TestOneRunAtATime(t *testing.T) {
	d := newDesk(t)
	d.openRun("run-1", false)
	r, err := d.book.OpenTransfer(d.rows, d.scope, transfer.Request{JobID: "run-2", From: "https://a.example", Key: "other"})
	require.NoError(t, err)
	assert.Equal(t, corpus.Receipt{JobID: "run-1", Replayed: true}, r, "the same goes on")
	_, err = d.book.OpenTransfer(d.rows, d.scope, transfer.Request{JobID: "run-2", From: "https://b.example", Key: "k"})
	assert.Equal(t, "transfer_running", fault.As(err).Code)
	assert.Equal(t, job.Queued, d.job("run-1").State)

	note := transfer.Note{JobID: "run-1", Stage: transfer.Comparing, Report: job.Transfer{Found: 4, Same: 1}, Counts: job.Counts{Total: 4, Done: 1}}
	for range 2 {
		j, err := d.book.NoteTransfer(d.rows, note)
		require.NoError(t, err)
		assert.Equal(t, job.Running, j.State)
		assert.Equal(t, 25, j.Percent)
		assert.Equal(t, job.Transfer{From: "https://a.example", Found: 4, Same: 1}, *j.Transfer)
	}
	raw, err := d.rows.Get("j/run-1")
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "sealed", "once it has begun the key is nobody's business")
	for range 2 {
		j, err := d.book.EndTransfer(d.rows, d.scope, note, nil)
		require.NoError(t, err)
		assert.Equal(t, job.Succeeded, j.State)
	}
	j, err := d.book.NoteTransfer(d.rows, transfer.Note{JobID: "run-1", Stage: transfer.Bringing})
	require.NoError(t, err)
	assert.Equal(t, job.Succeeded, j.State, "it has ended")

	d.openRun("run-2", true)
	_, err = d.book.Cancel(d.rows, d.scope, "run-2")
	require.NoError(t, err)
	assert.Equal(t, job.Cancelled, d.job("run-2").State)
	d.openRun("run-3", true)
	_, err = d.book.EndTransfer(d.rows, d.scope, transfer.Note{JobID: "run-3"}, nil)
	require.NoError(t, err)
	_, err = d.book.OpenTransfer(d.rows, d.scope, transfer.Request{JobID: "run-4", From: "https://a.example", Key: "k"})
	assert.Equal(t, "transfer_done", fault.As(err).Code)
	_, err = d.book.OpenTransfer(d.rows, d.scope, transfer.Request{JobID: "run-4", From: "https://a.example", Key: "k", Again: true})
	assert.NoError(t, err)
	for _, f := range []func() (job.Job, error){
		func() (job.Job, error) { return d.book.NoteTransfer(d.rows, transfer.Note{JobID: "nobody"}) },
		func() (job.Job, error) {
			return d.book.EndTransfer(d.rows, d.scope, transfer.Note{JobID: "nobody"}, nil)
		},
	} {
		_, err := f()
		assert.Equal(t, "job_not_found", fault.As(err).Code)
	}
}

// A run whose beginning nobody has heard is told again, and fails in the end; so does one of which nothing is heard any more.
func TestARunThatDoesNotBeginIsToldAgain(t *testing.T) {
	for _, begun := range []bool{false, true} {
		d := guarded(t)
		d.openRun("run", false)
		ids := map[string]bool{d.sent()[0].ID: true}
		if begun {
			_, err := d.book.NoteTransfer(d.rows, transfer.Note{JobID: "run", Stage: transfer.Comparing})
			require.NoError(t, err)
		}
		for began := d.now; !d.job("run").State.Final(); {
			next := d.watch()
			if d.job("run").State.Final() {
				break
			}
			require.True(t, next.After(d.now), "it is looked after")
			require.Less(t, d.now.Sub(began), 3*24*time.Hour)
			d.now = next
			for _, ev := range d.sent() {
				assert.Equal(t, events.TypeTenantTransferRequested, ev.Type)
				ids[ev.ID] = true
			}
		}
		assert.Equal(t, begun, len(ids) == 1, "%d events", len(ids))
		assert.Equal(t, "stuck", d.job("run").Errors[0].Code)
		d.openRun("next", false)
	}
}

func TestARunThatNobodyCanBeToldOfFails(t *testing.T) {
	d := guarded(t)
	d.openRun("run", false)
	out, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	require.Len(t, out, 1)
	for range 2 {
		require.NoError(t, d.book.SetAside(d.rows, out[0].ID, fault.Invalidf("", "event_invalid", "x")))
	}
	assert.Equal(t, job.Failed, d.job("run").State)
	d.openRun("next", false)
}

// What was brought here and is erased may be brought again.
func TestAnErasureForgetsThatAllWasBrought(t *testing.T) {
	d := newDesk(t)
	d.openRun("run", true)
	_, err := d.book.EndTransfer(d.rows, d.scope, transfer.Note{JobID: "run"}, nil)
	require.NoError(t, err)
	_, err = d.book.OpenErasure(d.rows, d.scope, erasure.Request{JobID: "erase"})
	require.NoError(t, err)
	for more := true; more; {
		more, err = d.book.DropErased(d.rows, d.scope, "erase", 10)
		require.NoError(t, err)
	}
	_, err = d.book.NoteErasure(d.rows, erasure.Note{JobID: "erase", Stage: "check", Checked: true, Stores: []job.Store{{Name: "documents"}}})
	require.NoError(t, err)
	_, err = d.book.EndErasure(d.rows, d.scope, "erase", nil)
	require.NoError(t, err)
	d.openRun("again", false)
}
