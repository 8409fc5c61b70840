package dev

import (
	"context"
	"encoding/json"
	"maps"

	"levada.dev/infra/stack"
)

// Disturbance is how calls that a Worker makes of one of its dependencies go wrong. They are met in the Worker, below the Go code and above
// the binding; nothing of it is in what is deployed.
type Disturbance struct {
	// Calls are those that meet it: one of the runtime's operations, "r2.put", or all of a kind, "kv", "r2", "queue", "object" (calls of
	// Durable Objects), "ai", "vectorize", "workflow", "alarm", "fetch" and "sql", which is the database of the Worker's own objects.
	Calls string `json:"calls"`
	// Binding is the one that is called, "LEDGER", or the class of the object whose database it is, "Ledger". Empty: each.
	Binding string `json:"binding,omitempty"`
	// On is what the key of the entry, the name of the object, or the model begins with, so that others go on. Empty: each.
	On string `json:"on,omitempty"`
	// Tenant is whose the calls are, so that others' go on: its name is that of the object or of the key's folder, or a value of what is sent, as in
	// messages, vectors and what the gateway is told of a call of a model. Empty: everybody's.
	Tenant string `json:"tenant,omitempty"`
	Mood   Mood   `json:"mood"`
	// Error is what is thrown.
	Error Thrown `json:"error"`
	// Times is how many calls meet it; 0 is each one until it ends.
	Times int `json:"times,omitempty"`
}

// Mood is when a call goes wrong.
type Mood string

// Moods of a dependency.
const (
	Fails Mood = "fails" // nothing is done
	Loses Mood = "loses" // it is done, and the answer gets lost
	Hangs Mood = "hangs" // no answer until the disturbance ends; then it is done. The database cannot hang: it fails
)

// Thrown is an error as Cloudflare's binding throws it.
type Thrown struct {
	Message    string
	Properties map[string]any
}

// MarshalJSON has the properties beside the message, as they are on the error.
func (t Thrown) MarshalJSON() ([]byte, error) {
	all := maps.Clone(t.Properties)
	if all == nil {
		all = map[string]any{}
	}
	all["message"] = t.Message
	return json.Marshal(all)
}

// What the bindings throw. Durable Objects: https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ and
// https://developers.cloudflare.com/durable-objects/observability/troubleshooting/. R2: https://developers.cloudflare.com/r2/api/error-codes/.
// Queues: https://github.com/cloudflare/workerd/issues/1483 and https://github.com/cloudflare/workerd/issues/6053.
var (
	ConnectionLost  = Thrown{"Network connection lost.", map[string]any{"retryable": true}}
	Overloaded      = Thrown{"Durable Object is overloaded. Too many requests queued.", map[string]any{"overloaded": true, "remote": true}}
	WasReset        = Thrown{"Durable Object reset because its code was updated.", map[string]any{"durableObjectReset": true, "retryable": true, "remote": true}}
	StorageFailed   = Thrown{"Internal error in Durable Object storage write caused object to be reset.", map[string]any{"durableObjectReset": true, "remote": true}}
	KVFailed        = Thrown{"KV GET failed: 500 Internal Server Error", nil}
	KVBusy          = Thrown{"KV PUT failed: 429 Too Many Requests", nil}
	R2Failed        = Thrown{"We encountered an internal error. Please try again. (10001)", nil}
	R2Busy          = Thrown{"Reduce your concurrent request rate for the same object. (10058)", nil}
	QueueFailed     = Thrown{"Queue send failed: Internal Server Error", nil}
	QueueOverloaded = Thrown{"Queue sendBatch failed: Queue is overloaded. Please back off.", nil}
	IndexFailed     = Thrown{"VECTOR_ERROR (code = 10001): vectorize.unknown_error", nil}
)

// Disturb has a Worker's calls go wrong; it takes the place of what was told that Worker before, and none ends it. Where several meet a call
// the first does. It lasts until the Worker is loaded again.
func (p *Platform) Disturb(ctx context.Context, role stack.Role, ds ...Disturbance) error {
	if ds == nil {
		ds = []Disturbance{}
	}
	return p.meters(ctx, role, "disturb", nil, ds)
}

// Struck is how many calls of the Worker each of its disturbances has met.
func (p *Platform) Struck(ctx context.Context, role stack.Role) (n []int, err error) {
	return n, p.meters(ctx, role, "struck", &n)
}
