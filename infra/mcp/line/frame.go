package line

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// The kinds of frame.
const (
	question = 'q' // a request: its head as JSON, a line feed, its body
	head     = 'h' // of an answer, as JSON
	data     = 'd' // of the answer's body
	end      = 'e' // the answer is whole
	cut      = 'x' // the answer ended early
)

// maxFrame bounds what one frame takes of the memory.
const maxFrame = 32 << 20

// maxData is how much of a body is one frame at most.
const maxData = 256 << 10

const prefix = 5 // bytes before what a frame holds

// writeFrame writes a frame in one piece.
func writeFrame(w io.Writer, kind byte, parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n > maxFrame {
		return fmt.Errorf("line: a frame of %d bytes is above the limit of %d", n, maxFrame)
	}
	b := make([]byte, prefix, prefix+n)
	b[0] = kind
	binary.BigEndian.PutUint32(b[1:], uint32(n))
	for _, p := range parts {
		b = append(b, p...)
	}
	_, err := w.Write(b)
	return err
}

// readFrame reads the next frame. A conversation that ends between two frames has ended early all the same.
func readFrame(r io.Reader) (kind byte, body []byte, err error) {
	var b [prefix]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, nil, unexpected(err)
	}
	n := binary.BigEndian.Uint32(b[1:])
	if n > maxFrame {
		return 0, nil, fmt.Errorf("line: a frame of %d bytes is above the limit of %d", n, maxFrame)
	}
	body = make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, unexpected(err)
	}
	return b[0], body, nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Question is a request, whole.
type Question struct {
	Method string      `json:"method"`
	Target string      `json:"target"` // path and query
	Header http.Header `json:"header,omitempty"`
	Body   []byte      `json:"-"`
}

// write writes the question as a frame.
func (q Question) write(w io.Writer) error {
	b, err := json.Marshal(q)
	if err != nil {
		return err
	}
	return writeFrame(w, question, b, []byte{'\n'}, q.Body)
}

func parseQuestion(b []byte) (Question, error) {
	var q Question
	n := 0
	for n < len(b) && b[n] != '\n' { // JSON has none
		n++
	}
	if n == len(b) {
		return q, fmt.Errorf("line: a question without a body")
	}
	if err := json.Unmarshal(b[:n], &q); err != nil {
		return q, fmt.Errorf("line: a question's head: %w", err)
	}
	q.Body = b[n+1:]
	return q, nil
}

// answerHead is what a head frame holds.
type answerHead struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
}

// answer is a response that goes out as frames.
type answer struct {
	header http.Header
	begun  bool
	send   func(kind byte, b []byte) error
	err    error
}

var _ http.Flusher = (*answer)(nil)

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.begun {
		return
	}
	a.begun = true
	b, err := json.Marshal(answerHead{status, a.header})
	if err == nil {
		err = a.send(head, b)
	}
	a.err = err
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (n int, err error) {
	a.WriteHeader(http.StatusOK)
	for rest := p; len(rest) > 0 && a.err == nil; {
		k := min(len(rest), maxData)
		if a.err = a.send(data, rest[:k]); a.err == nil {
			n, rest = n+k, rest[k:]
		}
	}
	return n, a.err
}

// Flush implements http.Flusher: nothing is held back.
func (a *answer) Flush() {}

// finish ends the answer.
func (a *answer) finish(kind byte) error {
	a.WriteHeader(http.StatusOK)
	if a.err == nil {
		a.err = a.send(kind, nil)
	}
	return a.err
}
