package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The examples of docs/webhooks.md run as they stand there.
func TestTheExamplesOfThePage(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join(root, "docs", "webhooks.md"))
	require.NoError(t, err)
	reader := as(t, "acme")
	for language, run := range map[string]struct {
		file, docID string
		command     []string
	}{
		"sh": {"send.sh", "pages/sh", []string{"sh"}},
		"js": {"send.mjs", "pages/js", []string{filepath.Join(root, "node_modules", ".bin", "node")}},
		"go": {"send.go", "pages/go", []string{"go", "run"}},
	} {
		t.Run(language, func(t *testing.T) {
			_, rest, found := strings.Cut(string(page), "\n```"+language+"\n")
			require.True(t, found)
			code, _, _ := strings.Cut(rest, "\n```\n")
			file := filepath.Join(t.TempDir(), run.file)
			require.NoError(t, os.WriteFile(file, []byte(code), 0o600))
			cmd := exec.CommandContext(t.Context(), run.command[0], append(run.command[1:], file)...)
			cmd.Env = append(os.Environ(), "LEVADA_URL="+platform.URL, "LEVADA_SECRET="+platform.Vault.Secrets["acme"]["cms-1"])
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Contains(t, string(out), `"docId":"`+run.docID+`"`)
			assert.Equal(t, 1, reader.document(run.docID).Generation)
		})
	}
}
