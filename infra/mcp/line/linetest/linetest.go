// Package linetest connects both ends of a line in one process, as a service binding does.
package linetest

import (
	"io"
	"net/http"
	"sync"
)

// Do returns what sends a request to a handler. Both bodies stream at the same time: the answer is there once the handler has written or flushed
// something, or has returned.
func Do(h http.Handler) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		out, in := io.Pipe()
		w := &writer{in: in, header: http.Header{}, begun: make(chan struct{}), status: http.StatusOK}
		r = r.Clone(r.Context())
		go func() {
			defer func() {
				if p := recover(); p != nil {
					_ = in.CloseWithError(io.ErrUnexpectedEOF)
				}
				w.Flush()
				_ = in.Close()
				_ = r.Body.Close()
			}()
			h.ServeHTTP(w, r)
		}()
		select {
		case <-w.begun:
		case <-r.Context().Done():
			_ = out.Close()
			_ = r.Body.Close()
			return nil, r.Context().Err()
		}
		return &http.Response{StatusCode: w.status, Header: w.header, Body: out, ContentLength: -1, Request: r}, nil
	}
}

type writer struct {
	in     *io.PipeWriter
	header http.Header
	once   sync.Once
	begun  chan struct{}
	status int
}

// Header implements http.ResponseWriter.
func (w *writer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) { w.once.Do(func() { w.status = status; close(w.begun) }) }

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	w.Flush()
	return w.in.Write(b)
}

// Flush implements http.Flusher.
func (w *writer) Flush() { w.WriteHeader(http.StatusOK) }
