package flowtest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch/watchtest"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/flow"
)

// patience is how long a run may take that has nothing to wait for.
const patience = 30 * time.Second

// TestRuns checks the promises of flow.Runs and flow.Run. Each make returns runs whose kind Kind is the probe's flow.
func TestRuns(t *testing.T, p *Probe, make func(t *testing.T) flow.Runs) {
	suite := func(name string, test func(t *testing.T, w *watch)) {
		t.Run(name, func(t *testing.T) {
			acme, globex := tenantstest.Two(t)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			test(t, &watch{ctx: ctx, probe: p, runs: make(t), acme: acme, globex: globex})
		})
	}
	suite("a run has its id, its tenant and its parameters", testStart)
	suite("started twice, it runs once", testTwice)
	suite("a step is tried again, and what it returns is kept", testRetries)
	suite("a step that is refused is refused once, with the same fault", testRefused)
	suite("a sleep goes on", testSleep)
	suite("signals wait for the run, and the run for signals", testSignals)
	suite("a wait times out", testTimeout)
	suite("a run is in the trace of who started it", testTraced)
	suite("nobody else's runs can be spoken to", testStrangers)
	suite("without a tenant there are no runs", testNobody)
}

// watch is one test's view of the runs.
type watch struct {
	ctx          context.Context
	probe        *Probe
	runs         flow.Runs
	acme, globex tenants.Scope
}

func (w *watch) start(t *testing.T, s tenants.Scope, id string, acts ...act) {
	t.Helper()
	require.NoError(t, w.runs.Start(w.ctx, s, Kind, id, acts))
}

func (w *watch) signal(t *testing.T, s tenants.Scope, id, signal string, payload any) {
	t.Helper()
	require.NoError(t, w.runs.Signal(w.ctx, s, Kind, id, signal, payload))
}

// noted waits until a run has noted what it should.
func (w *watch) noted(t *testing.T, s tenants.Scope, id string, want ...string) {
	t.Helper()
	got, err := w.probe.lines(w.ctx, place(s, id), len(want))
	require.NoError(t, err, "noted so far: %q", got)
	assert.Equal(t, want, got)
}

func note(text string) act { return act{Do: "note", Text: text} }

func testStart(t *testing.T, w *watch) {
	id := tenantstest.Fresh(t, "start/")
	w.start(t, w.acme, id, note("of acme"))
	w.start(t, w.globex, id, note("of globex"), note("also"))
	w.noted(t, w.acme, id, "of acme")
	w.noted(t, w.globex, id, "of globex", "also")
}

func testTwice(t *testing.T, w *watch) {
	id, other := tenantstest.Fresh(t, "twice-"), tenantstest.Fresh(t, "other-")
	w.start(t, w.acme, id, note("first"), act{Do: "wait", Text: "go", For: time.Hour})
	w.start(t, w.acme, id, note("second"))
	w.noted(t, w.acme, id, "first")
	w.start(t, w.acme, id, note("third"))
	w.signal(t, w.acme, id, "go", "on")
	w.noted(t, w.acme, id, "first", `"on"`)
	w.ended(t, w.acme, id)
	w.start(t, w.acme, id, note("fourth"))
	w.start(t, w.acme, other, note("another"))
	w.noted(t, w.acme, other, "another")
	w.noted(t, w.acme, id, "first", `"on"`)
}

func testRetries(t *testing.T, w *watch) {
	id := tenantstest.Fresh(t, "flaky-")
	w.start(t, w.acme, id, act{Do: "flaky", Times: 1})
	w.noted(t, w.acme, id, "tried", "tried", "1152921504606846976")
}

func testRefused(t *testing.T, w *watch) {
	id := tenantstest.Fresh(t, "refused-")
	refusal := fault.Invalidf("lines[3].text", "probe_invalid", "“no” {\"kind\":1} \n%d", 5).WithHint("yes")
	text, err := json.Marshal(refusal)
	require.NoError(t, err)
	w.start(t, w.acme, id, act{Do: "refuse", Invalid: refusal})
	w.noted(t, w.acme, id, "tried", string(text))
}

func testSleep(t *testing.T, w *watch) {
	id := tenantstest.Fresh(t, "sleep-")
	w.start(t, w.acme, id, note("before"), act{Do: "sleep", For: time.Second}, note("after"))
	w.noted(t, w.acme, id, "before", "after")
}

func testSignals(t *testing.T, w *watch) {
	id := tenantstest.Fresh(t, "signals-")
	w.start(t, w.acme, id,
		act{Do: "wait", Text: "begin", For: time.Hour}, act{Do: "wait", Text: "a", For: time.Hour}, act{Do: "wait", Text: "a", For: time.Hour},
		act{Do: "wait", Text: "b", For: time.Hour})
	for _, s := range []struct {
		name    string
		payload any
	}{{"b", map[string]int{"n": 3}}, {"a", 1}, {"begin", nil}} {
		w.signal(t, w.acme, id, s.name, s.payload)
	}
	w.noted(t, w.acme, id, "null", "1") // and waits for the second a, while b is there
	w.signal(t, w.acme, id, "a", 2)
	w.noted(t, w.acme, id, "null", "1", "2", `{"n":3}`)
}

func testTimeout(t *testing.T, w *watch) {
	id := tenantstest.Fresh(t, "timeout-")
	w.start(t, w.acme, id, act{Do: "wait", Text: "never", For: time.Second}, note("went on"))
	w.noted(t, w.acme, id, "timeout", "went on")
}

// Both ways of saying what causes a run count: a place that is passed on, and a span that somebody notices. Who tells of it once more changes nothing.
func testTraced(t *testing.T, w *watch) {
	id, orphan := tenantstest.Fresh(t, "traced-"), tenantstest.Fresh(t, "orphan-")
	passed, noticed := newTrace(t), newTrace(t)
	noticed.Flags &^= trace.Sampled
	traced := act{Do: "traced"}
	nowhere := w.ctx
	w.ctx = trace.With(nowhere, passed)
	w.start(t, w.acme, id, traced, act{Do: "sleep", For: time.Second}, traced)
	notices, _ := watchtest.New("suite", nil)
	w.ctx, _ = notices.Begin(nowhere, trace.Event, "tells", noticed, trace.Parent{})
	w.start(t, w.globex, id, traced)
	w.start(t, w.acme, id, traced)
	w.ctx = nowhere
	w.start(t, w.acme, orphan, traced)
	w.noted(t, w.acme, id, passed.String(), passed.String())
	w.noted(t, w.globex, id, noticed.String())
	w.noted(t, w.acme, orphan, "")
}

func newTrace(t *testing.T) trace.Parent {
	t.Helper()
	place, err := trace.New(rand.Reader)
	require.NoError(t, err)
	return place
}

func testStrangers(t *testing.T, w *watch) {
	id := tenantstest.Fresh(t, "stranger-")
	missing := func(s tenants.Scope, id string) {
		t.Helper()
		err := w.runs.Signal(w.ctx, s, Kind, id, "go", "on")
		require.Error(t, err)
		assert.Equal(t, []any{fault.NotFound, "run_not_found"}, []any{fault.KindOf(err), fault.As(err).Code})
	}
	missing(w.acme, id)
	w.start(t, w.acme, id, act{Do: "wait", Text: "go", For: time.Hour})
	missing(w.globex, id)
	w.signal(t, w.acme, id, "go", "on")
	w.noted(t, w.acme, id, `"on"`)
	w.ended(t, w.acme, id)
	missing(w.acme, id)
}

// ended waits until a run that has noted its last has ended: it is not spoken to any more.
func (w *watch) ended(t *testing.T, s tenants.Scope, id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		err := w.runs.Signal(w.ctx, s, Kind, id, "more", nil)
		return err != nil && fault.As(err).Code == "run_not_found"
	}, patience, 20*time.Millisecond, "the run does not end")
}

func testNobody(t *testing.T, w *watch) {
	assert.Error(t, w.runs.Start(w.ctx, tenants.Scope{}, Kind, "x", nil))
	assert.Error(t, w.runs.Signal(w.ctx, tenants.Scope{}, Kind, "x", "go", nil))
}
