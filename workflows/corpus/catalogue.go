package corpus

import (
	"context"
	"time"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
)

// Catalogue is what clients ask of the ledger and tell it, beside what comes in.
//
// Each call is one transaction and may be repeated. Another tenant's document or job and one that does not exist give the same
// fault.NotFound (document_not_found, job_not_found).
type Catalogue interface {
	// List pages through documents in the order of their ids. A page comes from a bounded number of rows: where few of many
	// documents match, it may be short, or empty, and still have a next one. Deleted documents are listed when the state is
	// asked for.
	List(ctx context.Context, s tenants.Scope, q Listing) (DocumentPage, error)
	// Jobs pages through jobs, newest first. Its pages may be short as those of List.
	Jobs(ctx context.Context, s tenants.Scope, q JobListing) (JobPage, error)
	// Delete takes a document out of every search and begins its erasure, which a job follows. A document that is being erased
	// answers with that job, and so does one that is erased, as long as the job is known; after that the stores are asked again.
	// Where the newest generation is not the one that is meant, nothing is deleted (Receipt.Unchanged).
	// With an idempotency key a repetition is answered with the first receipt (Replayed), also when there is such a document again; that there
	// was no such document is a receipt without a job then, and no fault.
	Delete(ctx context.Context, s tenants.Scope, d Deletion) (Receipt, error)
	// Cancel ends a job that has not ended: what has not begun does not begin, what is on its way is not shown. One that has ended
	// stays as it is. An erasure cannot be cancelled: fault.Conflict, code job_not_cancellable.
	Cancel(ctx context.Context, s tenants.Scope, jobID string) (job.Job, error)
	// Resubmit begins the next generation of a document from what its newest one was submitted with, unless that is no longer
	// the given one or has not failed: then it does nothing and says so (Receipt.Unchanged).
	Resubmit(ctx context.Context, s tenants.Scope, r Resubmission) (Receipt, error)
}

// Listing asks for documents.
type Listing struct {
	State  State  `json:"state,omitempty"`  // any when empty
	Source string `json:"source,omitempty"` // any when empty
	Prefix string `json:"prefix,omitempty"` // of the ids
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit"`
}

// MaxListed is how many documents or jobs one page has at most.
const MaxListed = 200

// DocumentPage is a part of a list. Next is the cursor of the rest, empty at the end.
type DocumentPage struct {
	Documents []Document `json:"documents"`
	Next      string     `json:"next,omitempty"`
}

// JobListing asks for jobs.
type JobListing struct {
	Kind     job.Kind  `json:"kind,omitempty"`     // any when empty
	State    job.State `json:"state,omitempty"`    // any when empty
	ImportID string    `json:"importId,omitempty"` // those of an import's documents
	Cursor   string    `json:"cursor,omitempty"`
	Limit    int       `json:"limit"`
}

// JobPage is a part of a list. Next is the cursor of the rest, empty at the end.
type JobPage struct {
	Jobs []job.Job `json:"jobs"`
	Next string    `json:"next,omitempty"`
}

// Deletion is a request to erase a document.
type Deletion struct {
	DocID      string       `json:"docId"`
	Generation int          `json:"generation,omitempty"` // the newest that is meant; 0 for whichever it is
	JobID      string       `json:"jobId"`                // of the job that follows it
	Cause      events.Cause `json:"cause"`
}

// Resubmission is a request to try a failed document again.
type Resubmission struct {
	DocID      string       `json:"docId"`
	Generation int          `json:"generation"` // that failed
	JobID      string       `json:"jobId"`
	Cause      events.Cause `json:"cause"`
}

// NotSearchable is why the newest generation of a document is not what searches show.
type NotSearchable struct {
	Code     string    `json:"code"` // one of those below
	Message  string    `json:"message"`
	Error    string    `json:"error,omitempty"` // of failed and retrying: the code of what went wrong
	Hint     string    `json:"hint,omitempty"`  // of failed: the next step; only in answers
	Stage    Stage     `json:"stage,omitempty"`
	Since    time.Time `json:"since"`
	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"`    // when something happens again: the retry, the watchdog's look
	Before   int       `json:"before,omitempty"` // of waiting: so many documents are before it
}

// Why a document is not searchable.
const (
	WhyWaiting    = "waiting"     // for its turn
	WhyInProgress = "in_progress" // at a stage
	WhyRetrying   = "retrying"    // a stage failed and is tried again
	WhyFailed     = "failed"      // for good
	WhyCancelled  = "cancelled"   // by its job, or its import's
	WhyDeleted    = "deleted"
)

// Version is one generation of a document, as its history lists it.
type Version struct {
	Generation int       `json:"generation"`
	State      State     `json:"state"`
	Searchable bool      `json:"searchable,omitempty"`
	Bytes      int       `json:"bytes"`
	SHA256     string    `json:"sha256"`
	Chunks     int       `json:"chunks"`
	Tokens     int64     `json:"tokens,omitempty"`
	JobID      string    `json:"jobId"`
	At         time.Time `json:"submittedAt"`
	Reason     string    `json:"reason,omitempty"`
}
