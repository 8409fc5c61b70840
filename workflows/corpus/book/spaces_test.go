package book_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
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
