package deploytest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// transport answers every request by a handler, and cuts the connection when that does.
type transport struct {
	handler http.Handler
	losses  *losses
}

func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer func() { _ = in.Body.Close() }() // as a transport does
	lost, answer := t.losses.turn(r)
	if lost && !answer {
		return nil, io.ErrUnexpectedEOF
	}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			resp, err = nil, io.ErrUnexpectedEOF
		} else if p != nil {
			panic(p)
		}
	}()
	rec := httptest.NewRecorder()
	t.handler.ServeHTTP(rec, in)
	if lost {
		return nil, io.ErrUnexpectedEOF
	}
	if err := r.Context().Err(); err != nil {
		return nil, err // the answer came too late
	}
	return rec.Result(), nil
}

// losses is which write is lost.
type losses struct {
	mu     sync.Mutex
	left   int // writes until then; 0 when none is to be lost
	answer bool
}

func (l *losses) set(n int, answer bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left, l.answer = n, answer
}

// turn reports whether a request is the one, and whether only its answer is lost.
func (l *losses) turn(r *http.Request) (lost, answer bool) {
	if l == nil || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == 0 {
		return false, false
	}
	l.left--
	return l.left == 0, l.answer
}
