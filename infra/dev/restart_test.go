package dev_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
)

func decode(t *testing.T, text string, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), v), "%s", text)
}

// What was stored, queued and asleep when the platform ended goes on with the next one, however it ended.
func TestRestart(t *testing.T) {
	for name, end := range map[string]func(*dev.Platform) error{
		"stopped": (*dev.Platform).Stop,
		"killed":  (*dev.Platform).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := newState(t)
			p := start(t, options(t, state))
			call(t, p, http.MethodPost, "/notes", "stored")
			require.NoError(t, p.KV(front, "CONFIG").Put(t.Context(), "k", []byte("v")))
			call(t, p, http.MethodPost, "/runs/done", "1s")
			hasNote(t, p, "run done after")
			call(t, p, http.MethodPost, "/runs/asleep", "4s")
			hasNote(t, p, "run asleep before")
			require.NoError(t, p.Queue("jobs").Disturb(t.Context(), dev.Faults{Pause: true}))
			call(t, p, http.MethodPost, "/jobs", "queued")
			require.NoError(t, end(p))

			p = start(t, options(t, state))
			hasNote(t, p, "stored")
			hasNote(t, p, "jobs: queued")
			hasNote(t, p, "run asleep after")
			value, _, err := p.KV(front, "CONFIG").Get(t.Context(), "k")
			require.NoError(t, err)
			assert.Equal(t, "v", string(value))
			assert.Equal(t, 1, count(notes(t, p), "run asleep before"), "a finished step does not run again")
			assert.Equal(t, 1, count(notes(t, p), "run done after"), "a finished run does not run again")
		})
	}
}

func count(lines []string, line string) (n int) {
	for _, l := range lines {
		if l == line {
			n++
		}
	}
	return n
}

// A crash of workerd alone is over when Miniflare has started it again: queue and Workflow go on.
func TestWorkerdCrash(t *testing.T) {
	t.Parallel()
	p := start(t, options(t, newState(t)))
	call(t, p, http.MethodPost, "/runs/asleep", "3s")
	hasNote(t, p, "run asleep before")
	require.NoError(t, p.Queue("jobs").Disturb(t.Context(), dev.Faults{Pause: true}))
	call(t, p, http.MethodPost, "/jobs", "queued")

	killWorkerd(t, p)
	require.Eventually(t, func() bool {
		code, _, err := try(t.Context(), p, http.MethodGet, "/notes", "")
		return err == nil && code == http.StatusOK
	}, 30*time.Second, 50*time.Millisecond, "workerd does not come back")
	hasNote(t, p, "jobs: queued")
	hasNote(t, p, "run asleep after")
}

// A crash of workerd while the platform is being filled delays the start and does not end it.
func TestWorkerdCrashWhileSeeding(t *testing.T) {
	t.Parallel()
	o := options(t, newState(t))
	o.Seed = func(ctx context.Context, p *dev.Platform) error {
		kv := p.KV(front, "CONFIG")
		for _, key := range []string{"a", "b", "c"} {
			killWorkerd(t, p)
			if err := kv.Put(ctx, key, []byte("seeded")); err != nil {
				return err
			}
		}
		return nil
	}
	p := start(t, o)
	keys, err := p.KV(front, "CONFIG").Keys(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, keys)
	assert.Equal(t, "[]", call(t, p, http.MethodGet, "/notes", ""))
}

// A platform whose workerd does not come back says that it has gone, where it would be there and not answer.
func TestWorkerdDoesNotComeBack(t *testing.T) {
	t.Parallel()
	state := newState(t)
	p := start(t, options(t, state))
	require.Eventually(t, func() bool {
		for _, pid := range children(t, p.PID()) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended since
		}
		select {
		case <-p.Gone():
			return true
		default:
			return false
		}
	}, 30*time.Second, 10*time.Millisecond, "the platform is still there")
	require.NoError(t, p.Stop())
	start(t, options(t, state))
}

// killWorkerd ends workerd as a crash would; Miniflare starts it again.
func killWorkerd(t *testing.T, p *dev.Platform) {
	t.Helper()
	for _, pid := range children(t, p.PID()) {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
}

// A platform whose Node was killed takes workerd with it, and says that it has gone.
func TestNodeIsKilled(t *testing.T) {
	t.Parallel()
	state := newState(t)
	p := start(t, options(t, state))
	workerd := children(t, p.PID())
	require.NotEmpty(t, workerd)
	require.NoError(t, syscall.Kill(p.PID(), syscall.SIGKILL))
	<-p.Gone()
	gone(t, workerd...)
	assert.ErrorContains(t, p.Queue("jobs").Disturb(t.Context(), dev.Faults{}), "has ended")
	require.NoError(t, p.Stop())
	start(t, options(t, state))
}

// Nothing outlives a parent that was killed, and the next one can have the state at once.
func TestParentIsKilled(t *testing.T) {
	t.Parallel()
	state := newState(t)
	parent, node := startParent(t, state)
	all := append(children(t, node), node)

	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait() // it was killed
	start(t, options(t, state))
	gone(t, all...)
}

// startParent starts a process that runs the fixture, and returns it and the platform's number.
func startParent(t *testing.T, state string) (parent *exec.Cmd, node int) {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	parent = exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+state, "LEVADA_DEV_TEST_BUILD="+built)
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	node, err = strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	return parent, node
}

// parentEnv makes the test binary a parent that starts a platform on the named state, says its number and waits.
const parentEnv = "LEVADA_DEV_TEST_STATE"

func runAsParent() {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	p, err := dev.Start(context.Background(), dev.Options{
		Root: root, State: os.Getenv(parentEnv), Build: os.Getenv("LEVADA_DEV_TEST_BUILD"), Stack: fixture(), Lexical: true,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(p.PID())
	select {}
}

// children are the processes that a process has started.
func children(t *testing.T, pid int) (pids []int) {
	t.Helper()
	out, err := exec.Command("ps", "-e", "-o", "pid=,ppid=").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		var child, parent int
		if _, err := fmt.Sscan(line, &child, &parent); err == nil && parent == pid {
			pids = append(pids, child)
		}
	}
	return pids
}

// gone waits until the processes have ended.
func gone(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		require.Eventually(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH }, 10*time.Second, 20*time.Millisecond,
			"process %d lives", pid)
	}
}
