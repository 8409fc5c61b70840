package build_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/build"
	"levada.dev/infra/glue"
	"levada.dev/infra/stack"
)

// fixture is a module with two roles that share a package, as small as a Go
// program gets.
func fixture(t *testing.T) build.Options {
	t.Helper()
	root := t.TempDir()
	write(t, root, "go.mod", "module example.test\n\ngo 1.26.0\n")
	write(t, root, "shared/shared.go", "package shared\n\nfunc Say() { println(\"hello\") }\n")
	write(t, root, "alone/alone.go", "package alone\n\nconst Word = \"alone\"\n")
	write(t, root, "infra/workers/one/main_js.go", "package main\n\nimport \"example.test/shared\"\n\nfunc main() { shared.Say() }\n")
	write(t, root, "infra/workers/two/main_js.go",
		"package main\n\nimport (\n\t\"example.test/alone\"\n\t\"example.test/shared\"\n)\n\nfunc main() { shared.Say(); println(alone.Word) }\n")
	return build.Options{
		Root: root,
		Out:  filepath.Join(root, "out"),
		Stack: stack.Stack{
			Workers:   []stack.Worker{{Role: "one", MemoryMiB: 64}, {Role: "two", MemoryMiB: 64}},
			Objects:   []stack.Object{{Class: "Ledger", Role: "one"}, {Class: "Audit", Role: "one"}},
			Workflows: []stack.Workflow{{Name: "import", Class: "Import", Role: "one"}},
		},
	}
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func read(t *testing.T, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	require.NoError(t, err)
	return string(data)
}

func TestRoles(t *testing.T) {
	o := fixture(t)
	o.Measure = true
	var steps []string
	o.Progress = func(role, step string) { steps = append(steps, role+" "+step) }
	built, err := build.Roles(t.Context(), o)
	require.NoError(t, err)

	assert.ElementsMatch(t, steps, []string{"one compile", "one assemble", "one done", "two compile", "two assemble", "two done"})
	require.Len(t, built, 2)
	for i, role := range []stack.Role{"one", "two"} {
		b := built[i]
		assert.Equal(t, role, b.Role)
		assert.Equal(t, filepath.Join(o.Out, string(role)), b.Dir)
		assert.True(t, b.Changed)
		assert.Positive(t, b.Took)

		wasm := read(t, b.Dir, "glue", "app.wasm")
		assert.Equal(t, "\x00asm", wasm[:4])
		assert.EqualValues(t, len(wasm), b.WasmBytes)
		assert.True(t, 0 < b.Gzip && b.Gzip < b.WasmBytes, "gzip %d of %d", b.Gzip, b.WasmBytes)
	}
	assert.Equal(t, `// Generated from the table in infra/stack.
import { worker, object, workflow } from "./glue/index.mjs";
export const Ledger = object("Ledger");
export const Audit = object("Audit");
export const Import = workflow("Import");
export default worker();
`, read(t, o.Out, "one", "worker.mjs"))
	assert.Equal(t, `// Generated from the table in infra/stack.
import { worker } from "./glue/index.mjs";
export default worker();
`, read(t, o.Out, "two", "worker.mjs"))

	embedded, err := glue.Files.ReadDir(".")
	require.NoError(t, err)
	want := []string{"app.wasm", "wasm_exec.js"}
	for _, f := range embedded {
		want = append(want, f.Name())
	}
	assert.ElementsMatch(t, want, names(t, o.Out, "two", "glue"))
}

func names(t *testing.T, elem ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(elem...))
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// What a reload does depends on Changed: only the roles whose source changed have it.
func TestChangedTellsWhatToReload(t *testing.T) {
	o := fixture(t)
	assert.Equal(t, []stack.Role{"one", "two"}, changed(t, o))
	assert.Empty(t, changed(t, o))

	write(t, o.Root, "alone/alone.go", "package alone\n\nconst Word = \"other\"\n")
	assert.Equal(t, []stack.Role{"two"}, changed(t, o))

	write(t, o.Root, "out/one/glue/gone.mjs", "of an older build")
	assert.Equal(t, []stack.Role{"one"}, changed(t, o))
	assert.NotContains(t, names(t, o.Out, "one", "glue"), "gone.mjs")

	o.Stack.Objects = nil
	assert.Equal(t, []stack.Role{"one"}, changed(t, o))

	o.Stack.Workers[1].MemoryMiB = 65
	assert.Equal(t, []stack.Role{"two"}, changed(t, o))
	assert.Empty(t, changed(t, o))
}

func changed(t *testing.T, o build.Options) []stack.Role {
	t.Helper()
	built, err := build.Roles(t.Context(), o)
	require.NoError(t, err)
	var roles []stack.Role
	for _, b := range built {
		assert.Zero(t, b.Gzip, "it was not asked for")
		if b.Changed {
			roles = append(roles, b.Role)
		}
	}
	return roles
}

func TestRolesBuildsOnlyThoseAskedFor(t *testing.T) {
	o := fixture(t)
	o.Roles = []stack.Role{"two"}
	built, err := build.Roles(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, built, 1)
	assert.Equal(t, stack.Role("two"), built[0].Role)
	assert.NoDirExists(t, filepath.Join(o.Out, "one"))
}

func TestCompileErrorHasRoleAndText(t *testing.T) {
	o := fixture(t)
	before := changed(t, o)
	write(t, o.Root, "alone/alone.go", "package alone\n\nconst Word = alone\n")
	_, err := build.Roles(t.Context(), o)
	var refused *build.CompileError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, stack.Role("two"), refused.Role)
	assert.Contains(t, refused.Text, "undefined: alone")
	assert.Contains(t, refused.Text, filepath.Join("alone", "alone.go")+":3")
	assert.Contains(t, err.Error(), "two does not compile:\n")

	write(t, o.Root, "alone/alone.go", "package alone\n\nconst Word = \"alone\"\n")
	assert.Len(t, before, 2)
	assert.Empty(t, changed(t, o), "a build that failed leaves the last good one")
}

func TestRolesRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(*build.Options)
		want  string
	}{
		{"role outside the stack", func(o *build.Options) { o.Roles = []stack.Role{"three"} }, `no role "three"`},
		{"role without a folder", func(o *build.Options) { o.Stack.Workers[1].Role = "three" }, "three does not compile"},
		{"memory the module does not start with", func(o *build.Options) { o.Stack.Workers[1].MemoryMiB = 1 }, "cap the memory of two"},
		{"output that is a file", func(o *build.Options) { o.Out = filepath.Join(o.Root, "go.mod") }, "not a directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := fixture(t)
			test.spoil(&o)
			_, err := build.Roles(t.Context(), o)
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func TestRolesEndsWithItsContext(t *testing.T) {
	o := fixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(_, step string) { cancel() }
	_, err := build.Roles(ctx, o)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestDeps(t *testing.T) {
	o := fixture(t)
	below := func(names ...string) []string {
		for i, n := range names {
			names[i] = filepath.Join(o.Root, filepath.FromSlash(n))
		}
		slices.Sort(names)
		return names
	}
	for role, want := range map[stack.Role][]string{
		"one": below("infra/workers/one", "shared"),
		"two": below("infra/workers/two", "shared", "alone"),
	} {
		got, err := build.Deps(t.Context(), o.Root, stack.Worker{Role: role})
		require.NoError(t, err)
		slices.Sort(got)
		assert.Equal(t, want, got)
	}

	write(t, o.Root, "shared/shared.go", "package shared\n\nfunc Say() {\n")
	got, err := build.Deps(t.Context(), o.Root, stack.Worker{Role: "one"})
	require.NoError(t, err)
	assert.Contains(t, got, filepath.Join(o.Root, "shared"), "while it is being edited")

	_, err = build.Deps(t.Context(), o.Root, stack.Worker{Role: "three"})
	assert.Error(t, err)
}
