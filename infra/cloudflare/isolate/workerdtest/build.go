//go:build unix

package workerdtest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"levada.dev/infra/glue"
	"levada.dev/infra/wasmcap"
)

// Root returns the folder of the module, found with the go command.
var Root = sync.OnceValue(func() string {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		panic(err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
})

// tool returns the path of something that npm installs, and fails the test without it.
func tool(t testing.TB, path ...string) string {
	t.Helper()
	p := filepath.Join(append([]string{Root(), "node_modules"}, path...)...)
	if _, err := os.Stat(p); err != nil {
		t.Fatalf("%s is missing: run `npm ci` in %s first", filepath.Join(path...), Root())
	}
	return p
}

// temp returns a folder that is removed with the test, in memory if possible.
func temp(t testing.TB) string {
	t.Helper()
	parent := ""
	if s, err := os.Stat("/dev/shm"); err == nil && s.IsDir() {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "workerdtest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

var built sync.Map // package -> func() ([]byte, error)

// build compiles the main package to a module, once for each process.
func build(t testing.TB, pkg string) []byte {
	t.Helper()
	f, _ := built.LoadOrStore(pkg, sync.OnceValues(func() ([]byte, error) { return compile(pkg) }))
	wasm, err := f.(func() ([]byte, error))()
	if err != nil {
		t.Fatalf("go build %s: %v", pkg, err)
	}
	return wasm
}

func compile(pkg string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "workerdtest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "app.wasm")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", bin, pkg)
	cmd.Dir = Root()
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, &buildError{string(out), err}
	}
	return os.ReadFile(bin)
}

type buildError struct {
	output string
	error
}

func (e *buildError) Error() string { return e.error.Error() + "\n" + e.output }

// layOut writes the modules of a Worker, and returns their names, the entry first.
func layOut(t testing.TB, dir string, w Worker) []string {
	t.Helper()
	write := func(name string, data []byte) {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("index.mjs", []byte(w.Entry))
	names := []string{"index.mjs"}
	if w.Main == "" {
		return names
	}
	wasm := build(t, w.Main)
	if w.MemoryMiB > 0 {
		capped, err := wasmcap.Cap(wasm, w.MemoryMiB)
		if err != nil {
			t.Fatal(err)
		}
		wasm = capped
	}
	write("glue/app.wasm", wasm)
	exec, err := os.ReadFile(filepath.Join(goroot(), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		t.Fatal(err)
	}
	write("glue/wasm_exec.js", exec)
	names = append(names, "glue/app.wasm", "glue/wasm_exec.js")
	files, err := fs.Glob(glue.Files, "*.mjs")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := glue.Files.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		write("glue/"+f, data)
		names = append(names, "glue/"+f)
	}
	return names
}

var goroot = sync.OnceValue(func() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(out))
})
