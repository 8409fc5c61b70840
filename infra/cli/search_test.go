package cli

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
	"levada.dev/workflows/llm"
)

func TestSearch(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.index("acme", "a", "Water flows in channels.")
		w.index("acme", "b", "Sheep graze on the plain.")
		w.index("globex", "c", "Water is sold in bottles.")

		code, out, errs := w.run(t.Context(), "acme", "search", "--mode", "keyword", "water", "channels")
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "a#0")
		assert.Contains(t, out, "KEYWORD")
		assert.NotContains(t, out, "VECTOR", "no column without a value")
		assert.NotContains(t, out, "bottles")

		code, out, errs = w.run(t.Context(), "acme", "search", "--json", "--top", "1", "water channels")
		assert.Equal(t, exitOK, code, errs)
		var found client.Found
		require.NoError(t, json.Unmarshal([]byte(out), &found))
		assert.Equal(t, "hybrid", found.Mode)
		require.Len(t, found.Sources, 1)
		assert.Contains(t, found.Sources[0].Scores, "fused")

		code, out, errs = w.run(t.Context(), "acme", "search", "--rerank", "water channels")
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "RERANK")
		assert.NotContains(t, out, "bottles")

		w.model.Before = func(llm.Call, []string) error { return fault.Unavailablef(nil, "model_busy", "busy") }
		code, out, errs = w.run(t.Context(), "acme", "search", "water channels")
		assert.Equal(t, exitOK, code)
		assert.Contains(t, errs, "searched without vector: model_busy")
		assert.Contains(t, out, "a#0")

		code, out, _ = w.run(t.Context(), "globex", "search", "--mode", "keyword", "sheep")
		assert.Equal(t, exitOK, code)
		assert.Equal(t, "nothing was found\n", out)

		code, _, errs = w.run(t.Context(), "acme", "search", "--mode", "psychic", "x")
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, errs, "psychic")
	})
}
