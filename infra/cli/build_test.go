package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
)

// tiny are the options to build two roles that do nothing; their size is far
// below 1 MiB and far above 1 KiB.
func tiny(t *testing.T) (o *buildOptions, stdout *bytes.Buffer) {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                        "module example.test\n\ngo 1.26.0\n",
		"infra/workers/slim/main_js.go": "package main\n\nfunc main() {}\n",
		"infra/workers/fat/main_js.go":  "package main\n\nfunc main() {}\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	stdout = new(bytes.Buffer)
	return &buildOptions{
		Root: root, Out: filepath.Join(root, "out"), Stdout: stdout, Stderr: t.Output(),
		Stack: stack.Stack{Workers: []stack.Worker{
			{Role: "slim", MemoryMiB: 64, BudgetKiB: 1024},
			{Role: "fat", MemoryMiB: 64, BudgetKiB: 1},
		}},
	}, stdout
}

func TestBuildReportsWhoIsOverBudget(t *testing.T) {
	o, stdout := tiny(t)
	assert.EqualError(t, o.run(t.Context()), "over the size budget: fat")
	assert.Regexp(t, `slim .* 1024 │ +\d\d?%`, stdout.String())
	assert.Regexp(t, `fat .* 1 │ +\d{4,}%`, stdout.String())

	stdout.Reset()
	o.Stack.Workers[1].BudgetKiB = 1024
	assert.NoError(t, o.run(t.Context()))
}

func TestBuildPrintsJSON(t *testing.T) {
	o, stdout := tiny(t)
	o.JSON = true
	assert.Error(t, o.run(t.Context()))
	var rows []map[string]any
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &rows))
	require.Len(t, rows, 2)
	slim, fat := rows[0], rows[1]
	assert.Equal(t, "slim", slim["role"])
	assert.Equal(t, filepath.Join(o.Out, "slim"), slim["dir"])
	assert.Equal(t, 1024.0*1024, slim["budget_bytes"])
	assert.Equal(t, false, slim["over_budget"])
	assert.Greater(t, slim["raw_bytes"], slim["gzip_bytes"])
	assert.Equal(t, true, fat["over_budget"])
	assert.Greater(t, fat["gzip_bytes"], fat["budget_bytes"])
}

func TestBuildFailsWithTheCompiler(t *testing.T) {
	o, stdout := tiny(t)
	main := filepath.Join(o.Root, "infra", "workers", "fat", "main_js.go")
	require.NoError(t, os.WriteFile(main, []byte("package main\n\nfunc main() { nothing() }\n"), 0o644))
	assert.ErrorContains(t, o.run(t.Context()), "undefined: nothing")
	assert.Empty(t, stdout)
}
