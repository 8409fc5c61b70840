package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/stack"
	"levada.dev/infra/wasmcap"
)

// parallel is how many roles are built at a time: the compiler uses every core
// anyway, and two links need as much memory as a small machine has.
const parallel = 2

// Options says what to build.
type Options struct {
	// Root is the folder of the module, the one with go.mod.
	Root string

	// Out is where the folders of the roles are made. Two builds of the same at a
	// time may share it.
	Out string

	// Stack tells the classes and the memory of each role.
	Stack stack.Stack

	// Roles are those to build; nil means all of the stack.
	Roles []stack.Role

	// Environ is what the go command sees of the environment; nil is all of this
	// process's.
	Environ []string

	// Measure asks for the compressed sizes, most of a second for each role.
	Measure bool

	// Progress, when set, is told each step of each role: compile, assemble,
	// done. It is never called twice at the same time.
	Progress func(role, step string)
}

// Built is one role's folder.
type Built struct {
	Role stack.Role
	Dir  string

	// WasmBytes is the size of app.wasm, and Gzip its size after gzip -9, or 0
	// when it was not asked for.
	WasmBytes, Gzip int64

	// Changed tells that the folders differ from what they were before.
	Changed bool

	Took time.Duration
}

// Roles builds the roles and returns them in the order asked for. The first
// failure ends the build: a CompileError when the compiler refused the source.
// Roles that were done by then stay.
func Roles(ctx context.Context, o Options) ([]Built, error) {
	roles := o.Roles
	if roles == nil {
		for _, w := range o.Stack.Workers {
			roles = append(roles, w.Role)
		}
	}
	o.Progress = oneAtATime(o.Progress)
	wasmExec, err := readWasmExec(ctx, &o)
	if err != nil {
		return nil, err
	}
	built := make([]Built, len(roles))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, role := range roles {
		group.Go(func() (err error) {
			b, err := buildRole(ctx, &o, role, wasmExec)
			built[i] = b
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return built, nil
}

func buildRole(ctx context.Context, o *Options, role stack.Role, wasmExec []byte) (Built, error) {
	start := time.Now()
	worker, ok := o.Stack.Worker(role)
	if !ok {
		return Built{}, fmt.Errorf("the stack has no role %q", role)
	}
	o.Progress(string(role), "compile")
	wasm, err := compile(ctx, o, worker)
	if err != nil {
		return Built{}, err
	}
	wasm, err = wasmcap.Cap(wasm, worker.MemoryMiB)
	if err != nil {
		return Built{}, fmt.Errorf("cap the memory of %s: %w", role, err)
	}
	o.Progress(string(role), "assemble")
	b := Built{Role: role, Dir: filepath.Join(o.Out, string(role)), WasmBytes: int64(len(wasm))}
	b.Changed, err = assemble(b.Dir, entryModule(&o.Stack, role), wasmExec, wasm)
	if err != nil {
		return Built{}, fmt.Errorf("assemble %s: %w", role, err)
	}
	if worker.Assets != nil {
		changed, err := gather(o.Root, AssetsDir(o.Out, role), *worker.Assets)
		if err != nil {
			return Built{}, fmt.Errorf("gather the assets of %s: %w", role, err)
		}
		b.Changed = b.Changed || changed
	}
	if o.Measure {
		b.Gzip = gzipSize(wasm)
	}
	b.Took = time.Since(start)
	o.Progress(string(role), "done")
	return b, nil
}

func oneAtATime(progress func(role, step string)) func(role, step string) {
	if progress == nil {
		return func(string, string) {}
	}
	var mu sync.Mutex
	return func(role, step string) {
		mu.Lock()
		defer mu.Unlock()
		progress(role, step)
	}
}

// readWasmExec returns the JavaScript support file of the Go that compiles below
// root: it has to fit the compiler exactly.
func readWasmExec(ctx context.Context, o *Options) ([]byte, error) {
	goroot, err := goCommand(ctx, o.Root, o.Environ, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(strings.TrimSpace(goroot), "lib", "wasm", "wasm_exec.js"))
}
