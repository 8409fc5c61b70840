package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"levada.dev/infra/build"
	"levada.dev/infra/glue"
	"levada.dev/infra/stack"
)

// contender is one way to serve the benchmark's route.
type contender struct {
	name  string
	flags []string
	// make leaves the Worker's modules in dir, worker.mjs the first of them.
	make func(ctx context.Context, root, dir string) error
}

// The contenders, the one that the others are held against first.
var contenders = []contender{
	{"this runtime", glue.CompatibilityFlags(), makeShared},
	{"stock syumai glue", nil, makeStock},
	{"TypeScript (Hono)", nil, makeHono},
}

// makeShared builds the route on this project's runtime, as the platform builds its roles.
func makeShared(ctx context.Context, root, dir string) error {
	const role = "shared"
	_, err := build.Roles(ctx, build.Options{Root: root, Out: filepath.Dir(dir), Stack: stack.Stack{Workers: []stack.Worker{
		{Role: role, Package: "infra/bench/shared", MemoryMiB: 96},
	}}})
	if err != nil {
		return err
	}
	return os.Rename(filepath.Join(filepath.Dir(dir), role), dir)
}

// makeStock builds the route as the documentation of syumai/workers says.
func makeStock(ctx context.Context, root, dir string) error {
	if err := goRun(ctx, root, nil, "run", "github.com/syumai/workers/cmd/workers-assets-gen", "-mode=go", "-o", dir); err != nil {
		return err
	}
	wasm := filepath.Join(dir, "app.wasm")
	return goRun(ctx, root, []string{"GOOS=js", "GOARCH=wasm"}, "build", "-trimpath", "-ldflags=-s -w", "-o", wasm, "./infra/bench/stock")
}

// makeHono bundles the TypeScript Worker.
func makeHono(ctx context.Context, root, dir string) error {
	return bundle(ctx, root, "infra/bench/hono/worker.ts", dir)
}

// bundle makes a Worker in TypeScript the module worker.mjs in dir.
func bundle(ctx context.Context, root, source, dir string) error {
	esbuild := filepath.Join(root, "node_modules", ".bin", "esbuild")
	return command(ctx, root, nil, esbuild, source, "--bundle", "--format=esm", "--minify", "--log-level=warning",
		"--outfile="+filepath.Join(dir, "worker.mjs"))
}

func goRun(ctx context.Context, root string, env []string, args ...string) error {
	return command(ctx, root, env, "go", args...)
}

func command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	return nil
}

// start makes a contender's Worker and serves it.
func (c contender) start(ctx context.Context, root, dir string) (*Workerd, error) {
	if err := c.make(ctx, root, dir); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	w, err := startWorkerd(ctx, root, dir, nil, c.flags...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return w, nil
}
