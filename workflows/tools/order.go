package tools

import (
	"context"
	"encoding/json"
	"time"

	"levada.dev/events"
	"levada.dev/tenants"
)

// Caller is who wants tools run, and what may be run for them.
type Caller struct {
	Config *tenants.Config
	Actor  string                            // the name of the caller's key; empty when the tenant's door is open
	Allows func(scope tenants.APIScope) bool // what the key holds
	User   string
	Via    Via

	RequestID string
	Cause     events.Cause
}

// Via is the way on which a call came.
type Via string

// The ways.
const (
	ViaHTTP Via = "http" // POST /tools/execute, and MCP, which asks there
	ViaChat Via = "chat" // a model wanted it, or the request did
)

// Order is a call that somebody wants made.
type Order struct {
	Tool   string
	Input  json.RawMessage // nothing is an empty object
	Key    string          // an equal call with the same key is made once; "" makes it each time
	DryRun bool            // only says what would be done

	Progress func(Progress) // is told how far it is, by one goroutine at a time; may be nil
}

// Result is what came of a call.
type Result struct {
	ID       string          `json:"id"` // of the call; the audit trail has it
	Data     json.RawMessage `json:"data"`
	Duration time.Duration   `json:"duration"`
	Tokens   int64           `json:"tokens"`
	Nanos    int64           `json:"nanos"` // what it cost
	DryRun   bool            `json:"dryRun,omitempty"`
	Replayed bool            `json:"replayed,omitempty"` // it is that of an earlier call with the key
}

// Box is the tools of the platform and of its tenants; *Runner is the one there is.
type Box interface {
	// List is the tools that the caller may call, by name.
	List(c Caller) []Tool
	// Execute makes a call. The codes of what kept it from being made, and of its failure, are those of codes.go; a tool's fault.Limited is
	// returned as it is. The Result has the call's id also beside an error. Whatever becomes of the call is on record when Execute returns,
	// unless the caller's ctx ended and the call has a key: then it goes on without the caller. A dry run is on record when it is refused.
	Execute(ctx context.Context, s tenants.Scope, c Caller, o Order) (Result, error)
}

// Calls keeps what was called under a key.
//
// What a method has returned is durable. Keys are the tenant's. Safe for concurrent use.
type Calls interface {
	// Begin opens the call of a key, under the id, for as long as the lease. While it runs, another with the same hash is fault.Conflict, code
	// tool_running; one with another hash is idempotency_conflict. When it has ended it is told as Kept. When the lease is over and nobody has
	// ended it, it begins again under its first id, which is returned.
	Begin(ctx context.Context, s tenants.Scope, o Opening) (Begun, error)
	// End keeps the result of the call of a key, for ResultLife. A call that was ended, or begun again by another, is left as it is.
	End(ctx context.Context, s tenants.Scope, key, id string, lease int, r Result) error
	// Lapse ends the lease of a call that failed. With the key it begins again at once, under its first id: it may have done something.
	Lapse(ctx context.Context, s tenants.Scope, key, id string, lease int) error
	// Drop forgets a call that did nothing at all. The key is free for any other.
	Drop(ctx context.Context, s tenants.Scope, key, id string, lease int) error
}

// Opening is the beginning of a call under a key.
type Opening struct {
	Key   string        `json:"key"`
	Hash  string        `json:"hash"` // of tool and input
	ID    string        `json:"id"`
	Lease time.Duration `json:"lease"` // after which whoever began it is taken for dead
}

// Begun is a call that may be made, or the result that it had.
type Begun struct {
	ID    string  `json:"id"`
	Lease int     `json:"leaseNumber"` // which beginning it is; whoever has another ends nothing
	Kept  *Result `json:"kept,omitempty"`
}

// ResultLife is for how long a result is kept under its key.
const ResultLife = 24 * time.Hour
