package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/chat"
)

const linesType = "application/x-ndjson"

// exportSession answers all that is kept of a session as a file, page after page: one JSON document, or, with
// ?format=ndjson, the session in the first line and a message in each that follows.
func exportSession(c *call) error {
	x := export{c: c}
	switch format := c.r.URL.Query().Get("format"); format {
	case "", "json":
	case "ndjson":
		x.lines = true
	default:
		return fault.Invalidf("format", "invalid_query", "is json or ndjson, not %.40q", format)
	}
	t, err := c.transcript("", largestPage)
	if err != nil {
		return err
	}
	x.open(t)
	if c.w.head {
		return nil
	}
	if err := x.begin(t); err != nil {
		return err
	}
	for {
		if err := x.messages(t.Messages); err != nil {
			return err
		}
		if t.Cursor == "" {
			return x.end()
		}
		if t, err = c.transcript(t.Cursor, largestPage); err != nil {
			return err // without an end: what the client has is not all of it
		}
	}
}

// export writes a session, page by page.
type export struct {
	c     *call
	lines bool
	count int // of the messages so far
	buf   bytes.Buffer
}

// open answers the head.
func (x *export) open(t chat.Transcript) {
	media, suffix := jsonType, "json"
	if x.lines {
		media, suffix = linesType, "ndjson"
	}
	h := x.c.w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `attachment; filename="session-`+t.SessionID+"."+suffix+`"`) // an id has no quotes
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Server-Timing", x.c.timings())
	x.c.w.WriteHeader(http.StatusOK)
}

// begin writes what the session is. In a document, its messages are its last field.
func (x *export) begin(t chat.Transcript) error {
	if err := x.encode(struct {
		SessionID string    `json:"sessionId"`
		UserID    string    `json:"userId,omitempty"`
		Summary   string    `json:"summary,omitempty"`
		CreatedAt time.Time `json:"createdAt"`
		UpdatedAt time.Time `json:"updatedAt"`
	}{t.SessionID, t.UserID, t.Summary, t.CreatedAt, t.UpdatedAt}); err != nil {
		return err
	}
	if !x.lines {
		x.buf.Truncate(x.buf.Len() - len("}\n"))
		x.buf.WriteString(`,"messages":[`)
	}
	return nil
}

// messages writes a page of them.
func (x *export) messages(page []chat.Entry) error {
	for _, e := range page {
		if x.count++; x.count > 1 && !x.lines {
			x.buf.WriteByte(',')
		}
		if err := x.encode(e); err != nil {
			return err
		}
	}
	_, err := x.c.w.Write(x.buf.Bytes())
	x.buf.Reset()
	return err
}

func (x *export) end() error {
	if x.lines {
		return nil
	}
	_, err := x.c.w.Write([]byte("]}\n"))
	return err
}

// encode writes a line of JSON.
func (x *export) encode(v any) error {
	enc := json.NewEncoder(&x.buf)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
