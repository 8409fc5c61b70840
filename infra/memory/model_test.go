package memory_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/memory"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

func TestModel(t *testing.T) {
	for _, name := range []string{"@local/script", "@local/script-openai"} {
		t.Run(name, func(t *testing.T) {
			model, err := llm.FindGeneration(name)
			require.NoError(t, err)
			m := &memory.Model{}
			llmtest.TestModel(t, model, func(*testing.T) llm.Model { return m })
			assert.Zero(t, m.Open(), "every answer was closed")
		})
	}
}
