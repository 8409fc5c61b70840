package line

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"levada.dev/events/fault"
)

// Line is the API's end. Do sends a request to the MCP Worker; both bodies have to stream at the same time. The zero Line leads nowhere: nothing is answered.
type Line struct {
	Do func(*http.Request) (*http.Response, error)
}

// MaxQuestions is how many questions one request may raise. Messages of revisions that have batches are the only ones that raise more than two.
const MaxQuestions = 16

// Serve has the Worker answer r. Its questions go to back, with the context of r. When it fails before it has written anything the fault says so
// to the client; afterwards the answer is not whole. When it returns nothing goes on.
func (l Line) Serve(w http.ResponseWriter, r *http.Request, back http.Handler) error {
	if l.Do == nil {
		return unavailable(errors.New("no Worker is bound"))
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	ctx, cancel := context.WithCancel(r.Context())
	said, mouth := io.Pipe()
	t := &talk{ctx: ctx, w: w, back: back, mouth: mouth}
	defer t.working.Wait()
	defer cancel()
	defer mouth.Close()
	t.working.Go(func() {
		_ = Question{r.Method, r.URL.RequestURI(), r.Header, body}.write(mouth) // what fails here shows at the answer
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://mcp/", said)
	if err != nil {
		return err
	}
	resp, err := l.Do(req)
	if err != nil {
		return t.failed(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return t.failed(fmt.Errorf("it answered %d", resp.StatusCode))
	}
	if err := t.listen(resp.Body); err != nil {
		return t.failed(err)
	}
	return nil
}

// talk is one conversation.
type talk struct {
	ctx     context.Context
	w       http.ResponseWriter
	back    http.Handler
	mouth   *io.PipeWriter
	working sync.WaitGroup
	busy    atomic.Bool // with a question
	asked   int
	streams bool // the answer is one of events
}

// failed says what went wrong. A client that left is no failure of the Worker.
func (t *talk) failed(err error) error {
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	return unavailable(err)
}

func unavailable(cause error) error {
	return fault.Unavailablef(cause, "mcp_unavailable", "the Model Context Protocol is not answered at the moment")
}

// listen follows what the Worker says until its answer has ended.
func (t *talk) listen(from io.Reader) error {
	for {
		kind, b, err := readFrame(from)
		if err != nil {
			return err
		}
		switch kind {
		case question:
			err = t.question(b)
		case head:
			err = t.head(b)
		case data:
			if _, err = t.w.Write(b); err == nil && t.streams {
				flush(t.w)
			}
		case end:
			return nil
		default:
			err = fmt.Errorf("line: the answer ended with %q", kind)
		}
		if err != nil {
			return err
		}
	}
}

func (t *talk) head(b []byte) error {
	var h answerHead
	if err := json.Unmarshal(b, &h); err != nil {
		return err
	}
	out := t.w.Header()
	for name, values := range h.Header {
		out[name] = values
	}
	t.streams = strings.HasPrefix(out.Get("Content-Type"), "text/event-stream")
	t.w.WriteHeader(h.Status)
	return nil
}

func flush(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

// question answers one, beside what else the Worker says.
func (t *talk) question(b []byte) error {
	q, err := parseQuestion(b)
	if err != nil {
		return err
	}
	if t.asked++; t.asked > MaxQuestions {
		return fmt.Errorf("line: more than %d questions", MaxQuestions)
	}
	if !t.busy.CompareAndSwap(false, true) {
		return errors.New("line: a question before the one before was answered")
	}
	r, err := request(t.ctx, q)
	if err != nil {
		return err
	}
	t.working.Go(func() {
		a := &answer{send: func(kind byte, b []byte) error {
			if kind == end || kind == cut {
				t.busy.Store(false) // the next question may come before writeFrame has returned
			}
			return writeFrame(t.mouth, kind, b)
		}}
		last := byte(cut)
		defer func() {
			_ = recover() // an answer that was aborted; the handler has told its log why
			_ = a.finish(last)
		}()
		t.back.ServeHTTP(a, r)
		last = end
	})
	return nil
}
