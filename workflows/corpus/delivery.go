package corpus

import (
	"context"

	"levada.dev/events"
	"levada.dev/tenants"
)

// Delivery is one request of a source to its webhook, as it came.
type Delivery struct {
	Source *tenants.Source     // it has a webhook
	Header map[string][]string // under the names that net/http writes
	Body   []byte
	Cause  events.Cause // the request
	// Admit is asked once the signature is verified, before anything else is done: only a source takes of its rates. What it refuses is not
	// taken. It may be nil.
	Admit func() error
}

// Witness remembers, for a day, what came under which name.
//
// Attest notes the digest of what came. Under a name that something else came under before it fails with fault.Conflict, code
// delivery_changed. It is one transaction, what returned nil is durable, and it may be repeated. Safe for concurrent use.
type Witness interface {
	Attest(ctx context.Context, s tenants.Scope, name, digest string) error
}

// Delivered is what became of the events of a delivery, each list in their order.
type Delivered struct {
	Batch    bool            `json:"-"` // several events may have come, and none is the request's only one
	Accepted []AcceptedEvent `json:"accepted"`
	Ignored  []RefusedEvent  `json:"ignored,omitempty"` // sound events that bring nothing that can be searched
	Refused  []RefusedEvent  `json:"refused"`
}

// AcceptedEvent is an event that was taken. Index counts from 0.
type AcceptedEvent struct {
	Index     int    `json:"index"`
	EventID   string `json:"eventId"`
	DocID     string `json:"docId,omitempty"` // none of an event that started an import
	JobID     string `json:"jobId,omitempty"` // none when there was nothing to do: the document to delete does not exist
	Duplicate bool   `json:"duplicate,omitempty"`
}

// RefusedEvent is an event that was not taken, and why. The same event will not be taken another time.
type RefusedEvent struct {
	Index   int    `json:"index"`
	EventID string `json:"eventId,omitempty"` // when it could be read
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	Hint    string `json:"hint,omitempty"`
}
