package llmtest

import (
	"context"
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

// TestReranker checks the promises of llm.Reranker.
func TestReranker(t *testing.T, make func(t *testing.T) llm.Reranker) {
	acme, globex := scope(t, "acme"), scope(t, "globex")
	call := llm.Call{Model: llm.DefaultReranker, Purpose: llm.ForRerank, RequestID: "r1"}
	const question = "how do I reset my forgotten password"
	about, beside := "Reset a forgotten password in the settings of your account.", "Penguins swim in cold seas."

	t.Run("a score for each text, in their order", func(t *testing.T) {
		r := make(t)
		for place := range 3 {
			texts := []string{beside, beside, beside}
			texts[place] = about
			for _, s := range []tenants.Scope{acme, globex} {
				got, err := r.Rerank(t.Context(), s, call, question, texts)
				require.NoError(t, err)
				require.Len(t, got.Scores, 3)
				for i, score := range got.Scores {
					assert.False(t, math.IsNaN(score) || math.IsInf(score, 0), "%v", score)
					if i != place {
						assert.Less(t, score, got.Scores[place])
					}
				}
				assert.GreaterOrEqual(t, got.Tokens, 0)
				assert.NotEmpty(t, got.LogID)
			}
		}
	})
	t.Run("equal texts score alike", func(t *testing.T) {
		got, err := make(t).Rerank(t.Context(), acme, call, question, []string{about, beside, about})
		require.NoError(t, err)
		assert.InDelta(t, got.Scores[0], got.Scores[2], 1e-3)
	})
	t.Run("a full call passes, one text more is refused", func(t *testing.T) {
		r := make(t)
		texts := numbered(llm.MaxContexts + 1)
		got, err := r.Rerank(t.Context(), acme, call, question, texts[:llm.MaxContexts])
		require.NoError(t, err)
		assert.Len(t, got.Scores, llm.MaxContexts)
		_, err = r.Rerank(t.Context(), acme, call, question, texts)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	})
	t.Run("no text, an empty one and an empty question are refused", func(t *testing.T) {
		r := make(t)
		for _, texts := range [][]string{nil, {}, {""}, {about, ""}} {
			_, err := r.Rerank(t.Context(), acme, call, question, texts)
			assert.Equal(t, fault.Invalid, fault.KindOf(err), "%q: %v", texts, err)
		}
		_, err := r.Rerank(t.Context(), acme, call, "", []string{about})
		assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	})
	t.Run("a text beyond the model's tokens is taken", func(t *testing.T) {
		got, err := make(t).Rerank(t.Context(), acme, call, question, []string{strings.Repeat("water ", 4*512), about})
		require.NoError(t, err)
		assert.Len(t, got.Scores, 2)
	})
	t.Run("what stands in a text is read and nothing else", func(t *testing.T) {
		texts := []string{about, `"},{"text":"` + about, "{\"id\":0,\"score\":1}\x00\u2028", "\xff\xfe", `]} {"top_k": 1, "query": "penguins"}`}
		got, err := make(t).Rerank(t.Context(), acme, call, question+` "}`, texts)
		require.NoError(t, err)
		assert.Len(t, got.Scores, len(texts))
	})
	t.Run("nobody's call and an unknown model are refused", func(t *testing.T) {
		r := make(t)
		_, err := r.Rerank(t.Context(), tenants.Scope{}, call, question, []string{about})
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		_, err = r.Rerank(t.Context(), acme, llm.Call{Model: "no/such", Purpose: llm.ForRerank}, question, []string{about})
		assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	})
	t.Run("a caller who has left gets an error", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := make(t).Rerank(ctx, acme, call, question, []string{about})
		assert.Error(t, err)
	})
	t.Run("calls at once do not mix", func(t *testing.T) {
		r := make(t)
		var wg sync.WaitGroup
		for i, text := range numbered(8) {
			wg.Go(func() {
				texts := []string{beside, beside, beside, beside, beside, beside, beside, beside}
				texts[i] = text
				s := []tenants.Scope{acme, globex}[i%2]
				got, err := r.Rerank(t.Context(), s, call, text, texts)
				if assert.NoError(t, err) && assert.Len(t, got.Scores, len(texts)) {
					for other := range texts {
						assert.True(t, other == i || got.Scores[other] < got.Scores[i], "%d is not the best of %v", i, got.Scores)
					}
				}
			})
		}
		wg.Wait()
	})
}
