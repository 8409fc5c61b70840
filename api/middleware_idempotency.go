package api

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"levada.dev/events"
	"levada.dev/events/fault"
)

// readIdempotencyKey takes the key under which the ledger remembers the request and its answer.
func (c *call) readIdempotencyKey() error {
	key := c.r.Header.Get("Idempotency-Key")
	if len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return fault.Invalidf("", "idempotency_key_invalid", "the Idempotency-Key is not 1 to 255 printable ASCII characters")
	}
	c.idempotencyKey = key
	return nil
}

// requestHash tells two requests under one idempotency key apart; empty without a key.
func (c *call) requestHash() string {
	if c.idempotencyKey == "" {
		return ""
	}
	h := sha256.New()
	h.Write([]byte(c.route.pattern))
	h.Write([]byte{0})
	h.Write(c.body)
	return hex.EncodeToString(h.Sum(nil))
}

// cause is what the facts of this request follow from.
func (c *call) cause() events.Cause {
	return events.Cause{ID: c.requestID, TraceParent: c.traceParent, IdempotencyKey: c.idempotencyKey}
}
