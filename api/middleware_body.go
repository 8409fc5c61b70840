package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"runtime"
	"strings"
	"time"

	"levada.dev/events/fault"
)

// readBody reads the body as far as the limit goes, the tenant's or, where it is lower, that of the room for all bodies.
// What announces more is refused unread. A large body waits until there is room for it.
func (c *call) readBody() error {
	if err := isJSON(c.r.Header); err != nil {
		return err
	}
	return c.readBytes()
}

// readBytes is readBody for whatever the body is.
func (c *call) readBytes() error {
	limit := min(c.config.Limits.BodyBytes, c.opts.MaxBodyBytes)
	size := c.r.ContentLength
	if size > limit {
		return bodyTooLarge(limit)
	}
	if err := isPlain(c.r.Header); err != nil {
		return err
	}
	if size < 0 {
		return c.readUnknown(limit)
	}
	if err := c.takeRoom(size, limit); err != nil {
		return err
	}
	if whole, ok := c.r.Body.(interface{ Bytes() []byte }); ok { // it is here already; nobody writes to it
		c.body = whole.Bytes()
		if int64(len(c.body)) > limit {
			return bodyTooLarge(limit)
		}
		return nil
	}
	var buf bytes.Buffer
	buf.Grow(int(size) + bytes.MinRead)
	return c.readInto(&buf, limit, limit)
}

// readUnknown reads a body that does not say how long it is. It is taken for a small one until it shows that it is none.
func (c *call) readUnknown(limit int64) error {
	var buf bytes.Buffer
	small := min(smallBody, limit)
	if err := c.readInto(&buf, small, limit); err != nil || int64(buf.Len()) <= small {
		return err
	}
	if err := c.takeRoom(-1, limit); err != nil {
		return err
	}
	return c.readInto(&buf, limit, limit)
}

// readInto reads until buf has a byte more than most, or all of the body, which must not be above the limit.
func (c *call) readInto(buf *bytes.Buffer, most, limit int64) error {
	_, err := buf.ReadFrom(io.LimitReader(c.r.Body, most+1-int64(buf.Len())))
	var tooLarge *http.MaxBytesError
	switch {
	case int64(buf.Len()) > limit || errors.As(err, &tooLarge):
		return bodyTooLarge(limit)
	case err != nil:
		return fault.New(fault.Invalid, "body_incomplete", "the body ended early", err)
	}
	c.body = buf.Bytes()
	return nil
}

const (
	smallBody = 64 << 10         // needs no room kept for it
	largeBody = 4 << 20          // needs all of it
	roomWait  = 10 * time.Second // for room, so that a slow client does not hold up the others for good
)

// takeRoom waits until there is room for a body of the announced size, or of the limit when it announces none.
func (c *call) takeRoom(size, limit int64) error {
	if size < 0 {
		size = limit
	}
	if size <= smallBody {
		return nil
	}
	if _, err := c.wait(c.room.Acquire, size, c.room.Release); err != nil {
		return err
	}
	c.taken = size
	if size > largeBody {
		// A few allocations of this size outrun the collector, and the memory of a Worker is not much larger than they are:
		// what earlier ones have left goes now.
		runtime.GC()
	}
	return nil
}

// dropBody gives the room back. Nothing may look at the body any more.
func (c *call) dropBody() {
	c.body = nil
	c.room.Release(c.taken)
	c.taken = 0
}

func bodyTooLarge(limit int64) error {
	return withDetails(fault.New(fault.Invalid, "body_too_large", "the body is above the limit", nil), details{Limit: limit})
}

// isPlain refuses a body that would have to be unpacked.
func isPlain(h http.Header) error {
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fault.Invalidf("", "unsupported_encoding", "content-encoding %.40q is not supported", encoding)
	}
	return nil
}

// isJSON refuses what the decoder would only misread.
func isJSON(h http.Header) error {
	if err := isPlain(h); err != nil {
		return err
	}
	contentType := h.Get("Content-Type")
	if contentType == "application/json" {
		return nil
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err == nil && media == "application/json" && (params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8")) {
		return nil
	}
	return fault.Invalidf("", "unsupported_media_type", "content-type %.80q is not supported", contentType).
		WithHint("send content-type: application/json")
}
