package eval_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/eval"
)

// folder is one with files, by their names.
func folder(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

const (
	goodDocuments = `{"_id":"a","text":"x"}` + "\n\n" + `{"_id":"b","title":"Only a title"}` + "\n"
	goodQuestions = `{"_id":"1","text":"q"}` + "\n" + `{"_id":"2","text":"unanswered"}` + "\n"
	goodAnswers   = "query-id\tcorpus-id\tscore\n1\ta\t1\n1\tb\t0\n"
)

func TestLoad(t *testing.T) {
	c, err := eval.Load(folder(t, map[string]string{"corpus.jsonl": goodDocuments, "queries.jsonl": goodQuestions, "qrels.tsv": goodAnswers}))
	require.NoError(t, err)
	assert.Len(t, c.Questions, 1, "what nothing answers is not asked")
	assert.Equal(t, map[string]int{"a": 1}, c.Questions[0].Answers)
	assert.Equal(t, "Only a title", c.Documents[1].Text, "a document without a text is its title")

	c, err = eval.Load(folder(t, map[string]string{"corpus.jsonl": goodDocuments, "queries.jsonl": goodQuestions, "qrels/test.tsv": goodAnswers}))
	require.NoError(t, err, "as BEIR packs them")
	assert.Len(t, c.Questions, 1)
}

func TestLoadTellsWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		file, text string
		want       string
	}{
		{"qrels.tsv", "1\tc\t1\n", `qrels.tsv:1: question "1" is answered by document "c", which is not in corpus.jsonl`},
		{"qrels.tsv", "1 a\n", "qrels.tsv:1: question, document and grade expected"},
		{"qrels.tsv", "query-id\tcorpus-id\tscore\n1 a one\n", `qrels.tsv:2: "one" is not a grade`},
		{"qrels.tsv", "9\ta\t1\n", "none of the 2 questions is answered"},
		{"qrels.tsv", "", "none of the 2 questions is answered"},
		{"corpus.jsonl", goodDocuments + "{", "corpus.jsonl:4: unexpected end of JSON input"},
		{"corpus.jsonl", `{"id":"a","text":"x"}`, "corpus.jsonl:1: _id is missing"},
		{"corpus.jsonl", `{"_id":"a","title":" "}`, `corpus.jsonl:1: "a" has no text`},
		{"corpus.jsonl", goodDocuments + `{"_id":"a","text":"y"}`, `corpus.jsonl:4: "a" is there twice`},
		{"corpus.jsonl", `{"_id":7,"text":"x"}`, "corpus.jsonl:1: json: cannot unmarshal number"},
		{"queries.jsonl", goodQuestions + "\n" + `{"_id":"3","text":""}`, `queries.jsonl:4: "3" has no text`},
		{"queries.jsonl", "\n", "queries.jsonl has no question"},
	} {
		files := map[string]string{"corpus.jsonl": goodDocuments, "queries.jsonl": goodQuestions, "qrels.tsv": goodAnswers}
		files[tc.file] = tc.text
		_, err := eval.Load(folder(t, files))
		assert.ErrorContains(t, err, tc.want)
	}
	for _, file := range []string{"corpus.jsonl", "queries.jsonl", "qrels.tsv"} {
		files := map[string]string{"corpus.jsonl": goodDocuments, "queries.jsonl": goodQuestions, "qrels.tsv": goodAnswers}
		delete(files, file)
		_, err := eval.Load(folder(t, files))
		assert.ErrorIs(t, err, fs.ErrNotExist)
		assert.ErrorContains(t, err, "is no collection")
		assert.ErrorContains(t, err, file+": no such file")
		assert.ErrorContains(t, err, "it has corpus.jsonl, queries.jsonl and qrels.tsv")
	}
	_, err := eval.Load(folder(t, map[string]string{"corpus.jsonl": "", "queries.jsonl": goodQuestions, "qrels.tsv": ""}))
	assert.ErrorContains(t, err, "corpus.jsonl has no document")
}
