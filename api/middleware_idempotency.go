package api

import (
	"strings"

	"levada.dev/events"
	"levada.dev/events/fault"
)

// readIdempotencyKey takes the key under which the ledger remembers the request and its answer. What makes two requests
// the same is the producer's to say: it compares what was asked for, not its bytes.
func (c *call) readIdempotencyKey() error {
	key := c.r.Header.Get("Idempotency-Key")
	if len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return fault.Invalidf("", "idempotency_key_invalid", "the Idempotency-Key is not 1 to 255 printable ASCII characters")
	}
	c.idempotencyKey = key
	return nil
}

// cause is what the facts of this request follow from.
func (c *call) cause() events.Cause {
	return events.Cause{ID: c.requestID, TraceParent: c.traceParent, IdempotencyKey: c.idempotencyKey}
}
