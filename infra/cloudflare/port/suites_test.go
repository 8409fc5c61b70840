//go:build !js

package port_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/dev/devtest"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// names is every subtest of every suite. A suite that loses one fails, and so does one that has one more, so that the
// list stays complete.
const names = "testdata/suites.txt"

// TestSuitesOnRealBindings runs the suites of the ports in a Worker on real workerd and reports what came of each
// subtest under its name. LEVADA_UPDATE=1 writes the list of names anew.
func TestSuitesOnRealBindings(t *testing.T) {
	want := map[string][]string{}
	list, err := os.ReadFile(names)
	require.NoError(t, err)
	for line := range strings.Lines(string(list)) {
		suite, _, _ := strings.Cut(line, "/")
		want[suite] = append(want[suite], strings.TrimSpace(line))
	}
	w := start(t)
	var all []string
	for _, suite := range []string{"TestLedger", "TestWitness", "TestCatalogue", "TestImports", "TestSpaces", "TestSessions", "TestShelf", "TestBox", "TestOutboxOfLetters", "TestUnread", "TestCalls", "TestRunner", "TestDesk", "TestTended", "TestMeters", "TestRules", "TestAnalytics", "TestSounds", "TestTexts", "TestVectors", "TestLexicon", "TestLexiconOfShards", "TestHalves", "TestFilters", "TestEmbedder", "TestReranker", "TestSynthesizer", "TestModelClassic", "TestModelOpenAI", "TestClaims", "TestPublisher", "TestTrail", "TestRows", "TestCache", "TestQuota", "TestRuns", "TestParts", "TestFiles", "TestDirectory", "TestSweptObjects", "TestSweptCache", "TestSweptVectors", "TestSweptPassages", "TestSweptLetters", "TestSweptCalls", "TestSweptSpeech", "TestSweptMeters"} {
		t.Run(suite, func(t *testing.T) {
			r := w.run(t, suite)
			all = append(all, r.names...)
			for _, name := range r.names {
				t.Run(strings.TrimPrefix(name, suite+"/"), func(t *testing.T) { assert.Equal(t, "PASS", r.verdicts[name]) })
			}
			assert.True(t, r.passed)
			if t.Failed() {
				t.Log(r.output)
			}
			if os.Getenv("LEVADA_UPDATE") == "" {
				assert.Equal(t, want[suite], r.names, "LEVADA_UPDATE=1 writes %s anew", names)
			}
		})
	}
	t.Run("the gateway's log", w.gatewayLog)
	if os.Getenv("LEVADA_UPDATE") != "" {
		require.NoError(t, os.WriteFile(names, []byte(strings.Join(all, "\n")+"\n"), 0o644))
	}
}

// worker is the running Worker of the suites.
type worker struct {
	url     string
	log     *log
	gateway string // where its log is
}

// result is what came of a suite.
type result struct {
	passed   bool
	names    []string          // of the subtests, sorted
	verdicts map[string]string // PASS, FAIL or SKIP
	output   string
}

// verdict is a line in which testing says what came of a subtest.
var verdict = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): (\S+/\S+) \(`)

func (w *worker) run(t *testing.T, suite string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // for a suite that hangs
	defer cancel()
	w.log.reset()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/"+suite, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err, "%s", w.log)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s\n%s", body, w.log)
	require.Eventually(t, func() bool { return strings.Contains(w.log.String(), "END "+suite+"\n") }, time.Minute, 5*time.Millisecond,
		"the log is incomplete")
	r := result{passed: string(body) == "true", verdicts: map[string]string{}, output: w.log.String()}
	for _, m := range verdict.FindAllStringSubmatch(r.output, -1) {
		r.names = append(r.names, m[2])
		r.verdicts[m[2]] = m[1]
	}
	slices.Sort(r.names)
	return r
}

func start(t *testing.T) *worker {
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	require.NoError(t, err)
	w := &worker{log: &log{}}
	p, err := dev.Start(t.Context(), dev.Options{Root: root, State: devtest.Dir(t), Stack: suiteStack(t), Logs: w.log})
	require.NoError(t, err, "%s", w.log)
	t.Cleanup(func() { assert.NoError(t, p.Stop()) })
	w.url, w.gateway = p.URL, p.GatewayURL()
	return w
}

// suiteStack is the stack with one Worker beside the objects, which has all bindings and consumes all queues.
func suiteStack(t *testing.T) stack.Stack {
	s := stack.Levada(stack.Pool{Name: "suite", Filterable: map[string]tenants.FieldType{"year": tenants.FieldNumber}})
	objects, ok := s.Worker(stack.Objects)
	require.True(t, ok)
	suite, ok := s.Worker(stack.Consumers)
	require.True(t, ok)
	suite.Role, suite.Package, suite.Public = "suite", "infra/cloudflare/port/suite", true
	ofConsumers := slices.DeleteFunc(slices.Clone(suite.Bindings), func(b stack.Binding) bool { return b.Kind == stack.Flow }) // their Workflows are not here
	suite.Bindings = append(ofConsumers, stack.Binding{Name: "CACHE", Kind: stack.KV, Target: "cache"},
		stack.Binding{Name: "SESSION", Kind: stack.Class, Target: "Session"}, stack.Binding{Name: "SHELF", Kind: stack.Class, Target: "Shelf"}, stack.Binding{Name: "CALLS", Kind: stack.Class, Target: "Calls"},
		stack.Binding{Name: stack.AnalyticsBinding, Kind: stack.Analytics, Target: "suite"},
		stack.Binding{Name: "SUITE", Kind: stack.Class, Target: "Suite"}, stack.Binding{Name: "PROBE", Kind: stack.Flow, Target: "probe"})
	suite.MemoryMiB = 120 // all suites, one after the other, in one instance; none answers a request beside another
	s.Workflows = []stack.Workflow{{Name: "probe", Class: "Probe", Role: suite.Role}}
	s.Objects = append(slices.Clone(s.Objects), stack.Object{Class: "Suite", Role: suite.Role})
	s.Workers = []stack.Worker{suite, objects}
	for i := range s.Queues {
		s.Queues[i].Consumer, s.Queues[i].MaxWaitTime = "suite", 0
	}
	for i := range s.Indexes {
		s.Indexes[i].Metadata = append(slices.Clone(s.Indexes[i].Metadata), stack.Property{Name: "generation", Type: "number"})
	}
	return s
}

// log is what the Workers have logged.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *log) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Reset()
}
