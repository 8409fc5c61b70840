package erasure

import (
	"context"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

// Kind is the flow that erases a tenant.
const Kind flow.Kind = "erasure"

// Request asks for the erasure of everything.
type Request struct {
	JobID string       `json:"jobId"`
	By    string       `json:"by,omitempty"` // the name of the API key
	Cause events.Cause `json:"cause"`
}

// Ledger is what an erasure needs of the tenant's ledger. Each call is one transaction and may be repeated; what returned nil is
// durable. While an erasure goes on the ledger takes no document and no import: fault.Conflict, code tenant_erasing.
type Ledger interface {
	// OpenErasure closes the ledger, opens the job, and takes tenant.erasure.requested into the outbox. While an erasure goes on it
	// answers with that one, and with the idempotency key of the last one with the last one (Replayed).
	OpenErasure(ctx context.Context, s tenants.Scope, r Request) (corpus.Receipt, error)
	// NoteErasure notes how far the erasure has come, and returns its job. One that has ended stays as it is.
	NoteErasure(ctx context.Context, s tenants.Scope, n Note) (job.Job, error)
	// DropErased forgets so many rows at most of documents, jobs and whatever belongs to them, and says whether there are more. It keeps the
	// highest number that a generation had: those of later documents are above it, so late work of before is never theirs.
	DropErased(ctx context.Context, s tenants.Scope, jobID string, limit int) (more bool, err error)
	// EndErasure ends the job and opens the ledger. Unless it failed, tenant.erased goes into the outbox.
	EndErasure(ctx context.Context, s tenants.Scope, jobID string, failed *job.Problem) (job.Job, error)
}

// Gate is what lets requests of the tenant in: the ledger of its money does. Each call may be repeated.
type Gate interface {
	// Bar refuses what writes from now on: fault.Conflict, code tenant_erasing. Within seconds nothing is let in any more. It tells whether
	// a call of a model may still be in flight that was let in before. It holds for two days, unless it is renewed.
	Bar(ctx context.Context, s tenants.Scope, by string) (busy bool, err error)
	// Unbar lets in again what the same had barred.
	Unbar(ctx context.Context, s tenants.Scope, by string) error
}

// Note is how far an erasure has come.
type Note struct {
	JobID   string      `json:"jobId"`
	Stage   string      `json:"stage"`
	Stores  []job.Store `json:"stores,omitempty"`
	Checked bool        `json:"checked,omitempty"` // the stores were asked what they have left
}

// Store is something that keeps what is a tenant's. Each call may be repeated.
type Store interface {
	// Name is what receipts call it.
	Name() string
	// Sweep removes so many of the tenant's things at most, and says whether there may be more.
	Sweep(ctx context.Context, s tenants.Scope, limit int) (removed int, more bool, err error)
	// Left is how many there are, or, when there are many, at least how many.
	Left(ctx context.Context, s tenants.Scope) (int, error)
}
