package rag_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/rag"
)

// TestVisible asks about a document that was indexed while the index lags behind, first by its chunks and then by the index's clock.
func TestVisible(t *testing.T) {
	for _, size := range []int{1, 3, rag.MaxTopK + 20} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, nil)
			w.index.Lag = time.Minute
			d := corpus.Document{ID: "guide", Generation: 2, Chunks: size, Model: model}
			visible := func(s tenants.Scope, d corpus.Document) bool {
				ok, err := rag.Visible(t.Context(), s, w.index, d, d.Model)
				require.NoError(t, err)
				return ok
			}
			w.write(t, w.acme, "guide", 1, make([]float64, size)...)
			w.write(t, w.acme, "other", 2, make([]float64, size)...)
			time.Sleep(2 * time.Minute)
			w.write(t, w.acme, "guide", 2, make([]float64, size)...)
			w.remove(t, w.acme, "guide", 1, size)
			d.Stages = []corpus.StageTimes{{Stage: corpus.StageIndex, At: time.Now().Add(2 * time.Minute)}} // as a clock that stands still would have it
			assert.False(t, visible(w.acme, d), "an older generation and another document do not count")

			time.Sleep(time.Minute)
			assert.True(t, visible(w.acme, d), "the index shows it, before its clock says so")
			assert.False(t, visible(w.globex, d), "and to its tenant alone")
			long := d
			long.ID = strings.Repeat("g", 65)
			assert.False(t, visible(w.acme, long), "nothing is there of another id")

			time.Sleep(time.Minute)
			assert.True(t, visible(w.acme, long), "its clock can")
		})
	}
}

// A document that was indexed in one space, and brought to another, is visible where it is searched when that index shows it.
func TestVisibleInAnotherSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.index.Lag = time.Minute
		d := corpus.Document{ID: "guide", Generation: 1, Chunks: 1, Model: model, Stages: []corpus.StageTimes{{Stage: corpus.StageIndex, At: time.Now().Add(-time.Hour)}}}
		visible := func(space string) bool {
			ok, err := rag.Visible(t.Context(), w.acme, w.index, d, space)
			require.NoError(t, err)
			return ok
		}
		assert.True(t, visible(model))
		require.NoError(t, w.index.Upsert(t.Context(), w.acme, other, []corpus.Vector{{
			ID: "v", Values: append(place(1), make([]float32, 768-384)...), Metadata: corpus.Metadata{DocID: "guide", Generation: 1},
		}}))
		assert.False(t, visible(other))
		time.Sleep(time.Minute)
		assert.True(t, visible(other))
	})
}
