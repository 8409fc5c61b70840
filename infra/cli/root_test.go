package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// levada runs a command line and returns the exit code and what was printed.
func levada(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Execute(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestExitCodes(t *testing.T) {
	empty := t.TempDir()
	for _, test := range []struct {
		name   string
		args   []string
		code   int
		stderr string // a part of it; empty means nothing at all
	}{
		{"no command shows the help", nil, exitOK, ""},
		{"help", []string{"build", "--help"}, exitOK, ""},
		{"unknown command", []string{"biuld"}, exitUsage, `unknown command "biuld"`},
		{"unknown flag", []string{"version", "--nope"}, exitUsage, "unknown flag: --nope"},
		{"too many arguments", []string{"version", "now"}, exitUsage, `unknown command "now"`},
		{"no checkout", []string{"build", "--root", empty}, exitUsage, "no checkout of levada.dev"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := levada(t, test.args...)
			assert.Equal(t, test.code, code, stderr)
			if test.stderr == "" {
				assert.Empty(t, stderr)
				assert.Contains(t, stdout, "Usage:")
				return
			}
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, "levada: ")
			assert.Contains(t, stderr, test.stderr)
		})
	}
}

func TestFolderIsFoundUpwards(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	deep := filepath.Join(top, "a", "b")
	require.NoError(t, os.MkdirAll(deep, 0o755))
	module := func(dir, path string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module "+path+"\n"), 0o644))
	}
	t.Chdir(deep)

	var g globals
	module(top, "levada.dev/other")
	_, err = g.folder()
	assert.ErrorContains(t, err, "use --root")

	module(top, "levada.dev")
	got, err := g.folder()
	require.NoError(t, err)
	assert.Equal(t, top, got)

	g.root = deep
	_, err = g.folder()
	assert.ErrorContains(t, err, "no checkout", "a folder that was given is not searched around")
}

func TestVersion(t *testing.T) {
	code, stdout, stderr := levada(t, "version")
	assert.Equal(t, exitOK, code, stderr)
	assert.Regexp(t, `^levada \S.*, go1\.\S+, \w+/\w+\n$`, stdout)

	code, stdout, stderr = levada(t, "version", "--json")
	assert.Equal(t, exitOK, code, stderr)
	var v versionView
	require.NoError(t, json.Unmarshal([]byte(stdout), &v))
	assert.NotEmpty(t, v.Version)
	assert.NotEmpty(t, v.Go)
}
