package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"levada.dev/infra/stack"
)

// CompileError is what the go command said about a role it could not build.
type CompileError struct {
	Role stack.Role
	Text string
}

// Error is the role and the compiler's text, which has a line for each problem.
func (e *CompileError) Error() string {
	return fmt.Sprintf("%s does not compile:\n%s", e.Role, e.Text)
}

// compile returns the role's program as the linker made it. The file stays
// below the output folder, because the go command links nothing again while the
// file it would write is up to date.
func compile(ctx context.Context, o *Options, w stack.Worker) ([]byte, error) {
	linked, err := filepath.Abs(filepath.Join(o.Out, ".linked", string(w.Role)+".wasm"))
	if err != nil {
		return nil, err
	}
	// The commit is left out, or every commit would change every Worker.
	_, err = goCommand(ctx, o.Root, o.Environ, "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", linked, w.EntryPoint())
	var refused *exec.ExitError
	if errors.As(err, &refused) {
		return nil, &CompileError{Role: w.Role, Text: strings.TrimSpace(string(refused.Stderr))}
	}
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", w.Role, err)
	}
	return os.ReadFile(linked)
}

// Deps returns the folders of this module's packages that a role is compiled
// from: what to watch to know that it has to be built again. Source that does not
// compile is no obstacle, as the folders are wanted most while it is edited.
func Deps(ctx context.Context, root string, w stack.Worker) ([]string, error) {
	const ofThisModule = `{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}`
	out, err := goCommand(ctx, root, nil, "list", "-e", "-deps", "-f", ofThisModule, w.EntryPoint())
	if err != nil {
		return nil, fmt.Errorf("list what %s depends on: %w", w.Role, err)
	}
	dirs := strings.FieldsFunc(out, func(r rune) bool { return r == '\n' || r == '\r' })
	if len(dirs) == 0 {
		return nil, fmt.Errorf("list what %s depends on: %s holds no package", w.Role, w.EntryPoint())
	}
	return dirs, nil
}

// goCommand runs the go command for the Wasm target and returns what it printed.
// When the command itself fails, the error is an *exec.ExitError with all of
// what it said on stderr.
func goCommand(ctx context.Context, root string, environ []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = root, environ
	cmd.Env = append(cmd.Environ(), "GOOS=js", "GOARCH=wasm")
	// A compiler that go started may hold the pipe after go was ended.
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		failed.Stderr = stderr.Bytes()
	}
	return stdout.String(), err
}
