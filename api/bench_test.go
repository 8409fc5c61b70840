package api_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"levada.dev/api"
	"levada.dev/workflows/chat"
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
	benchmark(b, "acme", "POST", "/search", `{"query":"What flows?","filter":{"year":{"$gte":2020}}}`)
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

// BenchmarkSessions is the smallest request to a tenant: tenant, key, permit, and an empty page.
func BenchmarkSessions(b *testing.B) { benchmark(b, "globex", "GET", "/sessions", "") }
