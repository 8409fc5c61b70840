package eval_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/eval"
)

func TestScores(t *testing.T) {
	s := eval.Of([]string{"x", "a", "y", "b"}, map[string]int{"a": 1, "b": 1, "c": 1})
	// Gains at places 2 and 4, of an ideal at 1, 2 and 3.
	assert.InDelta(t, (0.63093+0.43068)/(1+0.63093+0.5), s.NDCG, 1e-4)
	assert.Equal(t, 0.5, s.MRR)
	assert.InDelta(t, 2.0/3, s.Recall, 1e-9)
	assert.Equal(t, eval.Score{NDCG: 1, MRR: 1, Recall: 1, Deep: 1}, eval.Of([]string{"a"}, map[string]int{"a": 2}))
	assert.Zero(t, eval.Of(nil, map[string]int{"a": 1}))

	late := append(strings.Fields(strings.Repeat("x ", 10)), "a")
	s = eval.Of(late, map[string]int{"a": 1})
	assert.Equal(t, eval.Score{Deep: 1}, s, "the eleventh place counts for the deep recall alone")
	assert.Equal(t, eval.Score{NDCG: 0.5, Deep: 0.5}, eval.Mean([]eval.Score{{NDCG: 1}, {Deep: 1}}))
}

func TestBM25(t *testing.T) {
	x := eval.NewBM25([]eval.Document{
		{ID: "a", Title: "Water", Text: "The channels carry water."}, {ID: "b", Text: "A channel in the hills and much else that makes it long."},
		{ID: "c", Text: "Bread and cheese."},
	})
	assert.Equal(t, []string{"a", "b"}, x.Rank("channel of water", 10))
	assert.Equal(t, []string{"a"}, x.Rank("channel of water", 1))
	assert.Empty(t, x.Rank("the of and", 10))
}

func TestAskTakesADocumentByItsBestPassage(t *testing.T) {
	c := eval.Collection{Name: "c", Questions: []eval.Question{{ID: "1", Text: "q", Answers: map[string]int{"b": 1}}}}
	asked := 0
	calls := 0
	m, err := eval.Ask(t.Context(), c, "hybrid", func(_ context.Context, mode, q string) ([]string, bool, error) {
		assert.Equal(t, []string{"hybrid", "q"}, []string{mode, q})
		calls++
		return []string{"a", "a", "a", "b"}, calls == 2, nil
	}, func() { asked++ })
	require.NoError(t, err)
	assert.Equal(t, 0.5, m.MRR)
	assert.Equal(t, 1, asked)
	assert.Equal(t, []int{1, 1}, []int{m.Searched.N, m.Remembered.N}, "asked again, it comes from the cache")

	_, err = eval.Ask(t.Context(), c, "hybrid", func(context.Context, string, string) ([]string, bool, error) { return nil, false, errors.New("down") }, func() {})
	assert.ErrorContains(t, err, "question 1, hybrid: down")
}
