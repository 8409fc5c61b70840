package eval_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	m, err := eval.Ask(t.Context(), c, "hybrid", func(_ context.Context, mode, q string) ([]string, error) {
		assert.Equal(t, []string{"hybrid", "q"}, []string{mode, q})
		return []string{"a", "a", "a", "b"}, nil
	}, func() { asked++ })
	require.NoError(t, err)
	assert.Equal(t, 0.5, m.MRR)
	assert.Equal(t, 1, asked)

	_, err = eval.Ask(t.Context(), c, "hybrid", func(context.Context, string, string) ([]string, error) { return nil, errors.New("down") }, func() {})
	assert.ErrorContains(t, err, "question 1, hybrid: down")
}

func TestLoadTellsWhatIsWrong(t *testing.T) {
	folder := func(corpus, queries, qrels string) string {
		dir := t.TempDir()
		for name, text := range map[string]string{"corpus.jsonl": corpus, "queries.jsonl": queries, "qrels.tsv": qrels} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
		return dir
	}
	const corpus, queries = `{"_id":"a","text":"x"}` + "\n\n", `{"_id":"1","text":"q"}` + "\n" + `{"_id":"2","text":"unanswered"}` + "\n"
	c, err := eval.Load(folder(corpus, queries, "query-id\tcorpus-id\tscore\n1\ta\t1\n1\tz\t0\n"))
	require.NoError(t, err)
	assert.Len(t, c.Questions, 1, "what nothing answers is not asked")
	for _, tc := range []struct{ corpus, queries, qrels, want string }{
		{corpus, queries, "1\tb\t1\n", "document b, which is not there"},
		{corpus, queries, "1 a\n", "qrels.tsv:1"},
		{corpus, queries, "1 a one\n", "is not a grade"},
		{corpus + "{", queries, "1\ta\t1\n", "corpus.jsonl:3"},
		{corpus, "", "1\ta\t1\n", "0 questions"},
	} {
		_, err := eval.Load(folder(tc.corpus, tc.queries, tc.qrels))
		assert.ErrorContains(t, err, tc.want)
	}
	_, err = eval.Load(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestPage(t *testing.T) {
	page := eval.Page([]eval.Result{
		{Name: "one", Documents: 3, Questions: 2, BM25: eval.Measured{Score: eval.Score{NDCG: 0.5}}, Modes: map[string]eval.Measured{
			"keyword": {Score: eval.Score{NDCG: 0.6}}, "vector": {Score: eval.Score{NDCG: 0.4}}, "hybrid": {Score: eval.Score{NDCG: 0.66}, P50: time.Millisecond, P95: 2 * time.Millisecond},
		}},
		{Name: "two", Modes: map[string]eval.Measured{"vector": {}}},
	}, time.Unix(0, 0))
	assert.Contains(t, page, "| one | 1.320 | 1.100 |")
	assert.Contains(t, page, "| **mean** | **1.320** | **1.100** |")
	assert.Contains(t, page, "| 1 ms | 2 ms |")
	assert.NotContains(t, page, "NaN")
	assert.Equal(t, 2, strings.Count(page, "| two |")+strings.Count(page, "| one | 1.320"), "a mode that was not measured has no ratio")
}
