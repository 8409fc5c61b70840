package library_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/bench/library"
	"levada.dev/workflows/corpus/chunk"
	"levada.dev/workflows/llm"
)

func TestASectionIsAChunk(t *testing.T) {
	l := library.New()
	for n := range 20 {
		text := l.Document(n)
		assert.Equal(t, text, l.Document(n), "the same each time")
		chunks, err := chunk.Split([]byte(text), "text/markdown", chunk.ForModel(llm.EmbeddingModels()[0]))
		require.NoError(t, err)
		assert.Len(t, chunks, library.Sections)
	}
}

// Of the words of a question that is not of common ones alone, some are in its document.
func TestQuestionsAreAboutDocuments(t *testing.T) {
	l := library.New()
	first := l.Document(0)
	about := 0
	for n := range 100 {
		for _, w := range strings.Fields(strings.Trim(l.Question(n, 1), "?"))[2:] {
			if strings.Contains(first, w) && len(w) > 5 {
				about++
				break
			}
		}
	}
	assert.Greater(t, about, 50)
}
