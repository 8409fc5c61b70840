package letters

import (
	"context"

	"levada.dev/events"
	"levada.dev/tenants"
)

// Replay asks for letters to be sent again.
type Replay struct {
	Query  Query
	Cursor string // where an earlier call has stopped
	Limit  int    // letters; 0 for MaxReplay
	DryRun bool   // counts them only
	By     string // who asks
	Cause  events.Cause
}

// MaxReplay is how many letters one call sends again at most.
const MaxReplay = 500

// Replayed is what came of it.
type Replayed struct {
	DryRun    bool      `json:"dryRun,omitempty"`
	Matched   int       `json:"matched"`           // letters that were not replayed when the call began
	Replayed  int       `json:"replayed"`          // by this call
	Skipped   []Skipped `json:"skipped"`           // by this call
	Remaining int       `json:"remaining"`         // that are not replayed, also what was skipped
	Next      string    `json:"next,omitempty"`    // the cursor of what comes after those
	Stopped   string    `json:"stopped,omitempty"` // code of what ended the call early; ask again, from Next on
	Count     *Count    `json:"count,omitempty"`   // of a dry run
	Repeated  bool      `json:"-"`                 // an earlier call with the same idempotency key was answered so
}

// Receipts remembers for a day how requests with an idempotency key were answered.
type Receipts interface {
	// Open notes that a request came under a key, and answers what the first one was answered, nil when it was not answered
	// yet. When the first was another request it fails with fault.Conflict, code idempotency_conflict.
	Open(ctx context.Context, s tenants.Scope, key, hash string) ([]byte, error)
	// Close keeps the answer to what Open has noted. The first one stays.
	Close(ctx context.Context, s tenants.Scope, key string, answer []byte) error
}
