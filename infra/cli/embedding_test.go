package cli

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

func TestTheEmbeddingModelIsChanged(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.index("acme", "a", "Water flows in channels.")
		w.index("acme", "b", "Sheep graze on the plain.")
		w.index("globex", "c", "Water is sold in bottles.")
		ok := func(args ...string) string {
			t.Helper()
			code, out, errs := w.run(t.Context(), "acme", args...)
			require.Equal(t, exitOK, code, errs)
			return out
		}
		assert.Contains(t, ok("embedding"), "@cf/baai/bge-m3")
		out := ok("embedding", "estimate", "bge-small")
		assert.Contains(t, out, "2 documents, 2 chunks")
		assert.Contains(t, out, "about")

		out = ok("embedding", "move", "--stay", "bge-base")
		assert.Contains(t, out, "space of @cf/baai/bge-base-en-v1.5: succeeded, 2 documents")
		assert.Contains(t, ok("search", "--embedding", "bge-base", "--mode", "vector", "water channels"), "a#0")
		assert.Contains(t, ok("embedding"), "kept         @cf/baai/bge-base-en-v1.5")

		ok("embedding", "move", "bge-small")
		var e client.Embedding
		require.NoError(t, json.Unmarshal([]byte(ok("embedding", "--json")), &e))
		assert.Equal(t, "@cf/baai/bge-small-en-v1.5", e.Active)
		assert.ElementsMatch(t, []string{"@cf/baai/bge-m3", "@cf/baai/bge-base-en-v1.5"}, e.Kept)
		out = ok("embedding")
		assert.Contains(t, out, "configured   @cf/baai/bge-m3 (for a tenant without documents)")
		assert.Contains(t, ok("search", "--mode", "vector", "water channels"), "a#0")

		code, _, errs := w.run(t.Context(), "acme", "embedding", "back")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "several to go back to")
		assert.Contains(t, ok("embedding", "drop", "bge-base"), "succeeded")
		ok("embedding", "back")
		assert.Contains(t, ok("embedding"), "searches use @cf/baai/bge-m3")
		assert.Contains(t, ok("jobs", "--kind", "reembed"), "reembed")

		code, _, errs = w.run(t.Context(), "acme", "embedding", "drop", "bge-m3")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "embedding_active")
		code, _, errs = w.run(t.Context(), "acme", "embedding", "move", "gpt-4")
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, errs, "bge-small")
		code, _, errs = w.run(t.Context(), "globex", "embedding", "back")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "nothing is kept")
	})
}

func TestAMoveThatFailsSaysWhy(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.index("acme", "a", "Water flows in channels.")
		w.model.Before = func(c llm.Call, _ []string) error {
			if c.Model == "@cf/baai/bge-small-en-v1.5" {
				return fault.Invalidf("texts", "text_refused", "no")
			}
			return nil
		}
		code, out, errs := w.run(t.Context(), "acme", "embedding", "move", "bge-small")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, out, "failed")
		for _, said := range []string{"text_refused", "space_incomplete", "the same POST /tenant/embedding goes on"} {
			assert.Contains(t, errs, said)
		}
	})
}

// Whoever stops following is told how to go on.
func TestAMoveGoesOnWithoutItsFollower(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.index("acme", "a", "Water flows in channels.")
		ctx, stop := context.WithCancel(t.Context())
		w.model.Before = func(c llm.Call, _ []string) error {
			if c.Purpose == llm.ForDocument && c.Model == "@cf/baai/bge-small-en-v1.5" {
				stop()
			}
			return nil
		}
		code, _, errs := w.run(ctx, "acme", "embedding", "move", "bge-small")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "levada jobs follow")
		jobs, err := w.ledger.Jobs(t.Context(), tenantstest.Scope(t, "acme"), corpus.JobListing{Kind: job.Reembed, Limit: 10})
		require.NoError(t, err)
		require.Len(t, jobs.Jobs, 1)
		code, out, errs := w.run(t.Context(), "acme", "jobs", "follow", jobs.Jobs[0].ID)
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "succeeded")
	})
}
