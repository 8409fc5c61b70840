package nx_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/devtest"
)

// node is the Node of the platform, for npm and everything of Nx.
var node = filepath.Join("..", "..", "node_modules", ".bin")

// packed is the plugin as npm would publish it, made once of the source that is here.
var packed = sync.OnceValues(func() (string, error) {
	if _, err := os.Stat("node_modules"); err != nil {
		return "", errors.New("the plugin's packages are not installed: go tool task setup:nx")
	}
	folder, err := os.MkdirTemp("", "levada-nx-")
	if err != nil {
		return "", err
	}
	for _, line := range [][]string{
		{"node", filepath.Join("node_modules", "typescript", "bin", "tsc")},
		{"npm", "pack", "--silent", "--pack-destination", folder},
	} {
		if out, err := program(context.Background(), line...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(line, " "), err, out)
		}
	}
	archives, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return "", fmt.Errorf("npm pack made %d archives: %w", len(archives), err)
	}
	return archives[0], nil
})

// program is a command with the platform's Node, and with nothing that reports, asks or stays behind.
func program(ctx context.Context, line ...string) *exec.Cmd {
	path, err := filepath.Abs(node)
	if err != nil {
		panic(err) // no working directory
	}
	env := append(os.Environ(), "PATH="+path+string(os.PathListSeparator)+os.Getenv("PATH"),
		"CI=true", "NX_DAEMON=false", "NX_NO_CLOUD=true", "NX_TUI=false", "NO_COLOR=1", "NX_ISOLATE_PLUGINS=false", "npm_config_offline=true")
	name := line[0]
	if name == "node" {
		name = filepath.Join(path, name)
	}
	cmd := exec.CommandContext(ctx, name, line[1:]...)
	cmd.Env = env
	return cmd
}

// workspace is an Nx workspace that is a checkout of Levada, or has one.
type workspace struct {
	t      *testing.T
	dir    string
	record string // of the fakes
	env    []string
}

// newWorkspace makes a workspace with the plugin installed, and Nx and the rest linked. Its levada and go are fakes.
func newWorkspace(t *testing.T, files map[string]string) *workspace {
	t.Helper()
	return workspaceIn(t, devtest.Dir(t), files)
}

// workspaceIn makes a folder such a workspace.
func workspaceIn(t *testing.T, dir string, files map[string]string) *workspace {
	t.Helper()
	archive, err := packed()
	require.NoError(t, err)
	w := &workspace{t: t, dir: dir, record: filepath.Join(dir, ".record")}
	require.NoError(t, os.MkdirAll(w.path("node_modules/@levada"), 0o755))
	out, err := exec.CommandContext(t.Context(), "tar", "-xzf", archive, "-C", w.path("node_modules/@levada")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Rename(w.path("node_modules/@levada/package"), w.path("node_modules/@levada/nx")))
	w.link("node_modules")
	w.write("nx.json", "{}\n")
	w.write("package.json", `{"name": "ours", "private": true}`)
	for name, text := range files {
		w.write(name, text)
	}
	self, err := os.Executable()
	require.NoError(t, err)
	fakes := t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(fakes, "go")))
	path, err := filepath.Abs(node)
	require.NoError(t, err)
	w.env = []string{fakeRecord + "=" + w.record, "HOME=" + t.TempDir(), "PATH=" + strings.Join([]string{fakes, path, os.Getenv("PATH")}, string(os.PathListSeparator))}
	return w
}

// checkout are the files by which a folder is known as a checkout with two tenants.
func checkout(folder string) map[string]string {
	return map[string]string{
		filepath.Join(folder, "go.mod"):                            "module levada.dev\n\ngo 1.26.0\n",
		filepath.Join(folder, "tenants/acme/tenant.config.json"):   `{"$schema": "../tenant.schema.json", "id": "acme", "name": "Acme"}`,
		filepath.Join(folder, "tenants/globex/tenant.config.json"): `{"$schema": "../tenant.schema.json", "id": "globex", "name": "Globex"}`,
		filepath.Join(folder, "bin/.keep"):                         "",
	}
}

// link has the workspace use the packages that are installed here.
func (w *workspace) link(folder string) {
	w.t.Helper()
	installed, err := filepath.Abs(folder)
	require.NoError(w.t, err)
	entries, err := os.ReadDir(installed)
	require.NoError(w.t, err)
	for _, e := range entries {
		err := os.Symlink(filepath.Join(installed, e.Name()), w.path("node_modules/"+e.Name()))
		if !errors.Is(err, fs.ErrExist) {
			require.NoError(w.t, err)
		}
	}
}

func (w *workspace) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

func (w *workspace) write(name, text string) {
	w.t.Helper()
	require.NoError(w.t, os.MkdirAll(filepath.Dir(w.path(name)), 0o755))
	require.NoError(w.t, os.WriteFile(w.path(name), []byte(text), 0o644))
}

func (w *workspace) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(w.path(name))
	require.NoError(w.t, err)
	return string(text)
}

// command is nx with arguments.
func (w *workspace) command(args ...string) *exec.Cmd {
	cmd := program(w.t.Context(), append([]string{"node", w.path("node_modules/nx/dist/bin/nx.js")}, args...)...)
	cmd.Dir = w.dir
	cmd.Env = append(cmd.Env, w.env...)
	return cmd
}

// nx runs nx, and returns its exit code and all it printed.
func (w *workspace) nx(args ...string) (code int, out string) {
	w.t.Helper()
	text, err := w.command(args...).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(w.t, err, "%s", text)
		return 0, string(text)
	}
	return exit.ExitCode(), string(text)
}

// levada are the calls of levada since the last time.
func (w *workspace) levada() (of []call) {
	w.t.Helper()
	for _, c := range calls(w.t, w.record) {
		if c.Program == "levada" {
			of = append(of, c)
		}
	}
	if err := os.Remove(w.record); !errors.Is(err, fs.ErrNotExist) {
		require.NoError(w.t, err)
	}
	return of
}
