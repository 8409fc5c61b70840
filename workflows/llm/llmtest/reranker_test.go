package llmtest_test

import (
	"testing"

	"levada.dev/tenants/quota/quotatest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

func TestReranker(t *testing.T) {
	llmtest.TestReranker(t, func(*testing.T) llm.Reranker { return &llmtest.Reranker{} })
	t.Run("paid", func(t *testing.T) {
		llmtest.TestReranker(t, func(*testing.T) llm.Reranker { return llm.NewPaidReranker(&llmtest.Reranker{}, &quotatest.Gate{}) })
	})
}
