package api

import (
	"io"

	"github.com/google/uuid"

	"levada.dev/events/trace"
)

// identify gives the request its id and its place in a trace, the caller's own where it sent sound ones; parent is the caller's place then.
func (c *call) identify() (span, parent trace.Parent, err error) {
	if c.requestID, err = requestID(c.r.Header.Get("X-Request-Id"), c.opts.Random); err != nil {
		return span, parent, err
	}
	if parent, err = trace.Parse(c.r.Header.Get("Traceparent")); err == nil {
		span, err = parent.Child(c.opts.Random)
	} else {
		span, err = trace.New(c.opts.Random)
		span = c.opts.Watch.Begins(span)
	}
	if err != nil {
		return span, parent, err
	}
	c.traceID, c.traceParent = span.TraceID(), span.String()
	h, values := c.w.Header(), [...]string{c.requestID, c.traceParent}
	h["X-Request-Id"], h["Traceparent"] = values[0:1:1], values[1:2:2]
	return span, parent, nil
}

// requestID is the caller's when it is a UUID in its usual form, else a new one.
func requestID(sent string, random io.Reader) (string, error) {
	if len(sent) == 36 {
		if id, err := uuid.Parse(sent); err == nil {
			return id.String(), nil
		}
	}
	id, err := uuid.NewRandomFromReader(random)
	return id.String(), err
}
