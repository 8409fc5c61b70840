package clienttest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"levada.dev/infra/client"
)

// Inside sends requests to a handler in this process, so that a bubble of time (testing/synctest) holds both ends.
type Inside struct{ http.Handler }

var _ client.Doer = Inside{}

// Do implements client.Doer. The body arrives as it is written; a handler that panics breaks the connection.
func (d Inside) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	read, write := io.Pipe()
	w := &answer{header: http.Header{}, body: write, head: make(chan struct{})}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	go func() {
		defer func() {
			r.Body.Close() // as a transport does
			w.WriteHeader(http.StatusOK)
			if recover() != nil {
				write.CloseWithError(io.ErrUnexpectedEOF)
				return
			}
			write.Close()
		}()
		d.ServeHTTP(w, r)
	}()
	stop := context.AfterFunc(r.Context(), func() { write.CloseWithError(context.Cause(r.Context())) })
	select {
	case <-w.head:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: w.status, Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), Header: w.header, Body: body{read, stop}, Request: r}, nil
}

type body struct {
	*io.PipeReader
	stop func() bool
}

func (b body) Close() error {
	b.stop()
	return b.PipeReader.Close()
}

type answer struct {
	header http.Header
	status int
	body   *io.PipeWriter
	once   sync.Once
	head   chan struct{}
}

func (w *answer) Header() http.Header { return w.header }
func (w *answer) Flush()              {}
func (w *answer) WriteHeader(status int) {
	w.once.Do(func() {
		w.status = status
		close(w.head)
	})
}

func (w *answer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
