package dev_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/dev/devtest"
	"levada.dev/infra/stack"
)

const (
	front stack.Role = "front"
	back  stack.Role = "back"
)

// fixture is a stack with one of each: a queue, a Durable Object, a Workflow, a namespace, a bucket and a dataset, in two Workers that are
// built from testdata/worker.
func fixture() stack.Stack {
	worker := func(role stack.Role, bindings ...stack.Binding) stack.Worker {
		return stack.Worker{
			Role: role, Package: "infra/dev/testdata/worker", Public: role == front, MemoryMiB: 96, BudgetKiB: 4096,
			CompatibilityDate: stack.CompatibilityDate, CompatibilityFlags: []string{"nodejs_als", "enable_request_signal"},
			Bindings: append(bindings, stack.Binding{Name: "NOTES", Kind: stack.Class, Target: "Notes"}),
			Vars:     map[string]string{"NAME": string(role)},
		}
	}
	return stack.Stack{
		Pool: "fixture",
		Workers: []stack.Worker{
			worker(front,
				stack.Binding{Name: "JOBS", Kind: stack.Producer, Target: "jobs"},
				stack.Binding{Name: "PAUSE", Kind: stack.Flow, Target: "pause"},
				stack.Binding{Name: "CONFIG", Kind: stack.KV, Target: "config"},
				stack.Binding{Name: "FILES", Kind: stack.R2, Target: "files"},
				stack.Binding{Name: "COUNTS", Kind: stack.Analytics, Target: "counts"}),
			worker(back),
		},
		Queues: []stack.Queue{
			{Name: "jobs", Consumer: back, MaxBatchSize: 10, MaxWaitTime: 5 * time.Second, MaxRetries: 1, DeadLetter: "jobs-dlq"},
			{Name: "jobs-dlq"},
		},
		Objects:    []stack.Object{{Class: "Notes", Role: back}},
		Workflows:  []stack.Workflow{{Name: "pause", Class: "Pause", Role: back}},
		Namespaces: []stack.Namespace{{Name: "config"}},
		Buckets:    []stack.Bucket{{Name: "files"}},
	}
}

// built is where the fixture's Workers are kept between the tests of a run.
var built string

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) != "" {
		runAsParent()
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp(devtest.Memory(), "levada-dev-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	built = filepath.Join(dir, "build")
	return m.Run()
}

// newState is a state folder for one test.
func newState(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(devtest.Memory(), "levada-dev-state-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func options(t *testing.T, state string) dev.Options {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	return dev.Options{Root: root, State: state, Build: built, Stack: fixture(), Lexical: true, Logs: logs{t}}
}

// logs shows what the Workers log when the test fails.
type logs struct{ testing.TB }

func (l logs) Write(p []byte) (int, error) {
	if l.Context().Err() == nil { // the platform outlives the test function by its cleanup
		l.Logf("%s", strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

// building is held while a platform starts: one build at a time may use a folder.
var building sync.Mutex

// start runs the fixture until the test ends.
func start(t *testing.T, o dev.Options) *dev.Platform {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	p, err := dev.Start(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	return p
}

// call makes a request and returns what the fixture answered.
func call(t *testing.T, p *dev.Platform, method, path, body string) string {
	t.Helper()
	status, answer, err := try(t.Context(), p, method, path, body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%s", answer)
	return strings.TrimSpace(answer)
}

func try(ctx context.Context, p *dev.Platform, method, path, body string) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, p.URL+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

// notes are the lines that the fixture's object has.
func notes(t *testing.T, p *dev.Platform) (lines []string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(call(t, p, http.MethodGet, "/notes", "")), &lines))
	return lines
}

// hasNote waits for a line.
func hasNote(t *testing.T, p *dev.Platform, line string) {
	t.Helper()
	var last []string
	require.Eventually(t, func() bool {
		last = notes(t, p)
		for _, l := range last {
			if l == line {
				return true
			}
		}
		return false
	}, 30*time.Second, 20*time.Millisecond, "no note %q", line)
}
