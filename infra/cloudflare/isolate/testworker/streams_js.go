package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"time"

	"levada.dev/infra/cloudflare/kv"
)

func streamRoutes(mux *http.ServeMux) {
	mux.HandleFunc("/sse", func(w http.ResponseWriter, r *http.Request) {
		id := text(r, "id")
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		defer note("sse"+id, "returned")
		pause := time.Duration(number(r, "ms")) * time.Millisecond
		for i := range number(r, "n") {
			if _, err := fmt.Fprintf(w, "data: %s %d\n\n", id, i); err != nil {
				return
			}
			switch text(r, "by") {
			case "io":
				if echoed(r.Context(), number(r, "ms"), id) != nil {
					return
				}
			case "ctx":
				select {
				case <-time.After(pause):
				case <-r.Context().Done():
					return
				}
			default:
				time.Sleep(pause)
			}
		}
	})
	mux.HandleFunc("/proxy", func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://backend/?"+r.URL.RawQuery, nil)
		if err != nil {
			reply(w, nil, err)
			return
		}
		resp, err := backend.RoundTrip(req)
		if err != nil {
			reply(w, nil, err)
			return
		}
		defer resp.Body.Close()
		w.(http.Flusher).Flush()
		_, _ = io.Copy(w, resp.Body)
	})
	mux.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		reply(w, map[string]any{"bytes": n, "sum": fmt.Sprintf("%x", h.Sum(nil)), "length": r.ContentLength}, err)
	})
	// A body made in Go, of known or unknown size, streamed to the backend.
	mux.HandleFunc("/send", func(w http.ResponseWriter, r *http.Request) {
		n, size := number(r, "n"), int64(-1)
		if text(r, "sized") != "" {
			size = int64(n)
		}
		upload(w, r.Context(), &counting{left: n, fail: number(r, "fail")}, size)
	})
	mux.HandleFunc("/forward", func(w http.ResponseWriter, r *http.Request) { upload(w, r.Context(), r.Body, r.ContentLength) })
	mux.HandleFunc("/abort", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "partial")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/operations", func(w http.ResponseWriter, r *http.Request) {
		for range number(r, "n") {
			_, _ = kv.Open("NOWHERE").Get(r.Context(), "k", nil) // which costs nothing else
		}
		_, _ = io.WriteString(w, "done")
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), number(r, "n")))
	})
}

func upload(w http.ResponseWriter, ctx context.Context, body io.Reader, size int64) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://backend/", body)
	if err != nil {
		reply(w, nil, err)
		return
	}
	req.ContentLength = size
	resp, err := backend.RoundTrip(req)
	if err != nil {
		reply(w, nil, err)
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(w, resp.Body)
}

// counting yields bytes 0, 1, 2, ... and fails once fail are read, if that is set.
type counting struct{ read, left, fail int }

func (c *counting) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	if c.fail > 0 && c.read >= c.fail {
		return 0, fmt.Errorf("the source broke")
	}
	n := min(len(p), c.left, 10_000)
	for i := range n {
		p[i] = byte(c.read + i)
	}
	c.read += n
	c.left -= n
	return n, nil
}
