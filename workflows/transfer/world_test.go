package transfer_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/infra/app"
	"levada.dev/infra/app/front"
	"levada.dev/infra/client/clienttest"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/memory"
	"levada.dev/producers/intake"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm/llmtest"
	"levada.dev/workflows/transfer"
)

const sourceAddress = "https://old.example.com"

// clock goes on by a millisecond each time it is asked.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// pool is a deployment in memory in which acme and globex are.
type pool struct {
	t       *testing.T
	clock   *clock
	ports   app.Ports
	ledger  *memory.Ledger
	texts   *memory.Texts
	shelf   *memory.Shelf
	parts   *memory.Parts
	web     *memory.Web
	model   *llmtest.Embedder
	queues  *memory.Queues
	out     events.Publisher
	router  *consumers.Router
	handle  http.Handler
	intake  *intake.Intake
	keys    map[string]string
	started []started // imports that are to be run
	ids     int

	sessionsKept *memory.Sessions
}

type started struct {
	scope  tenants.Scope
	id     string
	params any
}

// Start implements flow.Runs: an import is run when the world goes on, and the runs of tests are their own.
func (p *pool) Start(_ context.Context, s tenants.Scope, k flow.Kind, id string, params any) error {
	if k == imports.Kind {
		p.started = append(p.started, started{s, id, params})
	}
	return nil
}

// Signal implements flow.Runs.
func (p *pool) Signal(context.Context, tenants.Scope, flow.Kind, string, string, any) error {
	return nil
}

func newPool(t *testing.T, c *clock, edit ...func(*tenants.Config)) *pool {
	t.Helper()
	p := &pool{
		t: t, clock: c, ledger: memory.NewLedger(c.Now), texts: &memory.Texts{}, parts: &memory.Parts{}, web: &memory.Web{}, model: &llmtest.Embedder{},
		queues: &memory.Queues{}, keys: map[string]string{},
	}
	var configs []tenants.Config
	grants := map[string]tenants.Grant{}
	for i, id := range []tenants.ID{"acme", "globex"} {
		key, err := tenants.NewKey(strings.NewReader(strings.Repeat(string(rune('a'+i)), 64)), id)
		require.NoError(t, err)
		p.keys[string(id)] = key
		grants[tenants.HashKey(key)] = tenants.Grant{Tenant: id, Name: string(id), Scopes: []tenants.APIScope{tenants.ScopeExport, tenants.ScopeMetrics, tenants.ScopeTools, tenants.ScopeIngest}}
		configs = append(configs, tenantstest.Config(t, string(id), func(c *tenants.Config) {
			c.Models.Embedding = "@cf/baai/bge-small-en-v1.5"
			c.Tools.Enabled = []string{"ingest_docs"}
			for _, e := range edit {
				e(c)
			}
		}))
	}
	directory, err := tenants.StaticDirectory(configs, grants)
	require.NoError(t, err)
	claims := &memory.Claims{}
	p.out = events.NewPublisher(p.queues, claims, nil)
	shelf, money := memory.NewShelf(c.Now), memory.NewQuota(c.Now)
	sessions := memory.NewSessions(shelf, c.Now)
	p.shelf, p.sessionsKept = shelf, sessions
	p.ports = app.Ports{
		MCP:       line.Line{},
		Directory: directory, Texts: p.texts, Ledger: p.ledger, Vectors: memory.NewVectors(c.Now), Lexicon: memory.NewLexicon(), Embedder: p.model,
		Reranker: &llmtest.Reranker{}, Model: &memory.Model{}, Money: money, Bar: money, Account: money, Sessions: sessions, Summaries: sessions, Shelf: shelf,
		Cache: memory.NewCache(c.Now), Publisher: p.out, Claims: claims, Trail: &memory.Trail{}, Letters: memory.NewLetters(c.Now), Calls: memory.NewCalls(c.Now), Meters: memory.NewMeters(c.Now), Unread: &memory.Unread{},
		Catalogue: p.ledger, Erasures: p.ledger, Moves: p.ledger, Transfers: p.ledger, Imports: p.ledger, Parts: p.parts, Files: &memory.Files{}, Fetcher: p.web,
		Speech: memory.NewSpeech(c.Now), Sounds: &memory.Sounds{}, Synthesizer: &memory.Synthesizer{},
		Runs: p, Seal: tenantstest.SealKey(t),
	}
	options := app.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: c.Now, Background: func(ctx context.Context, f func(context.Context)) error {
		go f(ctx) // it gives back what was leased, after a while
		return nil
	}}
	p.handle, p.router = front.API(p.ports, options), app.Consumers(p.ports, options)
	p.intake = intake.New(p.texts, p.ledger, &intake.Options{NewID: func() string {
		p.ids++
		return fmt.Sprintf("id-%06d", p.ids)
	}})
	return p
}

// run lets the pool's world go on until nothing moves.
func (p *pool) run() {
	p.t.Helper()
	for idle := 0; idle < 3; {
		moved := p.queues.Pump(p.t.Context(), p.router)
		for _, id := range []string{"acme", "globex"} {
			n, err := p.ledger.Relay(p.t.Context(), tenantstest.Scope(p.t, id), p.out, 50)
			if moved += n; err != nil {
				moved++
			}
		}
		for _, st := range p.started {
			moved++
			p.started = p.started[1:]
			e := &flowtest.Engine{Flow: app.Import(p.ports, app.Options{}), Scope: st.scope, ID: st.id, Params: st.params, Idle: func(string) { p.run() }, Asleep: func(d time.Duration) {
				p.clock.advance(d)
				p.run()
			}}
			require.NoError(p.t, e.Run(p.t.Context()))
		}
		if idle++; moved > 0 {
			idle = 0
		}
	}
}

// put submits a document.
func (p *pool) put(s tenants.Scope, docID, text string, edit ...func(*corpus.Draft)) corpus.Receipt {
	p.t.Helper()
	d := corpus.Draft{
		DocID: docID, Text: []byte(text), ContentType: "text/plain", Model: "@cf/baai/bge-small-en-v1.5", Cause: events.Cause{ID: "request-" + docID},
		About: events.About{Title: "On " + docID, Source: "manual", URL: "https://docs.example.com/" + docID, Metadata: map[string]any{"year": 2026.0, "tags": []any{"a", "b"}}},
	}
	for _, e := range edit {
		e(&d)
	}
	r, err := p.intake.Submit(p.t.Context(), s, d)
	require.NoError(p.t, err)
	return r
}

func (p *pool) delete(s tenants.Scope, docID string) {
	p.t.Helper()
	p.ids++
	_, err := p.ledger.Delete(p.t.Context(), s, corpus.Deletion{DocID: docID, JobID: fmt.Sprintf("del-%06d", p.ids), Cause: events.Cause{ID: "delete"}})
	require.NoError(p.t, err)
}

func (p *pool) freeze(s tenants.Scope, readonly bool) {
	p.t.Helper()
	_, err := p.ledger.Freeze(p.t.Context(), s, readonly)
	require.NoError(p.t, err)
}

// cards are all that a pool has to show of a tenant, in order.
func (p *pool) cards(s tenants.Scope) []transfer.Card {
	p.t.Helper()
	page, err := p.ledger.Cards(p.t.Context(), s, transfer.Asked{Limit: transfer.MaxCards})
	require.NoError(p.t, err)
	require.False(p.t, page.More)
	return page.Cards
}

func (p *pool) job(s tenants.Scope, id string) job.Job {
	p.t.Helper()
	j, err := p.ledger.Job(p.t.Context(), s, id)
	require.NoError(p.t, err)
	return j
}

// move is two pools, and acme on its way from the one to the other. Both have globex, which stays.
type move struct {
	*testing.T
	clock    *clock
	from, to *pool
	acme     tenants.Scope
	globex   tenants.Scope
	around   func(http.Handler) http.Handler // what a test puts before the source
	asked    int                             // requests to the source
	runs     int
}

func newMove(t *testing.T, edit ...func(*tenants.Config)) *move {
	c := &clock{now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	m := &move{T: t, clock: c, from: newPool(t, c), to: newPool(t, c, edit...)}
	m.acme, m.globex = tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")
	m.from.put(m.globex, "doc-1", "The secret of globex at the source.")
	m.to.put(m.globex, "doc-2", "The secret of globex at the destination.")
	m.goOn()
	return m
}

func (m *move) goOn() {
	m.from.run()
	m.to.run()
}

// do sends a request to the source.
func (m *move) do(r *http.Request) (*http.Response, error) {
	m.asked++
	h := m.from.handle
	if m.around != nil {
		h = m.around(h)
	}
	return clienttest.Inside{Handler: h}.Do(r)
}

// begin opens a run and makes it; the test runs it itself. While it sleeps the world goes on.
func (m *move) begin(last, again bool) *flowtest.Engine {
	m.Helper()
	m.runs++
	id := fmt.Sprintf("run-%d", m.runs)
	key, err := m.to.ports.Seal.Seal(m.from.keys["acme"], transfer.SealedFor(m.acme, sourceAddress)...)
	require.NoError(m, err)
	_, err = m.to.ledger.OpenTransfer(m.Context(), m.acme, transfer.Request{JobID: id, From: sourceAddress, Key: key, Last: last, Again: again, Cause: events.Cause{ID: "request"}})
	require.NoError(m, err)
	return &flowtest.Engine{
		Flow: app.Transfer(m.to.ports, app.Options{}, m.do, 0), Scope: m.acme, ID: id, Params: transfer.Order{From: sourceAddress, Key: key, Last: last},
		Asleep: func(d time.Duration) {
			m.clock.advance(d)
			m.goOn()
		},
	}
}

// bring runs a run to its end and returns its job.
func (m *move) bring(last bool) job.Job {
	m.Helper()
	e := m.begin(last, false)
	require.NoError(m, e.Run(m.Context()))
	m.goOn()
	return m.to.job(m.acme, e.ID)
}
