package book_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/job"
)

// issued is whether a change makes a new edition.
func (d *desk) issued(change func()) bool {
	before, err := d.book.Edition(d.rows)
	require.NoError(d.t, err)
	change()
	after, err := d.book.Edition(d.rows)
	require.NoError(d.t, err)
	require.GreaterOrEqual(d.t, after.Number, before.Number)
	return after.Number != before.Number
}

func TestAnEditionEndsWithWhatSearchesShow(t *testing.T) {
	d := newDesk(t)
	sub := d.submission("a")
	submit := func(s corpus.Submission) func() {
		return func() {
			_, err := d.take(s)
			require.NoError(t, err)
		}
	}
	none, err := d.book.Edition(d.rows)
	require.NoError(t, err)
	assert.Zero(t, none)
	assert.False(t, d.issued(submit(sub)), "nobody sees it yet")
	one := refOf(d.document("a"))
	assert.False(t, d.issued(func() { d.advance(chunked(one, 2, 20)) }))
	assert.False(t, d.issued(func() { d.advance(indexed(one, 0, 2, 20)) }))
	written := d.written
	assert.True(t, d.issued(func() { d.advance(indexed(one, 1, 2, 20)) }), "searchable")
	assert.Equal(t, 3, d.written-written, "document, job and turns, as without an edition")
	assert.False(t, d.issued(func() { d.advance(indexed(one, 1, 2, 20)) }), "told again")
	again := d.submission("a")
	again.SHA256 = sub.SHA256
	assert.False(t, d.issued(submit(again)), "unchanged")

	written = d.written
	assert.True(t, d.issued(submit(d.submission("a"))), "its sources have a new title")
	assert.Equal(t, 4, d.written-written, "document, job, event and turns")
	two := refOf(d.document("a"))
	assert.False(t, d.issued(func() { d.advance(failed(two, corpus.StageEmbed)) }), "what is searchable stays")
	assert.False(t, d.issued(submit(d.submission("b"))), "another document")

	remove := func() {
		_, err := d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "a", JobID: "delete", Cause: events.Cause{ID: "delete"}})
		require.NoError(t, err)
	}
	assert.True(t, d.issued(remove), "deleted")
	assert.False(t, d.issued(remove), "deleted already")
}

func TestATitleThatWasTakenOutOfADocumentIsShown(t *testing.T) {
	d := newDesk(t)
	for range 2 {
		_, err := d.take(d.submission("a"))
		require.NoError(t, err)
		ref := refOf(d.document("a"))
		p := chunked(ref, 1, 1)
		p.Derived = &corpus.Derived{TextKey: "t", Title: "Found"}
		shown := d.document("a").Searchable > 0
		assert.Equal(t, shown, d.issued(func() { d.advance(p) }))
		assert.True(t, d.issued(func() { d.advance(indexed(ref, 0, 1, 1)) }))
	}
}

func TestAnErasureOfEverythingEndsTheEdition(t *testing.T) {
	d := newDesk(t)
	make := func() {
		_, err := d.take(d.submission("a"))
		require.NoError(t, err)
		d.advance(indexed(refOf(d.document("a")), 0, 1, 1))
	}
	make()
	before, err := d.book.Edition(d.rows)
	require.NoError(t, err)
	_, err = d.book.OpenErasure(d.rows, d.scope, erasure.Request{JobID: "all", Cause: events.Cause{ID: "all"}})
	require.NoError(t, err)
	assert.True(t, d.issued(func() {
		_, err := d.book.DropErased(d.rows, d.scope, "all", 100)
		require.NoError(t, err)
	}))
	_, err = d.book.NoteErasure(d.rows, erasure.Note{JobID: "all", Stage: "check", Stores: []job.Store{{Name: "cache"}}, Checked: true})
	require.NoError(t, err)
	_, err = d.book.EndErasure(d.rows, d.scope, "all", nil)
	require.NoError(t, err)
	none, err := d.book.Edition(d.rows)
	require.NoError(t, err)
	assert.Zero(t, none, "nothing is left of it")
	d.now = d.now.Add(corpus.Settling)
	make()
	after, err := d.book.Edition(d.rows)
	require.NoError(t, err)
	assert.Greater(t, after.Number, before.Number+1, "no number comes again")
}
