package imports

import (
	"context"
	"io"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/address"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

// Kind is the flow that feeds an import.
const Kind flow.Kind = "import"

// Settled is the signal to the flow that every document of the import is final.
const Settled = "settled"

// Origin is where an import's documents come from: one of its fields.
type Origin struct {
	Batch   int      `json:"batch,omitempty"` // so many parts, written by the door that took them
	URLs    []string `json:"urls,omitempty"`
	Sitemap string   `json:"sitemap,omitempty"` // its URL; it may be an index of sitemaps
	Prefix  string   `json:"prefix,omitempty"`  // of the tenant's files in the store

	// Rules say where the tenant's documents may be fetched from, so that Check names the addresses that may not; nil: they are named later.
	Rules *address.Rules `json:"-"`
}

// Of is how the origin's job tells it.
func (o Origin) Of() *job.Origin {
	switch {
	case o.Batch > 0:
		return &job.Origin{Kind: "batch"}
	case len(o.URLs) > 0:
		return &job.Origin{Kind: "urls", URL: o.URLs[0]}
	case o.Sitemap != "":
		return &job.Origin{Kind: "sitemap", URL: o.Sitemap}
	case o.Prefix != "":
		return &job.Origin{Kind: "prefix", Prefix: o.Prefix}
	}
	return nil
}

// Import is many documents that come in as one job.
type Import struct {
	ID          string       `json:"id"` // the job's
	Origin      Origin       `json:"origin"`
	Source      string       `json:"source,omitempty"`  // the tenant's source that it belongs to
	Entries     int          `json:"entries,omitempty"` // how many there are, when that is known; refused ones are among them
	LeftOut     int          `json:"leftOut,omitempty"` // entries that the door has refused and that are in no part: they are counted only
	Cause       events.Cause `json:"cause"`
	RequestHash string       `json:"requestHash,omitempty"` // of the request that came with an idempotency key
}

// MaxProblems is how many of its entries' problems a job shows; Ledger.Problems lists all.
const MaxProblems = 100

// Entry is one document of a part: a draft, or why there is none.
type Entry struct {
	Line   int           `json:"line"` // where it stood, for people: from 1
	Draft  *corpus.Draft `json:"draft,omitempty"`
	File   string        `json:"file,omitempty"`  // which of the tenant's files is the draft's text
	Bytes  int64         `json:"bytes,omitempty"` // how long the file was when it was listed
	Refuse *fault.Error  `json:"refuse,omitempty"`
}

// Taking is one entry as the ledger takes it: a submission, or a problem.
type Taking struct {
	Submission *corpus.Submission `json:"submission,omitempty"`
	Problem    *job.Problem       `json:"problem,omitempty"`
}

// Ledger is what an import needs of the tenant's ledger. Each call is one transaction and may be repeated; what returned nil is
// durable. An import that does not exist, or is another tenant's, is fault.NotFound, code job_not_found.
type Ledger interface {
	// OpenImport opens the job and takes import.started into the outbox. With an id that it knows it answers with that job and
	// opens nothing; so it does with an idempotency key, or fails with fault.Conflict, code idempotency_conflict.
	OpenImport(ctx context.Context, s tenants.Scope, im Import) (job.Job, error)
	// Take submits the entries of an import from its n-th on, counted from 0; those that it has taken before it leaves alone. It
	// returns how many it has taken in all, and whether the import was cancelled, or has ended without them, in which case it takes none. When too much waits
	// it takes what there is room for; when that is nothing it fails with fault.Limited, code backlog_full. Without entries it only says
	// how far it has come.
	Take(ctx context.Context, s tenants.Scope, id string, n int, entries []Taking) (Taken, error)
	// SealImport says that the import has no more than so many entries, which may be fewer than was said before, or, with a problem, that
	// the rest cannot be had. Once all of them are taken and final the job ends and import.completed goes into the outbox.
	SealImport(ctx context.Context, s tenants.Scope, id string, entries int, failed *job.Problem) (job.Job, error)
	// NoteImport has the job say what it waits for, until the import is sealed. It says nothing of one that is sealed, was cancelled or has ended.
	NoteImport(ctx context.Context, s tenants.Scope, id string, note job.Problem) (job.Job, error)
	// Problems pages through what went wrong with a job: of an import with each of its entries, in the order in which it was found. While
	// the job goes on there may be more later. They are known for as long as the job is.
	Problems(ctx context.Context, s tenants.Scope, l Listing) (Page, error)
}

// Listing asks for the problems of a job.
type Listing struct {
	JobID  string `json:"jobId"`
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit"` // corpus.MaxListed at most
}

// Page is a part of the problems of a job. Next is the cursor of the rest, empty at the end.
type Page struct {
	Problems []job.Problem `json:"problems"`
	Next     string        `json:"next,omitempty"`
}

// Taken is how far an import has been taken.
type Taken struct {
	Entries   int  `json:"entries"`
	Cancelled bool `json:"cancelled,omitempty"`
	// Unused are the keys of texts that this call's submissions brought and nobody needs: of documents that are unchanged, for example.
	Unused []string `json:"unused,omitempty"`
}

// Parts keeps the entries of an import until it has ended.
//
// Put writes what is read, which is size bytes; under the same number it replaces. Get of an unknown part is fault.NotFound, code part_not_found; of one that is longer than limit bytes
// nothing is read, and that is fault.Invalid, code part_too_large. Drop removes all parts of
// the import, and may be repeated. Safe for concurrent use.
type Parts interface {
	Put(ctx context.Context, s tenants.Scope, id string, part int, ndjson io.Reader, size int64) error
	Get(ctx context.Context, s tenants.Scope, id string, part int, limit int64) ([]byte, error)
	Drop(ctx context.Context, s tenants.Scope, id string) error
}

// The most that one part holds. It is one step, and in memory whole.
const (
	MaxPartBytes   = 4 << 20
	MaxPartEntries = 500
)

// Preparer makes a submission of a draft: it checks it and stores what it brought. producers/intake is one.
type Preparer interface {
	Prepare(ctx context.Context, s tenants.Scope, d corpus.Draft) (corpus.Submission, error)
}

// Files lists a tenant's files in the store, for imports of a prefix.
//
// List returns at most limit files below prefix, in order, from cursor on; the next cursor is empty at the end. Get of a file that is gone is
// fault.NotFound, code file_not_found, and of one that is longer than limit bytes fault.Invalid, code document_too_large; nothing of it is read then.
type Files interface {
	List(ctx context.Context, s tenants.Scope, prefix, cursor string, limit int) (files []File, next string, err error)
	Get(ctx context.Context, s tenants.Scope, name string, limit int64) ([]byte, error)
}

// File is one of a tenant's files.
type File struct {
	Name        string
	Bytes       int64
	ContentType string
	Modified    time.Time
}
