package llmtest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// TestEmbedder checks the promises of llm.Embedder with one model. The embedder must not be in use by others.
func TestEmbedder(t *testing.T, model llm.EmbeddingModel, make func(t *testing.T) llm.Embedder) {
	acme, globex := scope(t, "acme"), scope(t, "globex")
	call := llm.Call{Model: model.Name, Purpose: llm.ForDocument, RequestID: "r1"}

	t.Run("a vector for each text, in order, of unit length", func(t *testing.T) {
		e := make(t)
		texts := []string{"the river floods the valley", "a transistor amplifies current", "the river floods the valley"}
		got, err := e.Embed(t.Context(), acme, call, texts)
		require.NoError(t, err)
		require.Len(t, got.Vectors, 3)
		for _, v := range got.Vectors {
			require.Len(t, v, model.Dimensions)
			assert.InDelta(t, 1, math.Sqrt(dot(v, v)), 1e-3)
		}
		assert.InDelta(t, 1, dot(got.Vectors[0], got.Vectors[2]), 1e-3, "the same text has the same vector")
		assert.Less(t, dot(got.Vectors[0], got.Vectors[1]), 0.99, "other texts have others")
		assert.GreaterOrEqual(t, got.Tokens, 0)
	})
	t.Run("a text has its vector in every company and for every tenant", func(t *testing.T) {
		e := make(t)
		alone, err := e.Embed(t.Context(), acme, call, []string{"terraced fields above the sea"})
		require.NoError(t, err)
		among, err := e.Embed(t.Context(), globex, call, []string{"x", "terraced fields above the sea", "y"})
		require.NoError(t, err)
		assert.InDelta(t, 1, dot(alone.Vectors[0], among.Vectors[1]), 1e-2)
	})
	t.Run("a full batch passes, one more is refused", func(t *testing.T) {
		e := make(t)
		texts := numbered(model.Batch + 1)
		got, err := e.Embed(t.Context(), acme, call, texts[:model.Batch])
		require.NoError(t, err)
		assert.Len(t, got.Vectors, model.Batch)
		_, err = e.Embed(t.Context(), acme, call, texts)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	})
	t.Run("no text is refused", func(t *testing.T) {
		_, err := make(t).Embed(t.Context(), acme, call, nil)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	})
	t.Run("a text beyond the model's tokens is taken", func(t *testing.T) {
		got, err := make(t).Embed(t.Context(), acme, call, []string{strings.Repeat("water ", 4*model.Tokens)})
		require.NoError(t, err)
		assert.Len(t, got.Vectors, 1)
	})
	t.Run("nobody's call and an unknown model are refused", func(t *testing.T) {
		e := make(t)
		_, err := e.Embed(t.Context(), tenants.Scope{}, call, []string{"x"})
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		_, err = e.Embed(t.Context(), acme, llm.Call{Model: "no/such", Purpose: llm.ForQuery}, []string{"x"})
		assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	})
	t.Run("a caller who has left gets an error", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := make(t).Embed(ctx, acme, call, []string{"x"})
		assert.Error(t, err)
	})
	t.Run("calls at once do not mix", func(t *testing.T) {
		e := make(t)
		texts := numbered(8)
		want, err := e.Embed(t.Context(), acme, call, texts)
		require.NoError(t, err)
		var wg sync.WaitGroup
		for i, text := range texts {
			wg.Go(func() {
				got, err := e.Embed(t.Context(), acme, call, []string{text})
				if assert.NoError(t, err) && assert.Len(t, got.Vectors, 1) {
					assert.InDelta(t, 1, dot(want.Vectors[i], got.Vectors[0]), 1e-2)
				}
			})
		}
		wg.Wait()
	})
}

func numbered(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("field number %d of the farm", i)
	}
	return texts
}

func scope(t *testing.T, id string) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume(id)
	require.NoError(t, err)
	return s
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
