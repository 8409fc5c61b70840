package reembed

import (
	"context"
	"time"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

// Kind is the flow that fills a space, and the one that empties it.
const Kind flow.Kind = "reembed"

// Request asks for a move to a model, or, with Drop, for the removal of what is in its space.
type Request struct {
	JobID string       `json:"jobId"`
	Model string       `json:"model"`
	Stay  bool         `json:"stay,omitempty"` // only fill: searches stay where they are
	Drop  bool         `json:"drop,omitempty"`
	Cause events.Cause `json:"cause"`
}

// Spaces is where a tenant's vectors are.
type Spaces struct {
	// Active is the model whose space searches use and new documents are written to; "" before the first document.
	Active string `json:"active,omitempty"`
	// Target is the model whose space is being filled, or emptied, by the job.
	Target string `json:"target,omitempty"`
	Phase  Phase  `json:"phase,omitempty"`
	JobID  string `json:"jobId,omitempty"`
	// Kept are the other models in whose spaces there may be vectors.
	Kept []string `json:"kept,omitempty"`
}

// Phase is how far a move has come.
type Phase string

// The phases.
const (
	// Idle: there is no move.
	Idle Phase = ""
	// Filling: what is searchable is brought to the target. What becomes searchable meanwhile is noted, and brought there, too.
	Filling Phase = "filling"
	// Turning: what becomes searchable has to be in both spaces from now on, so what is noted gets no longer.
	Turning Phase = "turning"
	// Settling: searches use the target. What was on its way in the other space becomes searchable once it is in this one.
	Settling Phase = "settling"
	// Dropping: the vectors of the target are removed.
	Dropping Phase = "dropping"
)

// Missing is what a space lacks.
type Missing struct {
	Documents int   `json:"documents"`
	Chunks    int   `json:"chunks"`
	Tokens    int64 `json:"tokens"` // as they were counted when the document was embedded first
	// Next is the cursor of the rest; "" at the end.
	Next string `json:"next,omitempty"`
}

// Asked asks for the next documents of a move.
type Asked struct {
	JobID string `json:"jobId"`
	// Cursor is the Next of the batch before, of which everything was done (Filled); "" for the first.
	Cursor string `json:"cursor,omitempty"`
	Chunks int    `json:"chunks"` // about so many at most; one document is taken whatever it has
	// Total is how many documents there are to be done, as far as is known: what the job's percentage is of.
	Total int `json:"total,omitempty"`
}

// Batch is documents to be brought to the target, or, of a drop, taken away from it. It may be empty and not the last: a call looks at a
// bounded number of rows.
type Batch struct {
	Spaces Spaces `json:"spaces"`
	Works  []Work `json:"works,omitempty"`
	Next   string `json:"next,omitempty"` // where the next call goes on
	// Last says that the phase needs no more than these: when they are done, Turn may follow on filling, Switch on turning, EndMove on
	// dropping, and on settling when nothing is late any more.
	Last bool `json:"last,omitempty"`
	// Over says that the job has ended, and nothing is to be done any more.
	Over bool `json:"over,omitempty"`
}

// Work is a generation of a document.
type Work struct {
	corpus.Generation
	Title  string `json:"title,omitempty"` // as it was embedded with
	Chunks int    `json:"chunks"`
	// TextKey is where the text is that the chunks point into.
	TextKey string `json:"textKey"`
}

// Done is what became of a work: its vectors are in the target, or not any more, or, with a Code, could not be made.
type Done struct {
	corpus.Generation
	Cost    job.Cost `json:"cost,omitzero"`
	Code    string   `json:"code,omitempty"`
	Message string   `json:"message,omitempty"`
}

// Ledger is what a move needs of the tenant's ledger. Each call is one transaction and may be repeated; what returned nil is durable.
//
// A generation is taken before anything is written for it, and what was taken is named by whoever removes the generation: so
// whatever dies, nothing stays in a space that the ledger does not know of. Whoever has written, though, has to say so (Filled), also when
// the job has ended meanwhile, as that is how it learns that the generation is gone and what it wrote is to be removed.
//
// A job that is not the one under way is refused by Turn and Switch: fault.Conflict, code embedding_over.
type Ledger interface {
	// Spaces tells where the vectors are.
	Spaces(ctx context.Context, s tenants.Scope) (Spaces, error)
	// Missing counts what the model's space lacks of what is searchable, a bounded number of documents a call.
	Missing(ctx context.Context, s tenants.Scope, model, cursor string) (Missing, error)
	// OpenMove opens the job and takes tenant.embedding.requested into the outbox. While one goes on that asks for the same it answers
	// with that one (Replayed), and refuses another: fault.Conflict, code embedding_moving. It refuses the model that is active already
	// (embedding_active), also to drop it, and any drop before the first document (space_empty), as that may come for the very space. A drop makes the space one in which nothing is at once, so that half a drop leaves none that looks whole, and
	// cannot be cancelled.
	OpenMove(ctx context.Context, s tenants.Scope, r Request) (corpus.Receipt, error)
	// TakeWorks names documents that the target lacks, those among them that were noted first, and marks them as taken. What was taken and not
	// done is named again; what has failed is not, in the same job. Of a drop it names those that may have vectors in the target.
	TakeWorks(ctx context.Context, s tenants.Scope, a Asked) (Batch, error)
	// Filled records what was done, and says of each, in order, what that means, as corpus.Ledger's Advance does: when it is stale, what was
	// written for it is to be removed from the target, which may be done at any time later; when it is complete, it is searchable, and Retired is to be removed. Of a drop it
	// counts what was done, and the verdicts are empty.
	Filled(ctx context.Context, s tenants.Scope, jobID string, ds []Done) ([]corpus.Verdict, error)
	// Turn begins the phase in which what becomes searchable has to be in both spaces: fault.Conflict, code space_incomplete, until TakeWorks
	// has said that its batch is the last.
	Turn(ctx context.Context, s tenants.Scope, jobID string) error
	// Switch makes the target the active space, unless something searchable is missing in it: fault.Conflict, code space_incomplete.
	// tenant.embedding.switched goes into the outbox.
	Switch(ctx context.Context, s tenants.Scope, jobID string) error
	// Late is how many documents are still on their way to another space than the active one.
	Late(ctx context.Context, s tenants.Scope, jobID string) (int, error)
	// EndMove ends the job, and the phase: what was held back for the target's sake becomes searchable, some of it a little later; what was on
	// its way to a space that is not active any more, and is not in that one, fails (space_left). Where a move has not failed, and has not come
	// to its end either, it is refused (space_incomplete).
	EndMove(ctx context.Context, s tenants.Scope, jobID string, failed *job.Problem) (job.Job, error)
}

// Estimate is what a move would take.
type Estimate struct {
	Missing
	From  string        `json:"from"`
	To    string        `json:"to"`
	Nanos int64         `json:"nanos"` // billionths of a US dollar
	Time  time.Duration `json:"time"`
}
