package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"levada.dev/events/fault"
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
	h.Set("Content-Type", eventStreamType+"; charset=utf-8")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Server-Timing", c.timings())
	c.w.WriteHeader(http.StatusOK)
	return &stream{w: c.w, buf: make([]byte, 0, 1<<10)}
}

const eventStreamType = "text/event-stream"

// send writes what there is, and fails when the client has left.
func (s *stream) send() error {
	_, err := s.w.Write(s.buf)
	s.w.Flush()
	s.buf = s.buf[:0]
	return err
}

// What a stream of a turn says besides its events.
const (
	retryHint = "retry: 1000\n\n" // milliseconds until a browser that was cut off comes back
	heartbeat = ":\n\n"
	muchToSay = 16 << 10 // is not held back for more
)

// tell writes a turn's events as they come until the final one. Events that are there at once go out together.
func (c *call) tell(live chat.Live, first ...chat.Event) error {
	s := c.openStream()
	if c.w.head {
		return nil
	}
	s.buf = append(s.buf, retryHint...)
	for {
		var e chat.Event
		var err error
		if len(first) > 0 {
			e, first = first[0], first[1:]
		} else {
			if len(s.buf) > muchToSay || len(s.buf) > 0 && !live.Ready() {
				if s.send() != nil {
					return nil // the client left; the turn goes on
				}
			}
			e, err = live.Next(c.ctx())
		}
		switch {
		case errors.Is(err, io.EOF), err == nil && e.Type.Final():
			if err == nil {
				s.buf = appendEvent(s.buf, e)
			}
			_ = s.send()
			return nil
		case err != nil:
			return err // without an end, which tells the client to come back
		case e.Type == "":
			s.buf = append(s.buf, heartbeat...)
		default:
			s.buf = appendEvent(s.buf, e)
		}
	}
}

// appendEvent writes an event as https://html.spec.whatwg.org/multipage/server-sent-events.html has it.
func appendEvent(b []byte, e chat.Event) []byte {
	b = append(b, "id: "...)
	b = strconv.AppendInt(b, int64(e.ID), 10)
	b = append(b, "\nevent: "...)
	b = append(b, e.Type...)
	b = append(b, "\ndata: "...)
	b = appendLine(b, e.Data)
	return append(b, "\n\n"...)
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

// lastEventID is after which event a client wants the stream: the header, which browsers send when they come back, or
// ?lastEventId=, for the first time, when they send no headers of one's own.
func lastEventID(r *http.Request) (int, error) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" && r.URL.RawQuery != "" {
		last = r.URL.Query().Get("lastEventId")
	}
	if last == "" {
		return 0, nil
	}
	id, err := strconv.ParseUint(last, 10, 31)
	if err != nil {
		return 0, fault.Invalidf("lastEventId", "last_event_id_invalid", "%.40q is not the id of an event", last)
	}
	return int(id), nil
}
