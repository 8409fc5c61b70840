package book_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
)

// A deletion that is told twice under one key does not delete what came in between.
func TestADeletionWithAKeyIsDoneOnce(t *testing.T) {
	d := newDesk(t)
	del := func(job, key string) (corpus.Receipt, error) {
		return d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "a", JobID: job, Cause: events.Cause{ID: job, IdempotencyKey: key}})
	}
	d.submit("a")
	first, err := del("erase-1", "k")
	require.NoError(t, err)
	assert.False(t, first.Replayed)
	d.submit("a")
	again, err := del("erase-2", "k")
	require.NoError(t, err)
	first.Replayed = true
	assert.Equal(t, first, again)
	assert.NotEqual(t, corpus.Deleted, d.document("a").State, "what came in between stays")
	other, err := del("erase-3", "k2")
	require.NoError(t, err)
	assert.Equal(t, "erase-3", other.JobID)
}

// A deletion of what is not there is remembered, too: told again under its key it does not delete what came after it.
func TestADeletionOfNothingWithAKeyIsDoneOnce(t *testing.T) {
	d := newDesk(t)
	del := func(job, key string) (corpus.Receipt, error) {
		return d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "a", JobID: job, Cause: events.Cause{ID: job, IdempotencyKey: key}})
	}
	first, err := del("erase-1", "k")
	require.NoError(t, err)
	assert.Equal(t, corpus.Receipt{DocID: "a"}, first)
	d.submit("a")
	again, err := del("erase-2", "k")
	require.NoError(t, err)
	assert.Equal(t, corpus.Receipt{DocID: "a", Replayed: true}, again)
	assert.NotEqual(t, corpus.Deleted, d.document("a").State)
	_, err = d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "b", JobID: "erase-3"})
	assert.Equal(t, "document_not_found", fault.As(err).Code, "without a key there is nothing to remember")
}

// A deletion that means a generation leaves a newer one alone.
func TestADeletionMayMeanAGeneration(t *testing.T) {
	d := newDesk(t)
	del := func(job string, generation int) corpus.Receipt {
		r, err := d.book.Delete(d.rows, d.scope, corpus.Deletion{DocID: "a", Generation: generation, JobID: job, Cause: events.Cause{ID: job}})
		require.NoError(t, err)
		return r
	}
	d.submit("a")
	assert.Equal(t, "erase-1", del("erase-1", 1).JobID)
	newer := d.submit("a")
	assert.Equal(t, corpus.Receipt{DocID: "a", JobID: newer.JobID, Generation: newer.Generation, Unchanged: true}, del("erase-2", 1))
	assert.NotEqual(t, corpus.Deleted, d.document("a").State)
	assert.False(t, del("erase-3", newer.Generation).Unchanged)
	assert.Equal(t, corpus.Deleted, d.document("a").State)
}
