package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"levada.dev/events/fault"
)

// readBody reads the body as far as the tenant's limit goes. What announces more is refused unread.
func (c *call) readBody() error {
	limit := c.config.Limits.BodyBytes
	if c.r.ContentLength > limit {
		return bodyTooLarge(limit)
	}
	if err := isJSON(c.r.Header); err != nil {
		return err
	}
	var buf bytes.Buffer
	if c.r.ContentLength > 0 {
		buf.Grow(int(c.r.ContentLength) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(c.r.Body, limit+1))
	var tooLarge *http.MaxBytesError
	switch {
	case n > limit || errors.As(err, &tooLarge):
		return bodyTooLarge(limit)
	case err != nil:
		return fault.New(fault.Invalid, "body_incomplete", "the body ended early", err)
	}
	c.body = buf.Bytes()
	return nil
}

func bodyTooLarge(limit int64) error {
	return withDetails(fault.New(fault.Invalid, "body_too_large", "the body is above the tenant's limit", nil), details{Limit: limit})
}

// isJSON refuses what the decoder would only misread.
func isJSON(h http.Header) error {
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fault.Invalidf("", "unsupported_encoding", "content-encoding %.40q is not supported", encoding)
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
