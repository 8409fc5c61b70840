package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"levada.dev/api"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
)

// discard is the cheapest ResponseWriter there is.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

func benchmark(b *testing.B, as, method, target, body string) {
	w := newWorld(b)
	w.opts.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	w.Handler = api.New(w.deps, &w.opts)
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, w.request(as, method, target, body))
	if rec.Code >= 300 {
		b.Fatal(rec.Code, rec.Body)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	r := w.request(as, method, target, body)
	for b.Loop() {
		if body != "" {
			r.Body = io.NopCloser(strings.NewReader(body))
		}
		w.ServeHTTP(&discard{http.Header{}}, r)
	}
}

func BenchmarkHealth(b *testing.B) { benchmark(b, "", "GET", "/health", "") }

func BenchmarkSearch(b *testing.B) {
	benchmark(b, "acme", "POST", "/search", `{"query":"What flows?","answer":false,"filter":{"year":{"$gte":2020}}}`)
}

func BenchmarkIngestSmall(b *testing.B) {
	benchmark(b, "globex", "POST", "/ingest", `{"text":"Water flows along the levada.","contentType":"text/markdown"}`)
}

func BenchmarkIngestLarge(b *testing.B) {
	benchmark(b, "globex", "POST", "/ingest", `{"text":"`+strings.Repeat(`Water flows.\n`, 80_000)+`"}`)
}

// BenchmarkChatStream tells a turn of 1,000 tokens that are there at once: what an event costs besides its turn.
func BenchmarkChatStream(b *testing.B) {
	l := &lines{events: make([]chat.Event, 1001)}
	for i := range l.events {
		l.events[i] = chat.Event{ID: i + 1, Type: chat.Token, Data: json.RawMessage(`{"token":"water "}`)}
	}
	l.events[1000].Type = chat.Done
	w := newWorld(b, func(w *world) { w.deps.Chat = l })
	w.opts.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	handler := api.New(w.deps, &w.opts)
	const body = `{"message":"What flows?"}`
	r := w.request("globex", "POST", "/chat", body)
	b.ReportAllocs()
	for b.Loop() {
		l.next = 0
		r.Body = io.NopCloser(strings.NewReader(body))
		handler.ServeHTTP(&discard{http.Header{}}, r)
	}
}

// answering is a model that says the same each time, and costs what a binding costs on this side of it.
type answering struct{ text []byte }

func (m answering) Generate(_ context.Context, _ tenants.Scope, c llm.Call, p llm.Prompt) (llm.Stream, error) {
	if _, err := dialect.Encode(llm.GenerationModel{Name: c.Model, Dialect: llm.OpenAI}, p); err != nil {
		return nil, err
	}
	w, err := dialect.NewWhole(m.text, dialect.Answer{Model: c.Model})
	return said{w}, err
}

type said struct{ *dialect.Whole }

func (said) Close() error       { return nil }
func (said) Source() llm.Source { return llm.Source{Model: "@local/script"} }

// BenchmarkComplete is all of a chat completion but its binding.
func BenchmarkComplete(b *testing.B) {
	w := newWorld(b)
	model := answering{[]byte(`{"choices":[{"index":0,"message":{"role":"assistant","content":"Water."},"finish_reason":"stop"}],"usage":{"prompt_tokens":24,"completion_tokens":20,"total_tokens":44}}`)}
	w.opts.Log, w.opts.Random = slog.New(slog.NewJSONHandler(io.Discard, nil)), nil
	w.deps.Generator = llm.NewCached(llm.NewGenerator(model, w.gate, nil), memory.NewCache(w.opts.Now), nil)
	handler := api.New(w.deps, &w.opts)
	const body = `{"model":"default","messages":[{"role":"system","content":"You are of few words."},{"role":"user","content":"What is a levada?"}],"max_tokens":64,"stream":false}`
	r := w.request("globex", "POST", "/v1/chat/completions", body)
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(body))
		answer := &discard{http.Header{}}
		handler.ServeHTTP(answer, r)
		if answer.h.Get("X-Should-Retry") != "" || answer.h.Get("Content-Length") == "" {
			b.Fatal(answer.h)
		}
	}
}

// BenchmarkSessions is the smallest request to a tenant: tenant, key, permit, and an empty page.
func BenchmarkSessions(b *testing.B) { benchmark(b, "globex", "GET", "/sessions", "") }
