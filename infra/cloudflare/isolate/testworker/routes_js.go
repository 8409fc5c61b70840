package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall/js"

	"github.com/syumai/workers/cloudflare"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/object"
)

var backend = isolate.Transport{Binding: "BACKEND"}

// get asks the backend, which waits ms and echoes the tag.
func get(ctx context.Context, query string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://backend/?"+query, nil)
	if err != nil {
		return "", err
	}
	resp, err := backend.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// echoed is get with a check that the answer is the one of this request.
func echoed(ctx context.Context, ms int, tag string) error {
	s, err := get(ctx, fmt.Sprintf("ms=%d&tag=%s", ms, tag))
	if err == nil && !strings.HasSuffix(s, " "+tag) {
		err = fmt.Errorf("mixed up: %q for %q", s, tag)
	}
	return err
}

func text(r *http.Request, key string) string { return r.URL.Query().Get(key) }

func number(r *http.Request, key string) int {
	n, _ := strconv.Atoi(text(r, key)) // 0 when missing
	return n
}

func reply(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

var (
	mu    sync.Mutex
	logMu sync.Mutex
	log   = map[string][]string{}
)

func note(id, format string, args ...any) {
	logMu.Lock()
	defer logMu.Unlock()
	log[id] = append(log[id], fmt.Sprintf(format, args...))
}

func plainRoutes(mux *http.ServeMux) {
	mux.HandleFunc("/ping", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "pong") })
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("X-Method", r.Method)
		w.Header().Set("X-Uri", r.RequestURI)
		w.Header().Set("X-Path", r.URL.Path)
		w.Header().Set("X-Header", strings.Join(r.Header["X-Test"], "|"))
		w.Header().Set("X-Length", strconv.FormatInt(r.ContentLength, 10))
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.Copy(w, r.Body)
	})
	mux.HandleFunc("/await", func(w http.ResponseWriter, r *http.Request) {
		for i := range max(1, number(r, "n")) {
			if err := echoed(r.Context(), number(r, "ms"), fmt.Sprintf("%s-%d", text(r, "tag"), i)); err != nil {
				reply(w, nil, err)
				return
			}
		}
		reply(w, text(r, "tag"), nil)
	})
	mux.HandleFunc("/parallel", func(w http.ResponseWriter, r *http.Request) {
		n := number(r, "n")
		errs := make(chan error, n)
		for i := range n {
			go func() { errs <- echoed(r.Context(), number(r, "ms")+i, fmt.Sprintf("%s-%d", text(r, "tag"), i)) }()
		}
		var err error
		for range n {
			if e := <-errs; e != nil {
				err = e
			}
		}
		reply(w, text(r, "tag"), err)
	})
	mux.HandleFunc("/mutex", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		reply(w, text(r, "tag"), echoed(r.Context(), number(r, "ms"), text(r, "tag")))
	})
	mux.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) {
		v, ok := isolate.Env("GREETING")
		_, absent := isolate.Env("NOT_THERE")
		_, binding := isolate.Env("BACKEND")
		reply(w, []any{v, ok, absent, binding, cloudflare.Getenv("GREETING")}, nil)
	})
	mux.HandleFunc("/awaitjs", func(w http.ResponseWriter, r *http.Request) {
		v, err := isolate.Await(r.Context(), func() js.Value {
			return isolate.EnvValue().Get("BACKEND").Call("fetch", "http://backend/?ms=5&tag=js")
		})
		if err != nil {
			reply(w, nil, err)
			return
		}
		s, err := isolate.Await(r.Context(), func() js.Value { return v.Call("text") })
		reply(w, s.String(), err)
	})
	mux.HandleFunc("/awaitfail", func(w http.ResponseWriter, r *http.Request) {
		_, err := isolate.Await(r.Context(), func() js.Value {
			return js.Global().Get("Promise").Call("reject", js.Global().Get("TypeError").New("no"))
		})
		reply(w, fmt.Sprint(err), nil)
	})
	mux.HandleFunc("/log", func(w http.ResponseWriter, r *http.Request) {
		logMu.Lock()
		defer logMu.Unlock()
		reply(w, log[text(r, "id")], nil)
	})
	mux.HandleFunc("/stats", func(w http.ResponseWriter, r *http.Request) {
		runtime.GC()
		runtime.GC() // finalizers of js.Value run after the first
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		reply(w, map[string]any{"stats": isolate.Stats(), "heap": m.HeapAlloc, "objects": object.Count()}, nil)
	})
}
