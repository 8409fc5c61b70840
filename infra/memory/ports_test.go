package memory_test

import (
	"testing"
	"time"

	"levada.dev/infra/memory"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/corpustest"
	"levada.dev/workflows/llm"
)

func TestTexts(t *testing.T) {
	corpustest.TestTexts(t, func(*testing.T) corpus.Texts { return &memory.Texts{} })
}

func TestLedger(t *testing.T) {
	corpustest.TestLedger(t, func(*testing.T) corpus.Ledger { return memory.NewLedger(time.Now) })
}

func TestVectors(t *testing.T) {
	m := llm.EmbeddingModels()[2]
	t.Run("visible at once", func(t *testing.T) {
		corpustest.TestVectors(t, m, func(*testing.T) corpus.Vectors { return memory.NewVectors(time.Now) })
	})
	t.Run("visible later", func(t *testing.T) {
		corpustest.TestVectors(t, m, func(*testing.T) corpus.Vectors {
			x := memory.NewVectors(time.Now)
			x.Lag = 20 * time.Millisecond
			return x
		})
	})
}
