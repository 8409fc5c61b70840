package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/eval"
)

// collection is a folder with a collection; without are files that it lacks.
func collection(t *testing.T, name string, without ...string) string {
	dir := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.Mkdir(dir, 0o755))
	for file, text := range map[string]string{
		"corpus.jsonl": `{"_id":"a","text":"x"}` + "\n", "queries.jsonl": `{"_id":"1","text":"q"}` + "\n", "qrels.tsv": "1\ta\t1\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	for _, file := range without {
		require.NoError(t, os.Remove(filepath.Join(dir, file)))
	}
	return dir
}

func TestWhatEvalRefusesBeforeItStarts(t *testing.T) {
	good := collection(t, "one")
	notes := filepath.Join(t.TempDir(), "notes.json")
	require.NoError(t, os.WriteFile(notes, []byte("notes"), 0o600))
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{}, exitUsage, "requires at least 1 arg"},
		{[]string{"--mode", "dense", good}, exitUsage, "--mode dense: is none of keyword, vector or hybrid"},
		{[]string{"--answers", "-1", good}, exitUsage, "--answers -1"},
		{[]string{good, collection(t, "one")}, exitUsage, "are both named one"},
		{[]string{collection(t, "two", "queries.jsonl")}, exitProblem, "it has corpus.jsonl, queries.jsonl and qrels.tsv"},
		{[]string{filepath.Join(t.TempDir(), "none")}, exitProblem, "is no collection"},
		{[]string{"--out", filepath.Join(t.TempDir(), "none", "quality.md"), good}, exitProblem, "no such file or directory"},
		{[]string{"--resume", notes, good}, exitProblem, "notes.json has no results of a run"},
	} {
		var out, problems bytes.Buffer
		assert.Equal(t, tc.code, Execute(t.Context(), append([]string{"--root", filepath.Join("..", ".."), "eval"}, tc.args...), &out, &problems), "%v", tc.args)
		assert.Contains(t, problems.String(), tc.want)
	}
}

func TestEvalTellsWhatItFound(t *testing.T) {
	var out, drawn bytes.Buffer
	o := evalOptions{Out: "quality.md", View: view{Stdout: &out}}
	searched := eval.Latency{N: 1, P50: 1_500_000, P95: 2_000_000, P99: 3_000_000}
	require.NoError(t, o.tell(eval.Report{Results: []eval.Result{{
		Name: "one", BM25: eval.Measured{Score: eval.Score{NDCG: 0.5}},
		Modes:   map[string]eval.Measured{"vector": {Score: eval.Score{NDCG: 0.4}}, "hybrid": {Score: eval.Score{NDCG: 0.6}, Searched: searched}},
		Answers: &eval.Answers{Own: eval.Tally{Asked: 4, Abstained: 1}, Without: eval.Tally{Asked: 4, Abstained: 4}, Sentences: 8, Supported: 6},
	}}}))
	for _, want := range []string{"hybrid │  0.6000", "1.5 ms", "hybrid is 1.200 of the better of BM25 and vectors", "0.7500", "0.8889", "written: quality.md"} {
		assert.Contains(t, out.String(), want)
	}
	s := steps{w: &drawn}
	s.show("one: ingest", 1, 2)
	s.show("one: ingest", 2, 2)
	s.show("one: hybrid", 1, 1)
	s.end()
	assert.Equal(t, "one: ingest\none: hybrid\n", drawn.String(), "a line for each step where nobody looks")
}

func TestEvalFailsWhereHybridFallsShort(t *testing.T) {
	of := func(x float64) eval.Measured { return eval.Measured{Score: eval.Score{NDCG: x}} }
	result := func(name string, hybrid float64, modes ...string) eval.Result {
		r := eval.Result{Name: name, BM25: of(0.5), Modes: map[string]eval.Measured{}}
		for _, m := range modes {
			r.Modes[m] = of(0.5)
		}
		r.Modes["hybrid"] = of(hybrid)
		return r
	}
	all := eval.Report{Results: []eval.Result{result("good", 0.6, "vector", "keyword"), result("bad", 0.49, "vector", "keyword")}}
	err := (&evalOptions{}).judge(all)
	require.Error(t, err)
	assert.False(t, errors.As(err, new(usageError)), "the command line is right: it ends with 1")
	assert.Contains(t, err.Error(), "bad: hybrid is 0.9800")
	assert.NotContains(t, err.Error(), "good")
	assert.NoError(t, (&evalOptions{Questions: 20}).judge(all), "too few to say")
	assert.NoError(t, (&evalOptions{}).judge(eval.Report{Results: []eval.Result{result("one", 0.1, "keyword")}}), "no vectors to compare with")
	assert.NoError(t, (&evalOptions{}).judge(eval.Report{Results: all.Results[:1]}))
}
