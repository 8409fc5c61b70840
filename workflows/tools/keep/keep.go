package keep

import (
	"context"
	"encoding/json"
	"time"

	"levada.dev/tenants"
)

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

// MaxResultBytes is how long a tool's result may be.
const MaxResultBytes = 4_000_000

// CodeRunning says that a call with the key has not ended yet.
const CodeRunning = "tool_running"
