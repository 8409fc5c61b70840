package sdk

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The scripts of testdata ask everything of one package each, and fail when an answer is not what it should be.

func TestNodeOpenAI(t *testing.T) { each(t, script("openai.mjs")) }

func TestNodeAISDK(t *testing.T) { each(t, script("ai.mjs")) }

func TestNodeLangChain(t *testing.T) { each(t, script("langchain.mjs")) }

// script runs one with the URL and the keys.
func script(name string) func(t *testing.T, s server) {
	return func(t *testing.T, s server) {
		arguments, err := json.Marshal(map[string]any{"url": s.url, "keys": s.keys})
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), filepath.Join(root, "node_modules", ".bin", "node"), filepath.Join("testdata", name), string(arguments))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}
