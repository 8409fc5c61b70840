package isolate

import (
	"net/http"
	"strings"
	"unsafe"
)

// bufferLimit is the size from which a response streams without being asked to.
const bufferLimit = 256 << 10

// responseWriter keeps the response until the handler returns, so that a short one
// costs a single call of the glue, or streams it once it is flushed.
type responseWriter struct {
	task      *Task
	header    http.Header
	code      int
	wrote     bool
	streaming bool
	body      []byte
	err       error
}

var _ http.Flusher = (*responseWriter)(nil)

// usualHeaders is how many headers the last answer had: a map that need not grow is made in half the time.
var usualHeaders = 4

// Header implements http.ResponseWriter.
func (w *responseWriter) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header, usualHeaders)
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter.
func (w *responseWriter) WriteHeader(code int) {
	if !w.wrote {
		w.code, w.wrote = code, true
	}
}

// Write implements http.ResponseWriter. When the response streams, it waits while the
// client is behind, and returns an error once the client has gone.
func (w *responseWriter) Write(p []byte) (int, error) {
	w.wrote = true
	if w.err != nil {
		return 0, w.err
	}
	if w.streaming {
		return w.send(p)
	}
	w.body = append(w.body, p...)
	if len(w.body) > bufferLimit {
		w.Flush()
	}
	return len(p), w.err
}

// Flush implements http.Flusher: it starts the stream.
func (w *responseWriter) Flush() {
	if w.streaming || w.err != nil {
		return
	}
	if w.err = w.task.Enter(); w.err != nil {
		return
	}
	w.streaming = true
	jsStreamStart(w.task.id, int32(w.code), headerBlock(w.header))
	body := w.body
	w.body = nil
	_, _ = w.send(body) // the error stays in w.err
}

func (w *responseWriter) send(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if w.err = w.task.Enter(); w.err != nil {
		return 0, w.err
	}
	id := newOp(w.task)
	at, n := pointer(p)
	switch jsStreamWrite(w.task.id, id, at, n) {
	case 1:
		freeOp(id)
	case 0:
		if _, w.err = w.task.wait(w.task, id); w.err != nil {
			return 0, w.err
		}
	default:
		freeOp(id)
		w.err = ErrCanceled
		return 0, w.err
	}
	return len(p), nil
}

// finish sends what is left. Settling a promise is legal from any I/O context; the
// glue makes the Response in the right one.
func (w *responseWriter) finish() {
	t := w.task
	if w.streaming {
		if t.Enter() == nil {
			t.finish(jsStreamClose(t.id, ""))
		}
		return
	}
	usualHeaders = len(w.header)
	p, n := pointer(w.body)
	head := headerBlock(w.header)
	h := known(head)
	if h.arrived {
		head = ""
	}
	over := jsRespond(t.id, int32(w.code), h.id, head, p, n)
	h.arrived = h.id > 0
	t.finish(over)
}

func (w *responseWriter) abort() {
	t := w.task
	if w.streaming {
		if t.Enter() == nil {
			t.finish(jsStreamClose(t.id, "the handler aborted the response"))
		}
		return
	}
	const text = "internal error\n"
	t.finish(jsRespond(t.id, http.StatusInternalServerError, 0, "Content-Type\x00text/plain\n",
		unsafe.Pointer(unsafe.StringData(text)), int32(len(text))))
}

// A header block that recurs is sent as a number once its text has arrived: another
// goroutine may run, and use the same block, before the first use gets that far.
type knownHeader struct {
	id      int32
	arrived bool
}

var (
	headers     = map[string]*knownHeader{}
	otherHeader = &knownHeader{}
)

const (
	maxHeaders     = 128
	maxHeaderBlock = 160
)

func known(head string) *knownHeader {
	h := headers[head]
	if h == nil {
		if head == "" || len(headers) == maxHeaders || len(head) > maxHeaderBlock {
			return otherHeader
		}
		h = &knownHeader{id: int32(len(headers) + 1)}
		headers[head] = h
	}
	return h
}

// headerBlock is the header as lines of name, NUL, value.
func headerBlock(h http.Header) string {
	if len(h) == 1 {
		for k, vs := range h {
			if len(vs) == 1 && oneLine(vs[0]) {
				return k + "\x00" + vs[0] + "\n"
			}
		}
	}
	var b strings.Builder
	b.Grow(40 * len(h))
	for k, vs := range h {
		for _, v := range vs {
			if !oneLine(v) {
				v = lineSafe.Replace(v)
			}
			b.WriteString(k)
			b.WriteByte(0)
			b.WriteString(v)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func oneLine(v string) bool {
	for i := range len(v) {
		if c := v[i]; c == '\n' || c == 0 {
			return false
		}
	}
	return true
}

// A header value has no line breaks; net/http replaces them as well.
var lineSafe = strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ")
