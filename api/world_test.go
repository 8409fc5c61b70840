package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/api/openai/openaitest"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/infra/mcp"
	mcpline "levada.dev/infra/mcp/line"
	"levada.dev/infra/mcp/line/linetest"
	"levada.dev/infra/memory"
	"levada.dev/producers/replay"
	"levada.dev/tenants"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/answer"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/safety"
	"levada.dev/workflows/speech"
)

// world is the handler over two tenants with keys and one that is open. Every exchange is held against the contract.
type world struct {
	t      testing.TB
	store  *store
	talk   *talk
	box    *memory.Letters
	again  *resubmitter
	bench  *toolBench
	studio *studio
	gate   *quotatest.Gate
	meters *memory.Meters
	keys   map[string]string // by name: a tenant, or a tenant and a scope
	vault  *tenants.Vault    // of the tenants' sources
	log    lockedBuffer
	record *record
	deps   api.Deps
	opts   api.Options
	routes routers.Router

	keeps func(cache.Store) cache.Store // of answers; may be nil
	seen  map[string]bool               // "POST /ingest 202"

	secrets tenants.Secrets
	http.Handler
}

func newWorld(t testing.TB, edit ...func(*world)) *world {
	t.Helper()
	w := &world{t: t, keys: map[string]string{}, seen: map[string]bool{}}
	w.opts = api.Options{Version: "v1.2.3", Environment: "test", Random: &counter{}, Now: func() time.Time {
		return time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	}}
	begun := 0
	w.opts.NewID = func() string {
		begun++
		return fmt.Sprint("job-", begun)
	}
	w.store = newStore(func() time.Time { return w.opts.Now() })
	w.gate = &quotatest.Gate{}
	w.deps = api.Deps{
		Gate:      w.gate,
		Directory: tooled{w.directory()}, Intake: w.store, Imports: w.store.door(), Problems: w.store.ledger, Ledger: w.store.ledger, Catalogue: w.store.ledger, Erasures: w.store.ledger, Moves: w.store.ledger, Transfers: w.store.ledger, Seal: tenantstest.SealKey(w.t), Texts: w.store.texts, Vectors: w.store.vectors,
		Retriever: w.remembering(rag.New(rag.Ports{
			Embedder: w.store.embedder, Vectors: w.store.vectors, Lexicon: w.store.lexicon, Ledger: w.store.ledger,
			Reranker: llm.NewPaidReranker(w.store.reranker, w.gate), Generator: talking{w},
		}, &rag.Options{Now: func() time.Time { return w.opts.Now() }})),
	}
	w.deps.Webhooks = w.webhooks()
	for _, e := range edit {
		e(w)
	}
	if w.opts.Background == nil {
		w.opts.Background = beside(t)
	}
	w.opts.Log = slog.New(slog.NewJSONHandler(&w.log, nil))
	w.talk = newTalk(w)
	if w.deps.Chat == nil {
		w.deps.Chat = w.talk
	}
	w.box, w.again = memory.NewLetters(func() time.Time { return w.opts.Now() }), &resubmitter{}
	w.deps.Letters, w.deps.Replayer = w.box, replay.New(w.box, w.box, w.again, &replay.Options{NewID: func() string { return "job" }})
	w.deps.Sessions, w.deps.Parcels, w.deps.Shelf, w.deps.Turns = w.talk.sessions, w.talk.sessions, w.talk.shelf, w.gate
	w.record = &record{}
	w.deps.Trail, w.deps.Publisher = &w.record.trail, events.NewPublisher(w.record, &eventstest.Claims{}, nil)
	w.bench, w.studio = newToolBench(w), newStudio(w)
	w.deps.Speech, w.deps.Booth, w.deps.Sounds, w.deps.Recorder = w.studio.desk, w.studio.desk, w.studio.sounds, w.studio.recorder
	w.meters = memory.NewMeters(func() time.Time { return w.opts.Now() })
	w.deps.Meters, w.deps.Alerts = w.meters, w.meters
	var answers cache.Store = memory.NewCache(func() time.Time { return w.opts.Now() })
	if w.keeps != nil {
		answers = w.keeps(answers)
	}
	paid := llm.NewGenerator(w.talk.model, w.gate, nil)
	w.deps.Generator = llm.NewCached(safety.NewGenerator(paid), answers, nil)
	w.deps.Safety = safety.New(safety.Local{}, safety.NewGuard(paid), nil)
	w.deps.Answerer = answer.New(w.deps.Generator, &answer.Options{Random: &counter{}})
	w.deps.Embedder = llm.NewPaidEmbedder(w.store.embedder, w.gate)
	if w.deps.MCP == nil {
		w.deps.MCP = mcpline.Line{Do: linetest.Do(mcp.Handler())}
	}
	w.Handler = api.New(w.deps, &w.opts)
	var err error
	w.routes, err = router()
	require.NoError(t, err)
	return w
}

// remembering puts a cache before a searcher.
func (w *world) remembering(next rag.Searcher) *rag.Cached {
	now := func() time.Time { return w.opts.Now() }
	return rag.NewCached(next, w.store.ledger, memory.NewCache(now), &rag.CachedOptions{Now: now})
}

// talking is the world's generator, which is made after what asks it.
type talking struct{ w *world }

func (g talking) Generate(ctx context.Context, s tenants.Scope, o llm.Order) (llm.Answer, error) {
	return g.w.deps.Generator.Generate(ctx, s, o)
}

// router finds the operation of a request. The contract is read once for all worlds.
var router = sync.OnceValues(func() (routers.Router, error) {
	for _, lines := range []string{"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"} {
		openapi3filter.RegisterBodyDecoder(lines, openapi3filter.FileBodyDecoder)
	}
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.json")
	if err != nil {
		return nil, err
	}
	doc.Servers = nil // any host
	return gorillamux.NewRouter(doc)
})

// directory knows acme and globex, which answer under the same kind of host, and demo, which is open.
func (w *world) directory() tenants.Directory {
	filterable := map[string]tenants.FieldType{"year": tenants.FieldNumber, "lang": tenants.FieldString}
	configs := []tenants.Config{
		tenantstest.Config(w.t, "acme", func(c *tenants.Config) {
			c.CORS.Origins = []string{"https://app.acme.example"}
			c.Limits = tenants.Limits{BodyBytes: 2000, DocumentBytes: 500, QueryChars: 40, MessageChars: 400}
			c.Models = tenants.Models{Chat: "@local/script", ChatAllowed: []string{"@local/script-openai"}, ChatFallback: []string{"@local/script-openai"}}
			c.Chat = tenants.Chat{System: "You are Acme.", MaxTokens: 100, MaxTokensLimit: 200}
			c.Rates.User = tenants.Rate{PerMinute: 60, Burst: 5}
			c.Webhook = &tenants.Hook{URL: "https://app.acme.example/hooks", Secrets: []string{"told-1"}}
			c.Search = tenants.Search{TopK: 2, MaxTopK: 10, Filterable: filterable}
			c.Sources = []tenants.Source{hook("cms", "cms-1", "cms-2"), hook("news", "news-1"), {ID: "files", Sync: &tenants.Sync{Prefix: "files/"}}}
			c.Sources[1].Webhook.Origins = []string{"events.example.com"}
			c.Speech = tenants.Speech{
				Enabled: true, Model: "@cf/deepgram/aura-2-en", Fallback: "@cf/myshell-ai/melotts", Voices: map[string]string{"narrator": "zeus"}, Format: "wav", KeepDays: 7,
			}
		}),
		tenantstest.Config(w.t, "globex", func(c *tenants.Config) {
			c.Models.Chat = "@local/script"
			c.Sources = []tenants.Source{hook("cms", "cms-1")}
			c.Speech = tenants.Speech{Enabled: true, Model: speech.LocalModel, KeepDays: 1}
		}),
		tenantstest.Config(w.t, "demo", func(c *tenants.Config) { c.Auth.Mode = tenants.AuthOpen }),
	}
	grants := map[string]tenants.Grant{}
	add := func(name string, tenant tenants.ID, scopes ...tenants.APIScope) {
		key, err := tenants.NewKey(&counter{next: byte(len(grants))}, tenant)
		require.NoError(w.t, err)
		w.keys[name] = key
		grants[tenants.HashKey(key)] = tenants.Grant{Tenant: tenant, Name: name, Scopes: scopes}
	}
	for _, c := range configs {
		add(string(c.ID), c.ID, tenants.AllScopes...)
		add(string(c.ID)+"-search", c.ID, tenants.ScopeSearch)
		add(string(c.ID)+"-tools", c.ID, tenants.ScopeTools)
		add(string(c.ID)+"-chat", c.ID, tenants.ScopeChat)
	}
	add("operator", "acme", tenants.ScopeJobs, tenants.ScopeTools, tenants.ScopeDocuments)
	grant := grants[tenants.HashKey(w.keys["operator"])]
	grant.Also = []tenants.ID{"globex"}
	grants[tenants.HashKey(w.keys["operator"])] = grant
	w.keys["nobody"] = mustKey(w.t, "acme")
	w.vault = tenantstest.Vault(w.t, configs...)
	w.secrets = tenantstest.Secrets(w.t, w.vault, configs...)
	d, err := tenants.StaticDirectory(configs, grants)
	require.NoError(w.t, err)
	return d
}

func mustKey(t testing.TB, tenant tenants.ID) string {
	t.Helper()
	key, err := tenants.NewKey(&counter{next: 99}, tenant)
	require.NoError(t, err)
	return key
}

func (w *world) scope(tenant string) tenants.Scope { return tenantstest.Scope(w.t, tenant) }

// request makes one; as is the name of a key, empty for none. Headers are pairs.
func (w *world) request(as, method, target, body string, headers ...string) *http.Request {
	w.t.Helper()
	r := httptest.NewRequest(method, "http://levada.test"+target, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if as != "" {
		require.Contains(w.t, w.keys, as)
		r.Header.Set("Authorization", "Bearer "+w.keys[as])
	}
	for i := 0; i < len(headers); i += 2 {
		if strings.EqualFold(headers[i], "host") {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// do sends a request and holds the answer against the contract, and the request, too, when it was accepted.
func (w *world) do(as, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.send(w.request(as, method, target, body, headers...))
}

func (w *world) send(r *http.Request) *httptest.ResponseRecorder {
	w.t.Helper()
	sent := new(bytes.Buffer)
	r.Body = io.NopCloser(io.TeeReader(r.Body, sent))
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	route, params, err := w.routes.FindRoute(r)
	if err != nil {
		return rec // not a route: the handler says so itself
	}
	w.seen[r.Method+" "+route.Path] = true
	input := &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: params, Options: filterOptions}
	if rec.Code < 300 {
		r.Body = io.NopCloser(sent)
		require.NoError(w.t, openapi3filter.ValidateRequest(r.Context(), input), "the request was accepted")
	}
	answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: rec.Code, Header: rec.Result().Header, Options: filterOptions}
	answer.SetBodyBytes(rec.Body.Bytes())
	require.NoError(w.t, openapi3filter.ValidateResponse(r.Context(), answer), "%s %s %d", r.Method, r.URL, rec.Code)
	if rec.Code == http.StatusOK && strings.HasPrefix(rec.Header().Get("Content-Type"), "text/event-stream") {
		w.checkEvents(route, rec)
	}
	return rec
}

// checkEvents holds each event of a stream against what the contract says of events of its type.
func (w *world) checkEvents(route *routers.Route, rec *httptest.ResponseRecorder) {
	w.t.Helper()
	if strings.HasPrefix(route.Path, "/v1/") {
		openaitest.Events(w.t, rec.Body.String())
		return
	}
	media := route.Operation.Responses.Value("200").Value.Content["text/event-stream"]
	described, ok := media.Extensions["x-event-data"].(map[string]any)
	require.True(w.t, ok, "the contract describes the events")
	for _, e := range parse(w.t, rec.Body.String()) {
		require.Contains(w.t, described, e.Event)
		ref := described[e.Event].(map[string]any)["$ref"].(string)
		schema := route.Spec.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
		require.NotNil(w.t, schema, ref)
		var value any
		require.NoError(w.t, json.Unmarshal([]byte(e.Data), &value))
		require.NoError(w.t, schema.Value.VisitJSON(value), "%+v", e)
	}
}

var filterOptions = &openapi3filter.Options{
	IncludeResponseStatus: true, RejectWhenRequestBodyNotSpecified: true,
	AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
}

func init() {
	for _, media := range []string{"application/cloudevents+json", "application/cloudevents-batch+json"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.JSONBodyDecoder)
	}
	for _, media := range []string{"audio/wav", "audio/mpeg", "audio/ogg", "multipart/byteranges"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.FileBodyDecoder)
	}
	for _, media := range []string{"text/markdown", "text/html", "text/event-stream", "application/x-ndjson", "application/openmetrics-text"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.PlainBodyDecoder)
	}
}

// data is the data of a successful answer.
func data[T any](t testing.TB, rec *httptest.ResponseRecorder) T {
	t.Helper()
	var e struct {
		OK   bool
		Data T
	}
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &e), rec.Body.String())
	require.True(t, e.OK, rec.Body.String())
	return e.Data
}

// failure is the error of a failed answer.
type failure struct {
	Code    string
	Message string
	Details struct {
		Field, Hint, Allow string
		Offset             *int
		Limit              int64
		Failing            []string
	}
	TraceID string
}

func failed(t testing.TB, rec *httptest.ResponseRecorder) failure {
	t.Helper()
	var e struct {
		OK    bool
		Error failure
	}
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &e), rec.Body.String())
	require.False(t, e.OK)
	return e.Error
}

// counter is a source of no randomness at all, with no byte twice in a row.
type counter struct {
	mu   sync.Mutex
	next byte
}

func (c *counter) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range p {
		p[i] = c.next
		c.next++
	}
	return len(p), nil
}
