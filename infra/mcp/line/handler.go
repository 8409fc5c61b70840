package line

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Ask asks the API a question on behalf of the client. The caller closes the answer's body, and asks the next question only then: until it is closed
// another Ask waits. The body fails when the answer ended early.
type Ask func(Question) (*http.Response, error)

// Handler is the Worker's end: h answers what a client sent, and may ask. What h writes is the answer.
func Handler(h func(w http.ResponseWriter, r *http.Request, ask Ask)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, b, err := readFrame(r.Body)
		if err != nil || kind != question {
			http.Error(w, "this Worker answers the API alone", http.StatusBadRequest)
			return
		}
		q, err := parseQuestion(b)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		passed, err := request(r.Context(), q)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		flush(w) // the API waits for the head before it can hear a question
		e := &side{heard: r.Body, w: w}
		a := &answer{send: e.say}
		last := byte(cut)
		defer func() { _ = a.finish(last) }()
		h(a, passed, e.ask)
		last = end
	})
}

// request is a question as a request.
func request(ctx context.Context, q Question) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, q.Method, "http://api"+q.Target, bytes.NewReader(q.Body))
	if err != nil {
		return nil, fmt.Errorf("line: %w", err)
	}
	if q.Header != nil {
		r.Header = q.Header
	}
	r.RequestURI = q.Target
	return r, nil
}

// side is the Worker's end of one conversation.
type side struct {
	heard  io.Reader
	asking sync.Mutex // from a question to the end of its answer

	saying sync.Mutex
	w      http.ResponseWriter
}

// say writes a frame.
func (e *side) say(kind byte, b []byte) error {
	e.saying.Lock()
	defer e.saying.Unlock()
	err := writeFrame(e.w, kind, b)
	flush(e.w)
	return err
}

func (e *side) ask(q Question) (*http.Response, error) {
	e.asking.Lock()
	resp, err := e.put(q)
	if err != nil {
		e.asking.Unlock()
	}
	return resp, err
}

func (e *side) put(q Question) (*http.Response, error) {
	e.saying.Lock()
	err := q.write(e.w)
	flush(e.w)
	e.saying.Unlock()
	if err != nil {
		return nil, err
	}
	kind, b, err := readFrame(e.heard)
	if err != nil {
		return nil, err
	}
	var h answerHead
	if kind != head {
		return nil, fmt.Errorf("line: an answer began with %q", kind)
	}
	if err := json.Unmarshal(b, &h); err != nil {
		return nil, err
	}
	if h.Header == nil {
		h.Header = http.Header{}
	}
	return &http.Response{StatusCode: h.Status, Header: h.Header, Body: &body{end: e}, ContentLength: -1}, nil
}

// body is that of an answer to a question.
type body struct {
	end  *side
	rest []byte
	err  error // io.EOF at its end
	shut bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		kind, rest, err := readFrame(b.end.heard)
		switch {
		case err != nil:
			b.err = err
		case kind == data:
			b.rest = rest
		case kind == end:
			b.err = io.EOF
		default:
			b.err = io.ErrUnexpectedEOF
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close implements io.Closer. What is left of the answer is read, so that the next one follows it.
func (b *body) Close() error {
	if b.shut {
		return nil
	}
	b.shut = true
	_, _ = io.Copy(io.Discard, b)
	b.end.asking.Unlock()
	return nil
}
