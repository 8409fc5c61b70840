package book_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

func (d *desk) openImport(id string) job.Job {
	d.t.Helper()
	j, err := d.book.OpenImport(d.rows, d.scope, imports.Import{
		ID: id, Origin: imports.Origin{URLs: []string{"https://a.example/"}}, Source: "cms", Entries: 3, Cause: events.Cause{ID: "request"},
	})
	require.NoError(d.t, err)
	return j
}

// takeOf hands the ledger so many of an import's entries.
func (d *desk) takeOf(id string, from, to int) {
	d.t.Helper()
	var es []imports.Taking
	for i := from; i < to; i++ {
		sub := d.submission(string(rune('a' + i)))
		es = append(es, imports.Taking{Submission: &sub})
	}
	_, err := d.book.Take(d.rows, d.scope, id, from, es)
	require.NoError(d.t, err)
}

// An import whose beginning nobody has heard is begun again, and fails when nothing comes of that either. So nothing that was accepted waits
// for ever.
func TestAnImportThatDoesNotBeginIsBegunAgain(t *testing.T) {
	d := guarded(t)
	d.openImport("import")
	first := d.sent()
	require.Len(t, first, 1)
	ids := map[string]bool{first[0].ID: true}
	for began := d.now; ; {
		next := d.watch()
		if d.job("import").State.Final() {
			break
		}
		require.True(t, next.After(d.now), "it is looked after")
		require.Less(t, d.now.Sub(began), 8*24*time.Hour)
		d.now = next
		for _, again := range d.sent() {
			assert.Equal(t, events.TypeImportStarted, again.Type)
			assert.JSONEq(t, string(first[0].Data), string(again.Data), "what is to be imported is the same")
			ids[again.ID] = true
		}
	}
	assert.Greater(t, len(ids), 4, "each time it is an event of its own")
	assert.Less(t, len(ids), 50)
	j := d.job("import")
	assert.Equal(t, job.Failed, j.State)
	told := d.sent()
	require.NotEmpty(t, told)
	assert.Equal(t, events.TypeImportCompleted, told[len(told)-1].Type)
	taken, err := d.book.Take(d.rows, d.scope, "import", 0, []imports.Taking{{}})
	require.NoError(t, err)
	assert.True(t, taken.Cancelled, "whose run begins after all, takes nothing and ends")
}

// An import that has begun is not begun again. One that stops in the middle fails with what was taken.
func TestAnImportThatStopsInTheMiddleFailsInTheEnd(t *testing.T) {
	d := guarded(t)
	d.openImport("import")
	_, err := d.book.SealImport(d.rows, d.scope, "import", 3, nil)
	require.NoError(t, err)
	d.takeOf("import", 0, 2)
	d.sent()
	for _, id := range []string{"job-0001", "job-0002"} {
		_, err := d.book.Cancel(d.rows, d.scope, id)
		require.NoError(t, err)
	}
	for began := d.now; ; {
		next := d.watch()
		if d.job("import").State.Final() {
			break
		}
		for _, e := range d.sent() {
			assert.NotEqual(t, events.TypeImportStarted, e.Type)
		}
		require.True(t, next.After(d.now))
		require.Less(t, d.now.Sub(began), 8*24*time.Hour)
		d.now = next
	}
	j := d.job("import")
	assert.Equal(t, []any{job.Failed, 2, 2}, []any{j.State, j.Counts.Total, j.Counts.Cancelled})
	problems, err := d.book.Problems(d.rows, imports.Listing{JobID: "import", Limit: 10})
	require.NoError(t, err)
	require.NotEmpty(t, problems.Problems)
	assert.Equal(t, "stuck", problems.Problems[len(problems.Problems)-1].Code)
}

// One that was handed over whole is looked after no more: its documents are.
func TestAnImportThatWasTakenIsNotWatched(t *testing.T) {
	d := guarded(t)
	d.openImport("import")
	_, err := d.book.SealImport(d.rows, d.scope, "import", 0, nil)
	require.NoError(t, err)
	d.sent()
	d.now = d.now.Add(time.Hour)
	assert.Zero(t, d.watch())
	assert.Empty(t, d.sent())
}

// The erasure of a tenant closes its ledger. One that nobody begins is asked for again, and one that does not end fails, so that the
// ledger does not stay closed for ever.
func TestAnErasureOfEverythingThatDoesNotEndOpensTheLedger(t *testing.T) {
	for _, stage := range []string{"", "documents"} {
		d := guarded(t)
		_, err := d.book.OpenErasure(d.rows, d.scope, erasure.Request{JobID: "erase", Cause: events.Cause{ID: "request"}})
		require.NoError(t, err)
		ids := map[string]bool{}
		for _, e := range d.sent() {
			ids[e.ID] = true
		}
		if stage != "" {
			_, err := d.book.NoteErasure(d.rows, erasure.Note{JobID: "erase", Stage: stage})
			require.NoError(t, err)
			more, err := d.book.DropErased(d.rows, d.scope, "erase", 100)
			require.NoError(t, err)
			require.False(t, more)
		}
		_, err = d.take(d.submission("a"))
		require.Equal(t, "tenant_erasing", fault.As(err).Code)
		for began := d.now; ; {
			next := d.watch()
			if d.job("erase").State.Final() {
				break
			}
			require.True(t, next.After(d.now), "it is looked after")
			require.Less(t, d.now.Sub(began), 3*24*time.Hour)
			d.now = next
			for _, e := range d.sent() {
				require.Equal(t, events.TypeTenantErasureRequested, e.Type)
				ids[e.ID] = true
			}
		}
		j := d.job("erase")
		assert.Equal(t, []any{job.Failed, "stuck"}, []any{j.State, j.Errors[0].Code})
		assert.Equal(t, stage == "", len(ids) > 1, "only one that has not begun is asked for again: %d", len(ids))
		_, err = d.take(d.submission("a"))
		assert.NoError(t, err)
	}
}
