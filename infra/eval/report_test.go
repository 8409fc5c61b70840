package eval_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/eval"
)

// report is one of a collection that was searched in all modes and answered, and of one that was not.
func report() eval.Report {
	took := eval.Latency{N: 1234, P50: time.Millisecond, P95: 2 * time.Millisecond, P99: 3 * time.Millisecond}
	a := &eval.Answers{
		Others: "two", Threshold: 0.4, Own: eval.Tally{Asked: 10, Abstained: 1}, Without: eval.Tally{Asked: 10, Abstained: 9}, Foreign: eval.Tally{Asked: 10, Abstained: 10},
		Sentences: 20, Supported: 18, Verbatim: 9, Spans: 20, Exact: 20, OwnSpans: 8, Relevant: 6, Right: 9, Took: took,
	}
	a.Own.Sources[9] = eval.Bin{N: 10, Said: 9.5, Was: 9}
	return eval.Report{Results: []eval.Result{
		{
			Name: "one", Commit: "abc", When: time.Unix(0, 0), Documents: 3000, Questions: 2, BM25: eval.Measured{Score: eval.Score{NDCG: 0.5}}, Answers: a,
			Modes: map[string]eval.Measured{
				"keyword": {Score: eval.Score{NDCG: 0.6}}, "vector": {Score: eval.Score{NDCG: 0.4}}, "hybrid": {Score: eval.Score{NDCG: 0.66}, Searched: took},
			},
		},
		{Name: "two", Modes: map[string]eval.Measured{"vector": {}}},
	}}
}

func TestPage(t *testing.T) {
	page := report().Page()
	for _, want := range []string{
		"measured on 0001-01-01, 1970-01-01 at abc, an unknown commit",
		"| one | 3,000 | 2 | BM25 | 0.5000 |",
		"one          BM25     █████████████████████████························· 0.500\n",
		"| one | 1.320 | 1.100 |\n| **mean** | **1.320** | **1.100** |", // a mode that was not measured has no ratio
		"| one | 10, 10, 10 of two | 90.0 % | 20 | 90.0 % | 50.0 % | 20 | 100.0 % | 8 | 75.0 % | 100.0 % |",
		"| one | 0.40 | 10.0 % | 90.0 % | 100.0 % | 0.905 | 0.950 | 0.927 |",
		"| 0.9 to 1.0 | 10 | 0.95 | 0.90 | 0 | | |",
		"| one | 0.050 | 0.000 |",
		"|  | hybrid | 1,234 | 1.0 | 2.0 | 3.0 | 0 | | | |",
		"it repeats the two sentences of the sources",
	} {
		assert.Contains(t, page, want)
	}
	assert.NotContains(t, page, "NaN")

	r := report()
	r.Server = true
	assert.NotContains(t, r.Page(), "word for word, and invents nothing", "that is said of the local model alone")
	r.Results[0].Answers = nil
	assert.NotContains(t, r.Page(), "## Answers")
}

func TestARunGoesOnFromWhatIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept.json")
	k, err := eval.OpenKept(file)
	require.NoError(t, err)
	_, there := k.Find("one")
	assert.False(t, there)
	want := report().Results[0]
	want.When = want.When.UTC()
	require.NoError(t, k.Put("one", want))

	k, err = eval.OpenKept(file)
	require.NoError(t, err)
	got, there := k.Find("one")
	require.True(t, there)
	assert.Equal(t, want, got)

	require.NoError(t, os.WriteFile(file, []byte("# Quality"), 0o600))
	_, err = eval.OpenKept(file)
	assert.ErrorContains(t, err, "kept.json has no results of a run")

	var none *eval.Kept
	_, there = none.Find("one")
	assert.False(t, there)
	assert.NoError(t, none.Put("one", want))
}
