package book_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
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
