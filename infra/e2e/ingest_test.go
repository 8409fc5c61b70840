package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/cli"
)

// levada runs a command line for the user.
func (u user) levada(args ...string) (code int, stdout, stderr string) {
	u.t.Helper()
	var out, errs bytes.Buffer
	code = cli.Execute(u.t.Context(), append(args, "--url", u.url, "--tenant", u.tenant, "--key", u.key), &out, &errs)
	return code, out.String(), errs.String()
}

func TestAFolderIsIngestedByTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"channels.md": "# Channels\n\nThe channel of the hermit carries water to seven terraces.", "walls/dry.txt": "A dry wall holds without mortar.",
		"page.html": "<title>Page</title><article><h1>Page</h1><p>The keeper of the sluice is paid in maize.</p></article>", "blank.md": " \n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	acme, globex := as(t, "acme"), as(t, "globex")
	ingest := []string{"ingest", "--wait", "--prefix", "cli/", "--exclude", "blank.md", dir}
	code, out, errs := acme.levada(ingest...)
	require.Equal(t, 0, code, errs)
	assert.Contains(t, out, "succeeded, 3 documents: 3 searchable, in ")
	code, out, errs = acme.levada(ingest...)
	require.Equal(t, 0, code, errs)
	assert.Contains(t, out, "3 searchable (3 unchanged)")

	f := acme.search("Who is paid in maize?", map[string]any{"filter": map[string]any{"docId": "cli/page.html"}})
	require.NotEmpty(t, f.Sources)
	assert.Equal(t, "Page", f.Sources[0].Title)

	code, _, errs = acme.levada("ingest", "--wait", "--prefix", "cli/", dir)
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "document_empty")
	assert.Contains(t, errs, "levada: 1 document failed")

	code, _, errs = globex.levada("documents", "show", "cli/page.html")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "document_not_found")
	code, out, errs = acme.levada("documents", "delete", "cli/page.html")
	require.Equal(t, 0, code, errs)
	assert.Contains(t, out, "erasure of cli/page.html: succeeded")
	assert.Empty(t, acme.search("Who is paid in maize?", map[string]any{"filter": map[string]any{"docId": "cli/page.html"}}).Sources)
}
