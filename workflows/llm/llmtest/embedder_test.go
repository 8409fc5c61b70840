package llmtest_test

import (
	"testing"

	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

func TestEmbedder(t *testing.T) {
	for _, m := range llm.EmbeddingModels() {
		t.Run(m.Slug, func(t *testing.T) {
			llmtest.TestEmbedder(t, m, func(*testing.T) llm.Embedder { return &llmtest.Embedder{} })
		})
	}
}
