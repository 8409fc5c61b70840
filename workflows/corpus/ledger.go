package corpus

import (
	"context"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
)

// Ledger is the book of one tenant's documents and of the jobs that follow them.
//
// Each call is one transaction: it happens whole or not at all, calls on one tenant are serial, and what
// returned nil is durable. Every call may be repeated. Another tenant's document or job and one that does not
// exist give the same fault.NotFound (document_not_found, job_not_found).
type Ledger interface {
	// SubmitAll opens for each submission the next generation of its document, with its job, and answers for each, in
	// order, what became of it: one that is refused does not hold up the others. When its turn has come,
	// document.submitted, or document.requested if it is to be fetched, goes into the outbox, from which it reaches its queue at least once even if the
	// caller dies. With an idempotency key it answers a repetition with the first receipt (Replayed), and
	// refuses with fault.Conflict, code idempotency_conflict, when the request differs. The same job again is the same
	// submission, and is answered with its receipt. When the document is searchable already as it is submitted, and nothing
	// newer was submitted, there is nothing to do: the job has succeeded at once, and no generation is opened (Unchanged). When the
	// text was erased before the ledger saw it, it refuses with fault.Conflict, code text_erased: store it again, for another
	// job. It refuses with fault.Limited, code backlog_full, what is too much to wait.
	SubmitAll(ctx context.Context, s tenants.Scope, subs []Submission) ([]Outcome, error)
	// Advance records what consumers did and answers for each progress, in order, what that means.
	Advance(ctx context.Context, s tenants.Scope, ps []Progress) ([]Verdict, error)
	// Documents looks documents up by id; ids that do not exist are left out, order is kept.
	Documents(ctx context.Context, s tenants.Scope, ids []string) ([]Document, error)
	// Shown tells of the documents that searches show what a search needs of them: ID, About, Searchable and UpdatedAt, and nothing else. Those that are
	// not searchable or do not exist are left out, order is kept.
	Shown(ctx context.Context, s tenants.Scope, ids []string) ([]Document, error)
	// Edition is what searches show now. It changes in the transaction that changes what Documents says of a document that is searchable, or was.
	Edition(ctx context.Context, s tenants.Scope) (Edition, error)
	// Job is one job.
	Job(ctx context.Context, s tenants.Scope, id string) (job.Job, error)
}

// Submission is a document whose text has been stored under TextKey. JobID and Cause come from the caller.
type Submission struct {
	DocID       string          `json:"docId"`
	JobID       string          `json:"jobId"`
	About       events.About    `json:"about"`
	ContentType string          `json:"contentType"`
	TextKey     string          `json:"textKey"`
	Text        string          `json:"text,omitempty"` // a copy for the event, when it is small enough to travel
	Bytes       int             `json:"bytes"`
	SHA256      string          `json:"sha256"`
	Model       string          `json:"model"` // of a tenant without documents; any other has its own (package reembed)
	Chunking    events.Chunking `json:"chunking,omitzero"`
	Cause       events.Cause    `json:"cause"`
	RequestHash string          `json:"requestHash,omitempty"` // of the request that came with an idempotency key
	Pace        Pace            `json:"pace,omitzero"`
	// Line is where the entry of an import stood, from 1. Its problems have it.
	Line int `json:"line,omitempty"`
	// Fetch says where the document is to be had, when it has not been brought: then there is no TextKey, Text, Bytes or SHA256
	// yet, and the ledger adds to the event what it knows of the page already.
	Fetch *events.Fetch `json:"fetch,omitempty"`
	// Moved comes with a document that is brought from another pool.
	Moved *Moved `json:"moved,omitempty"`
}

// Pace is what the tenant's config says of how its documents take their turn.
type Pace struct {
	Weight     int           `json:"weight,omitempty"`     // its share where tenants compete; 0 is 10
	MaxWaiting int           `json:"maxWaiting,omitempty"` // documents that may wait for their turn, and as many that are to be fetched; 0 is DefaultMaxWaiting
	Deadline   time.Duration `json:"deadline,omitempty"`   // by when a document that has begun is looked after; 0 is DefaultDeadline
}

// What a Pace leaves open.
const (
	DefaultMaxWaiting = 100_000
	DefaultDeadline   = 15 * time.Minute
)

// Receipt is the answer to a submission.
type Receipt struct {
	DocID      string `json:"docId"`
	JobID      string `json:"jobId"`
	Generation int    `json:"generation"`
	Replayed   bool   `json:"replayed,omitempty"`
	Unchanged  bool   `json:"unchanged,omitempty"` // nothing was begun: the generation is one that was there before
}

// Outcome is what became of one submission: a receipt, or why there is none.
type Outcome struct {
	Receipt
	Fault *fault.Error `json:"fault,omitempty"`
}

// Submit submits one document.
func Submit(ctx context.Context, l Ledger, s tenants.Scope, sub Submission) (Receipt, error) {
	outs, err := l.SubmitAll(ctx, s, []Submission{sub})
	if err != nil {
		return Receipt{}, err
	}
	if f := outs[0].Fault; f != nil {
		return Receipt{}, f
	}
	return outs[0].Receipt, nil
}

// Progress is one thing a consumer did for one generation of a document: chunk says how many slices there are, index
// that one of them is in, retire that what was written for a retired generation is gone, or, with Left, which texts
// the store has of the document, fetch that the document is here, erase what the stores still have of a
// document that was deleted. With a Code it says instead that the stage gave up, and the generation fails; document.failed
// then goes into the outbox in the same transaction. With a Code and Retry it says that the stage failed and is tried again
// then: that is noted until the stage gets on, and changes nothing else.
type Progress struct {
	events.DocumentRef
	Stage Stage `json:"stage"`
	events.Slice
	Attempts int    `json:"attempts,omitempty"`
	Code     string `json:"code,omitempty"` // of the failure
	Message  string `json:"message,omitempty"`

	// Retry is when a stage that failed is tried again.
	Retry time.Time `json:"retry,omitzero"`
	// Embedded comes with index: when the slice's vectors were made. So the embed stage has a time, and needs no call.
	Embedded time.Time `json:"embedded,omitzero"`
	// Cost comes with index: what the slice's vectors took. It is counted once for each slice.
	Cost job.Cost `json:"cost,omitzero"`
	// Left comes with erase, and with retire: then it says that nothing is gone yet, and asks.
	Left *Left `json:"left,omitempty"`
	// Fetched comes with fetch: what is stored now. Unchanged comes with it instead when there is nothing new: if the same
	// is searchable, the generation ends (Verdict.Stale), else it goes on and the document is needed.
	Fetched   *Original `json:"fetched,omitempty"`
	Unchanged bool      `json:"unchanged,omitempty"`
	// Derived comes with chunk: the text that was taken out of the document, when it is not text itself.
	Derived *Derived `json:"derived,omitempty"`
	// Cause is the event that was being handled; document.failed follows from it.
	Cause events.Cause `json:"cause,omitzero"`
}

// Left is what the stores have of a document: of one that is being erased, in the generations up to that of its deletion.
type Left struct {
	Vectors int `json:"vectors"`
	// Passages are those of the lexical index.
	Passages int      `json:"passages,omitempty"`
	Texts    []string `json:"texts,omitempty"` // keys
	// Settled says that all that was written before the deletion would have been seen.
	Settled bool `json:"settled,omitempty"`
}

// Verdict is what a progress means.
type Verdict struct {
	// Stale says that the generation is not, or no longer, to become searchable: what was written for it is to
	// be removed, and nothing more is to be done.
	Stale bool `json:"stale,omitempty"`
	// Unwanted comes with stale unless the generation has failed: it was cancelled, deleted, replaced or overtaken, or never was, and
	// nobody is to hear how work for it ends.
	Unwanted bool `json:"unwanted,omitempty"`
	// Complete says that the generation is searchable (now, or since an earlier delivery of the same progress), or, to
	// erase, that nothing is left.
	Complete bool `json:"complete,omitempty"`
	// Retired are generations of which what was written is to be removed (Erase). Each is named again by every later verdict
	// on the document that is stale or complete, until a progress with StageRetire confirms the removal; and when that is not
	// heard of for long, document.retired goes into the outbox.
	Retired []Retired `json:"retired,omitempty"`
	// Texts answers erase, and retire with Left: those of the texts left that are to be removed, as no generation has them nor ever will.
	Texts []string `json:"texts,omitempty"`
	// Fetched answers fetch: what was fetched first, which is what the generation is made of.
	Fetched *Original `json:"fetched,omitempty"`
}

// Retired is a generation that searches do not show, and that will not become searchable.
type Retired struct {
	Generation int    `json:"generation"`
	Chunks     int    `json:"chunks"`
	Model      string `json:"model"`
	// Also are other models in whose spaces it may have vectors.
	Also []string `json:"also,omitempty"`
	// Texts are the keys of its texts, once nobody will ask for those again: the newest generation of a document keeps its own.
	Texts []string `json:"texts,omitempty"`
	// Stray says that it may have left others, of which the ledger was told nothing.
	Stray bool `json:"stray,omitempty"`
}
