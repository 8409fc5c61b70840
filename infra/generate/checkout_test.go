package generate_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/devtest"
	"levada.dev/infra/generate"
)

// module is this module's root.
var module = filepath.Join("..", "..")

// checkout is a copy of this module's tree, which generators may write to. What is installed in it is this one's.
func checkout(t *testing.T) string {
	t.Helper()
	root := devtest.Dir(t)
	require.NoError(t, filepath.WalkDir(module, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(module, file)
		if err != nil || rel == "." {
			return err
		}
		switch name := e.Name(); {
		case e.IsDir() && (name == "node_modules" || name == "bin" || name[0] == '.'):
			return fs.SkipDir
		case e.IsDir():
			return os.Mkdir(filepath.Join(root, rel), 0o755)
		case !e.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(root, rel), b, 0o644)
	}))
	installed, err := filepath.Abs(filepath.Join(module, "node_modules"))
	require.NoError(t, err)
	require.NoError(t, os.Symlink(installed, filepath.Join(root, "node_modules")))
	return root
}

// tenantsOnly is a checkout that has this one's tenants and nothing else.
func tenantsOnly(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(root, "tenants"), os.DirFS(filepath.Join(module, "tenants"))))
	return root
}

// do writes what a generator plans, and what is there then is what it plans again.
func do(t *testing.T, root string, plan func(generate.Options) (*generate.Plan, error)) *generate.Plan {
	t.Helper()
	p, err := plan(generate.Options{Root: root})
	require.NoError(t, err)
	require.NotEmpty(t, p.Changed(), p.What)
	require.NoError(t, p.Apply(root))
	again, err := plan(generate.Options{Root: root})
	require.NoError(t, err)
	require.Empty(t, again.Changed(), "%s, the second time", p.What)
	require.Empty(t, again.Diff())
	return p
}

// goes runs the go command in a checkout. What it compiles does not depend on where that is, so most of it is in the cache.
func goes(t *testing.T, root, target string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath", "GOWORK=off")
	if goos, goarch, cross := strings.Cut(target, "/"); cross {
		cmd.Env = append(cmd.Env, "GOOS="+goos, "GOARCH="+goarch)
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "go %s\n%s", strings.Join(args, " "), out)
}
