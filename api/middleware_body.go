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
	if err := c.takeRoom(size); err != nil {
		return err
	}
	if whole, ok := c.r.Body.(interface{ Bytes() []byte }); ok { // it is here already, and nobody else writes to it
		c.body = whole.Bytes()
		if int64(len(c.body)) > limit {
			return bodyTooLarge(limit)
		}
		return nil
	}
	makeWay(size)
	var buf bytes.Buffer
	buf.Grow(int(size) + bytes.MinRead)
	n, err := buf.ReadFrom(io.LimitReader(c.r.Body, limit+1))
	c.body = buf.Bytes()
	return incomplete(n, limit, err)
}

// readUnknown reads a body that does not say how long it is. It is taken for a small one until it shows that it is none. A large one has room
// for the longest there may be, at once: one that doubles its way up is in memory three times.
func (c *call) readUnknown(limit int64) error {
	var buf bytes.Buffer
	n, err := readOn(&buf, c.r.Body, min(smallBody, limit))
	if err == nil && n > smallBody && n <= limit {
		if err := c.takeRoom(limit); err != nil {
			return err
		}
		n, err = readOn(&buf, c.r.Body, min(mediumBody, limit))
	}
	if err == nil && n > mediumBody && n <= limit {
		makeWay(limit)
		buf = *bytes.NewBuffer(append(make([]byte, 0, limit+1+bytes.MinRead), buf.Bytes()...))
		n, err = readOn(&buf, c.r.Body, limit)
	}
	c.body = buf.Bytes()
	return incomplete(n, limit, err)
}

// readOn reads until the buffer has a byte more than the most, and returns how many it has.
func readOn(buf *bytes.Buffer, body io.Reader, most int64) (int64, error) {
	_, err := buf.ReadFrom(io.LimitReader(body, most+1-int64(buf.Len())))
	return int64(buf.Len()), err
}

// incomplete says what is wrong with a body of which n bytes were read, a byte more than the limit at most, until err.
func incomplete(n, limit int64, err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case n > limit || errors.As(err, &tooLarge):
		return bodyTooLarge(limit)
	case err != nil:
		return fault.New(fault.Invalid, "body_incomplete", "the body ended early", err)
	}
	return nil
}

const (
	smallBody  = 64 << 10         // needs no room kept for it
	mediumBody = 1 << 20          // may double its way up
	largeBody  = 4 << 20          // needs what earlier work has left
	roomWait   = 10 * time.Second // for room, so that a slow client does not hold up the others for good
)

// takeRoom waits until there is room for a body of a size. What is inside another request takes none of what that one holds: they would wait for each
// other.
func (c *call) takeRoom(size int64) error {
	if size -= c.lent; size <= smallBody {
		return nil
	}
	if _, err := c.wait(c.room.Acquire, size, c.room.Release); err != nil {
		return err
	}
	c.taken = size
	return nil
}

// makeWay runs the collector before something large is made. A few allocations of this size outrun it, and the memory of a Worker is not
// much larger than they are: what earlier ones have left goes now.
func makeWay(size int64) {
	if size > largeBody {
		runtime.GC()
	}
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
		return fault.Invalidf("", "unsupported_encoding", "content-encoding %.40q is not supported", encoding).
			WithHint("send the body as it is, without content-encoding")
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
