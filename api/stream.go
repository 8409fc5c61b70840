package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"levada.dev/workflows/chat"
)

// stream is an answer of server-sent events: what is appended to buf goes out with send.
type stream struct {
	w   *response
	buf []byte
}

// openStream answers the head.
func (c *call) openStream() *stream {
	h := c.w.Header()
	h["Content-Type"], h["Cache-Control"], h["X-Content-Type-Options"] = always.events, always.noCache, always.noSniff
	h["Server-Timing"] = []string{c.timings()}
	c.w.WriteHeader(http.StatusOK)
	s := streams.Get().(*stream)
	s.w = c.w
	return s
}

// streams serve again, for their buffers: a short answer that is there at once does not make one grow.
var streams = sync.Pool{New: func() any { return &stream{buf: make([]byte, 0, 8<<10)} }}

// free gives the stream back. Nothing is sent any more.
func (s *stream) free() {
	if cap(s.buf) <= 2*muchToSay {
		s.w, s.buf = nil, s.buf[:0]
		streams.Put(s)
	}
}

const eventStreamType = "text/event-stream"

// send writes what there is, and fails when the client has left.
func (s *stream) send() error {
	_, err := s.w.Write(s.buf)
	s.w.Flush()
	s.buf = s.buf[:0]
	return err
}

// end writes what there is left. The handler returns then, so there is no need to flush: an answer that was there at once
// goes out in one piece.
func (s *stream) end() { _, _ = s.w.Write(s.buf) } // a client that left is the log's business

// What a stream says besides its events.
const (
	retryHint = "retry: 1000\n\n" // milliseconds until a browser that was cut off comes back
	heartbeat = ":\n\n"
	muchToSay = 16 << 10 // is not held back for more
	beatEvery = 15 * time.Second
)

var beats = []byte(heartbeat)

// tell writes a turn's events as they come until the final one. Events that are there at once go out together.
func (c *call) tell(live chat.Live) error {
	s := c.openStream()
	defer s.free()
	if c.w.head {
		return nil
	}
	s.buf = append(s.buf, retryHint...)
	for {
		if len(s.buf) > muchToSay || len(s.buf) > 0 && !live.Ready() {
			if s.send() != nil {
				c.err = errClientLeft // the turn goes on
				return nil
			}
		}
		e, err := live.Next(c.ctx())
		switch {
		case errors.Is(err, io.EOF):
			s.end()
			return nil
		case err != nil:
			return err // without an end, which tells the client to come back
		case e.Type == "":
			s.buf = append(s.buf, heartbeat...)
			continue
		case e.Type == chat.Token:
			c.seen.First()
		case e.Type == chat.Error:
			c.err = turnFailed(e)
		}
		s.event(e.ID, string(e.Type), e.Data)
		if e.Type.Final() {
			s.end()
			return nil
		}
	}
}

// event appends one as https://html.spec.whatwg.org/multipage/server-sent-events.html has it.
func (s *stream) event(id int, kind string, data json.RawMessage) {
	b := append(s.buf, "id: "...)
	b = strconv.AppendInt(b, int64(id), 10)
	b = append(b, "\nevent: "...)
	b = append(b, kind...)
	b = append(b, "\ndata: "...)
	b = appendLine(b, data)
	s.buf = append(b, "\n\n"...)
}

// appendLine writes JSON as one line, which it usually is.
func appendLine(b []byte, data json.RawMessage) []byte {
	if bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') < 0 {
		return append(b, data...)
	}
	line := bytes.NewBuffer(b)
	_ = json.Compact(line, data) // events are JSON
	return line.Bytes()
}
