package memory_test

import (
	"context"
	"testing"
	"time"

	"levada.dev/infra/memory"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/corpustest"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/imports/importstest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/reembed/reembedtest"
)

func TestTexts(t *testing.T) {
	corpustest.TestTexts(t, func(*testing.T) corpus.Texts { return &memory.Texts{} })
}

func TestLedger(t *testing.T) {
	corpustest.TestLedger(t, func(*testing.T) corpus.Ledger { return memory.NewLedger(time.Now) })
}

func TestWitness(t *testing.T) { corpustest.TestWitness(t, memory.NewLedger(time.Now)) }

func TestImports(t *testing.T) {
	importstest.TestLedger(t, func(*testing.T) importstest.Book { return memory.NewLedger(time.Now) })
}

func TestSpaces(t *testing.T) {
	reembedtest.TestLedger(t, func(*testing.T) reembedtest.Book { return memory.NewLedger(time.Now) })
}

func TestCatalogue(t *testing.T) {
	corpustest.TestCatalogue(t, func(*testing.T) corpustest.Ledger { return memory.NewLedger(time.Now) })
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

func TestRuns(t *testing.T) {
	var probe flowtest.Probe
	flowtest.TestRuns(t, &probe, func(t *testing.T) flow.Runs {
		r := memory.NewRuns(map[flow.Kind]flow.Flow{flowtest.Kind: probe.Flow})
		r.Pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
		t.Cleanup(r.Stop)
		return r
	})
}

func TestParts(t *testing.T) {
	importstest.TestParts(t, func(*testing.T) imports.Parts { return &memory.Parts{} })
}

func TestFiles(t *testing.T) {
	importstest.TestFiles(t, func(*testing.T) importstest.Store { return &memory.Files{} })
}

func TestFilters(t *testing.T) {
	corpustest.TestFilters(t, llm.EmbeddingModels()[2], memory.NewVectors(time.Now), memory.NewLexicon())
}

func TestLexicon(t *testing.T) {
	corpustest.TestLexicon(t, func(*testing.T) corpus.Lexicon { return memory.NewLexicon() })
}
