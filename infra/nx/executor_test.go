package nx_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// initialised is a workspace whose root is the checkout, after init.
func initialised(t *testing.T) *workspace {
	t.Helper()
	w := newWorkspace(t, checkout("."))
	code, out := w.nx("g", "@levada/nx:init")
	require.Zero(t, code, out)
	return w
}

func TestExecutorsPassWhatTheyAreGiven(t *testing.T) {
	t.Parallel()
	w := initialised(t)
	for _, test := range []struct {
		name string
		nx   string
		want string
	}{
		{"a development platform", "run levada:dev --port 0 --no-watch", "dev --port=0 --watch=false --with-parent"},
		{"everything of a deployment", "run levada:deploy --tenant acme --env prod --release v1.20 --only api --canary 0,10,50 --bake 2m --adopt" +
			" --allow-destroy one --allow-destroy two --concurrency 4 --wave 3 --fail-fast --json --dry-run",
			"deploy --adopt --allow-destroy=one --allow-destroy=two --bake=2m --canary=0,10,50 --concurrency=4" +
				" --dry-run --env=prod --fail-fast --json --only=api --release=v1.20 --wave=3 -- acme"},
		{"the tenant as an argument", "run levada:deploy acme --env dev", "deploy --env=dev -- acme"},
		{"an argument that begins like a flag", "run levada:deploy --tenant=-acme --env dev", "deploy --env=dev -- -acme"},
		{"a tenant's own project", "run tenant-globex:deploy --env=stage", "deploy --env=stage -- globex"},
		{"all of them", "run levada:deploy-all --env prod --concurrency 2 --wave 1,10", "deploy --all --concurrency=2 --env=prod --wave=1 --wave=10"},
		{"drift of all", "run levada:drift --all --env prod", "drift --all --env=prod"},
		{"nothing, which the command refuses", "run levada:deploy --env dev", "deploy --env=dev"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out := w.nx(strings.Fields(test.nx)...)
			require.Zero(t, code, out)
			calls := w.levada()
			require.Len(t, calls, 1, out)
			flags, argument, _ := strings.Cut(strings.Join(calls[0].Args, " "), " -- ")
			wanted, wantedArgument, _ := strings.Cut(test.want, " -- ")
			assert.ElementsMatch(t, strings.Fields(wanted), strings.Fields(flags))
			assert.Equal(t, wantedArgument, argument)
			assert.Equal(t, w.dir, calls[0].Dir, "commands run in the checkout")
		})
	}
}

// TestTestIsTheTask: levada has no command for them, and Taskfile.yml says what they are.
func TestTestIsTheTask(t *testing.T) {
	t.Parallel()
	w := initialised(t)
	code, out := w.nx("run", "levada:test", "--args=-run", "--args=TestSearch")
	require.Zero(t, code, out)
	assert.Equal(t, []call{{Program: "go", Args: strings.Fields("tool task test -- -run TestSearch"), Dir: w.dir}}, calls(t, w.record))
}

func TestTheProgramIsBuiltFirst(t *testing.T) {
	t.Parallel()
	w := initialised(t)
	code, out := w.nx("run", "levada:dev")
	require.Zero(t, code, out)
	all := calls(t, w.record)
	require.Len(t, all, 2)
	assert.Equal(t, strings.Fields("build -o bin/levada ./infra/cmd/levada"), all[0].Args)
	assert.Equal(t, "levada", all[1].Program)

	require.NoError(t, os.Remove(w.path("bin/levada")))
	code, out = w.nx("run", "levada:dev", "--excludeTaskDependencies")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "nx run levada:cli builds it")
}

func TestAnExitCodeIsAFailureAndIsSaid(t *testing.T) {
	t.Parallel()
	w := initialised(t)
	for _, target := range []string{"dev --port 0", "deploy --env prod", "deploy-all --env prod", "drift --env prod"} {
		t.Run(target, func(t *testing.T) {
			w := *w
			w.env = append(w.env[:len(w.env):len(w.env)], fakeExit+"=5")
			code, out := w.nx(append([]string{"run"}, strings.Fields("levada:"+target)...)...)
			assert.Equal(t, 1, code, "Nx has one code for a task that failed")
			assert.Contains(t, out, "levada exited with 5: it was refused")
		})
	}
}

// TestDriftOfEveryTenant has Nx run a target of many projects, of which the command fails.
func TestDriftOfEveryTenant(t *testing.T) {
	t.Parallel()
	w := initialised(t)
	w.env = append(w.env, fakeExit+"=2")
	code, out := w.nx("run-many", "-t", "drift", "-p", "tenant-*", "--env", "prod")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "levada exited with 2: changes are pending")
	var asked []string
	for _, c := range w.levada() {
		asked = append(asked, strings.Join(c.Args, " "))
	}
	assert.ElementsMatch(t, []string{"drift --env=prod -- acme", "drift --env=prod -- globex"}, asked)
}

func TestWhatIsNoOptionIsRefusedByNx(t *testing.T) {
	t.Parallel()
	w := initialised(t)
	for args, says := range map[string]string{
		"--reelase v1.20": "'reelase' is not found in schema",
		"--wave many":     "Property 'wave' does not match the schema",
		// Nx reads digits as a number. It would have been another release.
		"--release 1.20": "Property 'release' does not match the schema",
	} {
		t.Run(args, func(t *testing.T) {
			code, out := w.nx(append([]string{"run", "levada:deploy", "--env", "prod"}, strings.Fields(args)...)...)
			assert.Equal(t, 1, code)
			assert.Contains(t, out, says)
			assert.Empty(t, w.levada())
		})
	}
}

func TestWhatIsInterruptedIsToldOnceAndWaitedFor(t *testing.T) {
	t.Parallel()
	w := initialised(t)
	w.env = append(w.env, fakeWaits+"=1")
	for _, test := range []struct {
		name  string
		send  func(nx, executor int) error
		heard []string
		code  int
	}{
		{"nx is told to end", func(nx, _ int) error { return syscall.Kill(nx, syscall.SIGTERM) }, []string{"terminated"}, 130},
		{"Ctrl-C in a terminal", func(nx, _ int) error { return syscall.Kill(-nx, syscall.SIGINT) }, []string{"interrupt", "terminated"}, 130},
		{"the executor alone is interrupted", func(_, executor int) error { return syscall.Kill(executor, syscall.SIGINT) }, []string{"terminated"}, 1},
		{"the executor's terminal is closed", func(_, executor int) error { return syscall.Kill(executor, syscall.SIGHUP) }, []string{"terminated"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := w.command("run", "levada:deploy", "--env", "prod")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines, executor := bufio.NewScanner(stdout), 0
			for executor == 0 && lines.Scan() {
				_, _ = fmt.Sscanf(lines.Text(), "running for %d", &executor)
			}
			require.NotZero(t, executor, "levada did not start")
			require.NoError(t, test.send(cmd.Process.Pid, executor))
			_, err = io.Copy(io.Discard, stdout)
			require.NoError(t, err)
			_ = cmd.Wait()
			assert.Equal(t, test.code, cmd.ProcessState.ExitCode())
			calls := w.levada()
			require.Len(t, calls, 1)
			assert.Contains(t, test.heard, calls[0].Ended)
		})
	}
}
