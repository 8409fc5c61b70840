package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/app"
	"levada.dev/infra/app/front"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/llm/llmtest"
)

// postbox is the API on ports in memory, with the dead letters of acme and globex.
type postbox struct {
	*testing.T
	url, state string
	box        *memory.Letters
	ledger     *memory.Ledger
	trail      *memory.Trail
	count      int // of the letters, each of which is later than the one before
}

func newPostbox(t *testing.T) *postbox {
	t.Helper()
	noEnvironment(t)
	p := &postbox{T: t, box: memory.NewLetters(time.Now), ledger: memory.NewLedger(time.Now), trail: &memory.Trail{}}
	state, keys := stateOf(t, "acme", "globex")
	var configs []tenants.Config
	for id := range keys {
		configs = append(configs, tenantstest.Config(t, string(id), nil))
	}
	directory, err := tenants.StaticDirectory(configs, keys.Grants("cli"))
	require.NoError(t, err)
	shelf := memory.NewShelf(time.Now)
	sessions := memory.NewSessions(shelf, time.Now)
	server := httptest.NewServer(front.API(app.Ports{
		MCP:       line.Line{},
		Directory: directory, Texts: &memory.Texts{}, Ledger: p.ledger, Catalogue: p.ledger, Imports: p.ledger, Erasures: p.ledger, Moves: p.ledger, Transfers: p.ledger, Vectors: memory.NewVectors(time.Now),
		Embedder: &llmtest.Embedder{}, Reranker: &llmtest.Reranker{}, Model: &memory.Model{}, Money: memory.NewQuota(time.Now), Sessions: sessions, Summaries: sessions,
		Shelf: shelf, Cache: memory.NewCache(time.Now), Letters: p.box, Calls: memory.NewCalls(time.Now), Meters: memory.NewMeters(time.Now), Speech: memory.NewSpeech(time.Now), Sounds: &memory.Sounds{}, Trail: p.trail, Publisher: p.trail.Publisher(),
	}, app.Options{Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(server.Close)
	p.url, p.state = server.URL, state
	return p
}

// failed has a document of a tenant fail at a stage, and keeps its letter.
func (p *postbox) failed(tenant, doc, stage, code string) letters.Letter {
	p.Helper()
	s := tenantstest.Scope(p, tenant)
	outs, err := p.ledger.SubmitAll(p.Context(), s, []corpus.Submission{{
		DocID: doc, JobID: tenantstest.Fresh(p, ""), ContentType: "text/plain", TextKey: "k", Model: "m", Cause: events.Cause{ID: doc},
	}})
	require.NoError(p, err)
	r := outs[0]
	require.Nil(p, r.Fault)
	ref := events.DocumentRef{DocID: doc, Generation: r.Generation, JobID: r.JobID}
	_, err = p.ledger.Advance(p.Context(), s, []corpus.Progress{{DocumentRef: ref, Stage: corpus.Stage(stage), Code: code, Message: "it did not go"}})
	require.NoError(p, err)
	ev, err := events.New(s, "suite", events.Cause{ID: doc, TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, time.Now(),
		events.DocumentIndexed{DocumentRef: ref, Chunks: 1, Model: "m"})
	require.NoError(p, err)
	body, err := ev.MarshalJSON()
	require.NoError(p, err)
	l := letters.Letter{
		ID: letters.NewID(stage, doc), Queue: stage, Tenant: s.Tenant(), Handler: stage, Stage: stage, DocID: doc, Generation: r.Generation,
		EventID: ev.ID, Type: ev.Type, Subject: ev.Subject, TraceParent: ev.TraceParent, Code: code, Message: "it did not go",
		Reason: "it did not go: a wire was cut", Attempts: 4, At: time.Now().Add(time.Duration(p.count-10_000) * time.Millisecond), Body: body,
	}
	p.count++
	p.keep(l)
	return l
}

func (p *postbox) keep(l letters.Letter) {
	p.Helper()
	require.NoError(p, p.box.Keep(p.Context(), tenantstest.Scope(p, string(l.Tenant)), []letters.Letter{l}))
}

// run runs a command line for a tenant, with what is typed.
func (p *postbox) run(tenant, typed string, args ...string) (code int, stdout, stderr string) {
	p.Helper()
	var out, errs bytes.Buffer
	args = append(args, "--url", p.url, "--tenant", tenant)
	root := newRoot(&globals{}, func() {})
	root.SetArgs(append(args, "--state-dir", p.state))
	root.SetIn(strings.NewReader(typed))
	root.SetOut(&out)
	root.SetErr(&errs)
	if err := root.ExecuteContext(p.Context()); err != nil {
		fmt.Fprintln(&errs, err)
		code = exitProblem
	}
	return code, out.String(), errs.String()
}

func (p *postbox) generation(tenant, doc string) int {
	p.Helper()
	docs, err := p.ledger.Documents(p.Context(), tenantstest.Scope(p, tenant), []string{doc})
	require.NoError(p, err)
	require.Len(p, docs, 1)
	return docs[0].Generation
}

func TestDLQ(t *testing.T) {
	p := newPostbox(t)
	code, out, _ := p.run("acme", "", "dlq")
	assert.Zero(t, code)
	assert.Equal(t, "no dead letters\n", out)

	p.failed("globex", "theirs", "embed", "model_busy")
	busy := p.failed("acme", "guide", "embed", "model_busy")
	p.failed("acme", "a-document-with-a-name-that-is-much-longer-than-a-table-has-room-for", "chunk", "document_empty")
	code, out, _ = p.run("acme", "", "dlq")
	assert.Zero(t, code)
	for _, want := range []string{"guide", "model_busy", "document_empty", "4bf92f3577b34da6a3ce929d0e0e4736", busy.ID, "2 letters, from", "chunk"} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, "theirs")

	_, out, _ = p.run("acme", "", "dlq", "--reason", "model_busy", "--stage", "embed", "--since", "1h", "--type", events.TypeDocumentIndexed, "--doc", "guide")
	assert.Contains(t, out, "guide")
	assert.Contains(t, out, "1 letter, from")
	_, out, _ = p.run("acme", "", "dlq", "--until", "2020-01-01")
	assert.Equal(t, "no dead letters\n", out)
	_, out, stderr := p.run("acme", "", "dlq", "--limit", "1")
	assert.NotContains(t, out, "guide")
	assert.Contains(t, stderr, "--limit 0")
	_, out, _ = p.run("acme", "", "dlq", "--limit", "0")
	assert.Contains(t, out, "guide")

	_, out, _ = p.run("acme", "", "dlq", "--json")
	var page struct {
		Letters []letters.Letter
		Count   letters.Count
	}
	require.NoError(t, json.Unmarshal([]byte(out), &page), out)
	assert.Len(t, page.Letters, 2)
	assert.Equal(t, map[string]int{"model_busy": 1, "document_empty": 1}, page.Count.Codes)
}

func TestDLQShow(t *testing.T) {
	p := newPostbox(t)
	l := p.failed("acme", "guide", "embed", "model_busy")
	code, out, _ := p.run("acme", "", "dlq", "show", l.ID)
	assert.Zero(t, code)
	for _, want := range []string{"a wire was cut", "guide, generation 1", "4bf92f3577b34da6a3ce929d0e0e4736", `"specversion": "1.0"`, "replayed   no", "attempts   4"} {
		assert.Contains(t, out, want)
	}
	_, out, _ = p.run("acme", "", "dlq", "show", l.ID, "--json")
	var got letters.Letter
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.Equal(t, l.Body, got.Body)
	code, _, stderr := p.run("globex", "", "dlq", "show", l.ID)
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, stderr, "letter_not_found")

	l.Body = []byte(strings.Repeat("no JSON \xff ", 1000))
	p.keep(l)
	_, out, _ = p.run("acme", "", "dlq", "show", l.ID)
	assert.Contains(t, out, "no JSON")
	assert.Contains(t, out, "10000 bytes in all")
}

func TestReplay(t *testing.T) {
	p := newPostbox(t)
	p.failed("acme", "guide", "embed", "model_busy")
	p.failed("acme", "other", "chunk", "document_empty")
	p.failed("globex", "guide", "embed", "model_busy")

	code, out, _ := p.run("acme", "", "replay", "--dry-run", "--reason", "model_busy")
	assert.Zero(t, code)
	assert.Contains(t, out, "1 letter, from")
	assert.Equal(t, 1, p.generation("acme", "guide"))

	code, _, stderr := p.run("acme", "", "replay", "--reason", "model_busy")
	assert.NotZero(t, code, "nobody answers")
	assert.Contains(t, stderr, "say --yes, or --dry-run")
	for _, typed := range []string{"n\n", "what?\n"} {
		code, _, stderr := p.run("acme", typed, "replay", "--reason", "model_busy")
		assert.Zero(t, code)
		assert.Contains(t, stderr, "Send 1 letter again?")
		assert.Contains(t, stderr, "nothing was sent")
	}
	assert.Equal(t, 1, p.generation("acme", "guide"))

	code, out, _ = p.run("acme", "Yes\n", "replay", "--reason", "model_busy")
	assert.Zero(t, code)
	assert.Contains(t, out, "1 letter sent again")
	assert.Equal(t, []int{2, 1, 1}, []int{p.generation("acme", "guide"), p.generation("acme", "other"), p.generation("globex", "guide")})

	code, out, _ = p.run("acme", "", "replay", "--reason", "model_busy", "--yes")
	assert.Zero(t, code)
	assert.Equal(t, "nothing to replay\n", out)
	code, _, stderr = p.run("acme", "", "replay", "--yes", letters.NewID("embed", "nope"))
	assert.NotZero(t, code)
	assert.Contains(t, stderr, "letter_not_found")
	_, out, _ = p.run("acme", "", "dlq", "--all")
	assert.Contains(t, out, "model_busy, replayed")
	_, out, _ = p.run("acme", "", "dlq")
	assert.NotContains(t, out, "model_busy")

	code, out, _ = p.run("acme", "", "replay", "--yes", "--json")
	assert.Zero(t, code)
	var total letters.Replayed
	require.NoError(t, json.Unmarshal([]byte(out), &total), out)
	assert.Equal(t, []int{1, 1, 0}, []int{total.Matched, total.Replayed, total.Remaining})
}

func TestReplayOfMany(t *testing.T) {
	p := newPostbox(t)
	for i := range 620 { // more than a call sends
		p.failed("acme", fmt.Sprint("doc", i), "embed", "model_busy")
	}
	gone := p.failed("acme", "doc0", "index", "index_refused")
	gone.ID, gone.DocID = "index-gone", "gone"
	p.keep(gone)
	code, out, stderr := p.run("acme", "", "replay", "--yes")
	assert.Equal(t, exitProblem, code, "some cannot be sent again")
	assert.Contains(t, out, "621 letters sent again")
	assert.Contains(t, out, "document_not_found")
	assert.Contains(t, stderr, "1 letter cannot be sent again")
	code, out, _ = p.run("acme", "", "replay", "--yes", "index-gone")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, out, "0 letters sent again")
}

func TestLettersByWrongUsage(t *testing.T) {
	p := newPostbox(t)
	for _, args := range [][]string{
		{"dlq", "--since", "soon"}, {"dlq", "--until", "-5m"}, {"replay", "--since", "x"}, {"dlq", "--limit", "-1"}, {"dlq", "--reason", ""},
		{"dlq", "--since", "2026-11-22", "--until", "2026-11-21"}, {"dlq", "--stage", "foo"}, {"replay", "--stage", "foo", "--yes"}, {"jobs", "--state", "foo"}, {"jobs", "--kind", "x"},
		{"documents", "--state", "replaced"}, {"jobs", "--limit", "-1"}, {"documents", "--limit", "-1"}, {"jobs", "problems", "--limit", "-1", "x"}, {"replay", strings.Repeat("a", 300)}, {"dlq", "show"}, {"dlq", "guide"},
	} {
		var errs bytes.Buffer
		code := Execute(t.Context(), append(args, "--url", p.url, "--tenant", "acme", "--state-dir", p.state), io.Discard, &errs)
		assert.Equal(t, exitUsage, code, "%v: %s", args, errs.String())
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	var errs bytes.Buffer
	assert.Equal(t, exitProblem, Execute(t.Context(), []string{"dlq", "--url", server.URL, "--key", "k"}, io.Discard, &errs))
	assert.Contains(t, errs.String(), "no platform answers")
}

func TestPastTime(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                          {},
		"90m":                       now.Add(-90 * time.Minute),
		"7d":                        now.AddDate(0, 0, -7),
		"2026-11-20":                time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC),
		"2026-11-20T10:00:00+02:00": time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
	} {
		got, err := pastTime("since", text, now)
		require.NoError(t, err)
		assert.True(t, want.Equal(got), "%s: %s", text, got)
	}
}
