package nx_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// levada is the command of this checkout, built once.
var levada = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "levada-nx-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, "levada")
	if out, err := exec.Command("go", "build", "-o", program, "levada.dev/infra/cmd/levada").CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return program, nil
})

// realCheckout puts into folder what the generators read and write, of this checkout, and the command itself.
func realCheckout(t *testing.T, folder string) {
	t.Helper()
	root := filepath.Join("..", "..")
	for _, name := range []string{"tenants", "infra/stack", "infra/workers"} {
		require.NoError(t, os.CopyFS(filepath.Join(folder, name), os.DirFS(filepath.Join(root, name))))
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module levada.dev\n"), 0o644))
	program, err := levada()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "bin"), 0o755))
	require.NoError(t, os.Symlink(program, filepath.Join(folder, "bin", "levada")))
}

// tree are the files below a folder, by name.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"tenants", "infra"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(folder, name), func(file string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := os.ReadFile(file)
			rel, _ := filepath.Rel(folder, file)
			files[rel] = string(text)
			return err
		}))
	}
	return files
}

// TestGeneratorsWriteWhatTheCommandWrites, with the real command, in a checkout that is a folder of the workspace.
func TestGeneratorsWriteWhatTheCommandWrites(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, nil)
	ours, theirs := w.path("apps/levada"), t.TempDir()
	realCheckout(t, ours)
	realCheckout(t, theirs)
	code, out := w.nx("g", "@levada/nx:init", "--directory", "apps/levada")
	require.Zero(t, code, out)
	for _, test := range []struct{ nx, command, writes string }{
		{"tenant initech --name Initech --pool shared --host a.localhost,b.localhost --usd-per-month 100",
			"tenant initech --name Initech --pool shared --host a.localhost --host b.localhost --usd-per-month 100",
			"CREATE apps/levada/tenants/initech/tenant.config.json"},
		{"worker reports --handler queue", "worker reports --handler queue", "CREATE apps/levada/infra/workers/reports/main_js.go"},
		{"binding REPORTS --worker=api --kind=r2", "binding REPORTS --worker api --kind r2", "UPDATE apps/levada/infra/stack/levada.go"},
	} {
		t.Run(test.nx, func(t *testing.T) {
			before := tree(t, ours)
			name, more, _ := strings.Cut(test.nx, " ")
			args := append([]string{"g", "@levada/nx:" + name}, strings.Fields(more)...)

			code, out := w.nx(append(args, "--dry-run")...)
			require.Zero(t, code, out)
			assert.Contains(t, out, test.writes)
			assert.Equal(t, before, tree(t, ours), "a dry run writes nothing")

			code, out = w.nx(args...)
			require.Zero(t, code, out)
			assert.Contains(t, out, test.writes)
			cmd := exec.CommandContext(t.Context(), filepath.Join(theirs, "bin", "levada"), append([]string{"new"}, strings.Fields(test.command)...)...)
			cmd.Dir = theirs
			text, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", text)
			assert.Equal(t, tree(t, theirs), tree(t, ours))
			assert.NotEqual(t, before, tree(t, ours))

			code, out = w.nx(args...)
			require.Zero(t, code, out)
			assert.Contains(t, out, "is there already: nothing to write")
		})
	}
	code, out = w.nx("show", "projects")
	require.Zero(t, code, out)
	assert.Contains(t, out, "tenant-initech")
}

// TestWhatTheCommandRefusesIsNotWritten: the problem is the command's own, with its file and its hint.
func TestWhatTheCommandRefusesIsNotWritten(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, nil)
	realCheckout(t, w.dir)
	code, out := w.nx("g", "@levada/nx:init")
	require.Zero(t, code, out)
	before := tree(t, w.dir)
	for args, says := range map[string]string{
		"tenant Initech":                    "is not a tenant id",
		"tenant acme --name Another":        "was edited since it was made",
		"tenant initech --nmae Initech":     "'nmae' is not found in schema",
		"tenant":                            "Required property 'id' is missing",
		"binding REPORTS --kind r2":         "Required property 'worker' is missing",
		"binding X --worker api --kind tap": "levada exited with 1",
		"worker api --root ..":              "is outside of the workspace",
		"worker api --root tenants":         "bin/levada is not there",
	} {
		t.Run(args, func(t *testing.T) {
			name, more, _ := strings.Cut(args, " ")
			code, out := w.nx(append([]string{"g", "@levada/nx:" + name}, strings.Fields(more)...)...)
			assert.Equal(t, 1, code)
			assert.Contains(t, out, says)
			assert.Equal(t, before, tree(t, w.dir))
		})
	}
}

// TestAPlanIsDoneInNxsTree with a plan of the fake's, which has all that a plan can have.
func TestAPlanIsDoneInNxsTree(t *testing.T) {
	t.Parallel()
	w := initialised(t)
	code, out := w.nx("run", "levada:cli")
	require.Zero(t, code, out)
	w.write("infra/kept.go", "package kept\n")
	w.write("infra/table.go", "package table\n")
	w.env = append(w.env, fakePrints+`={"what":"worker digest","files":[
		{"path":"infra/digest/main_js.go","action":"make","text":"package main // <&> é\n"},
		{"path":"infra/digest/empty","action":"make"},
		{"path":"infra/kept.go","action":"keep"},
		{"path":"infra/table.go","action":"edit","text":"package table // digest\n"}],"notes":["next: go test"]}`)
	_ = w.levada()

	code, out = w.nx("g", "@levada/nx:worker", "digest", "--handler", "queue", "--force")
	require.Zero(t, code, out)
	calls := w.levada()
	require.Len(t, calls, 1)
	assert.Equal(t, "new worker --dry-run --json --force --handler=queue -- digest", strings.Join(calls[0].Args, " "))
	for _, line := range []string{"CREATE infra/digest/main_js.go", "CREATE infra/digest/empty", "UPDATE infra/table.go", "next: go test"} {
		assert.Contains(t, out, line)
	}
	assert.NotContains(t, out, "kept.go")
	assert.Equal(t, []string{"package main // <&> é\n", "", "package table // digest\n"},
		[]string{w.read("infra/digest/main_js.go"), w.read("infra/digest/empty"), w.read("infra/table.go")})
}

// TestRealCommandThroughAnExecutor: its own words, and its own refusal.
func TestTheRealCommandThroughAnExecutor(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, nil)
	realCheckout(t, w.dir)
	code, out := w.nx("g", "@levada/nx:init")
	require.Zero(t, code, out)
	code, out = w.nx("run", "levada:dev", "--root", "/", "--excludeTaskDependencies")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "levada: --root /: no checkout of levada.dev")
	assert.Contains(t, out, "levada exited with 2")
}
