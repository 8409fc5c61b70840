package transfer

import (
	"context"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

// Kind is the flow that brings a tenant here.
const Kind flow.Kind = "transfer"

// Stock is what the ledger of a pool shows to whoever takes the tenant elsewhere. Each call is one transaction; what returned nil is durable, and every
// call may be repeated.
type Stock interface {
	// Cards names documents that there are something of to take, in the order of their ids, or those that are asked for by id.
	Cards(ctx context.Context, s tenants.Scope, a Asked) (Page, error)
	// Standing tells whether the tenant takes changes, and what is still on its way.
	Standing(ctx context.Context, s tenants.Scope) (Standing, error)
	// Freeze has the ledger refuse changes from then on, or take them again: fault.Unavailable, code tenant_readonly. What was on its way goes on,
	// imports that are open as well.
	Freeze(ctx context.Context, s tenants.Scope, readonly bool) (Standing, error)
}

// Ledger keeps the jobs of runs in the destination, as Stock does. A job that does not exist is fault.NotFound, code job_not_found.
type Ledger interface {
	// OpenTransfer opens the job and takes tenant.transfer.requested into the outbox. While a run goes on that is of the same it answers with that one
	// (Replayed), and refuses another: fault.Conflict, code transfer_running. After a last run that found all here it refuses
	// another, unless Again says so: fault.Conflict, code transfer_done.
	OpenTransfer(ctx context.Context, s tenants.Scope, r Request) (corpus.Receipt, error)
	// NoteTransfer has the job say how far it has come. Of one that has ended it changes nothing, and answers with it.
	NoteTransfer(ctx context.Context, s tenants.Scope, n Note) (job.Job, error)
	// EndTransfer ends the job. Of a last run that has not failed it notes that all is here.
	EndTransfer(ctx context.Context, s tenants.Scope, n Note, failed *job.Problem) (job.Job, error)
}

// ErrReadonly refuses changes of a tenant that is being moved away.
var ErrReadonly = fault.Unavailablef(nil, "tenant_readonly", "the tenant is being moved to another pool, and takes no changes meanwhile").
	WithHint("send it again in a minute: it is taken at the new place, or here if the move is called off").WithRetryAfter(time.Minute)

// Account is the ledger of money in the destination.
type Account interface {
	// Carry has the account say that these lines were used in another pool, from a day on, and no others of which that was said before.
	Carry(ctx context.Context, s tenants.Scope, from quota.Day, lines []quota.Line) error
}

// Turns is what lets conversations go on: the ledger of money does.
type Turns interface {
	// Still refuses what changes a conversation from then on, or lets it in again: fault.Unavailable, code tenant_readonly. Within seconds nothing is
	// let in any more; what was let in goes on. It may be repeated.
	Still(ctx context.Context, s tenants.Scope, still bool) error
	// StandsStill tells whether it is refused.
	StandsStill(ctx context.Context, s tenants.Scope) (bool, error)
}

// Request asks for a run.
type Request struct {
	JobID string       `json:"jobId"`
	From  string       `json:"from"` // address of the source's API
	Key   string       `json:"key"`  // of an API key there, sealed
	Last  bool         `json:"last,omitempty"`
	Again bool         `json:"again,omitempty"`
	Usage bool         `json:"usage,omitempty"` // only what was used of budgets, also after all was brought
	Cause events.Cause `json:"cause"`
}

// Note is how far a run has come: each says all of it, so that one that is repeated changes nothing.
type Note struct {
	JobID    string        `json:"jobId"`
	Stage    string        `json:"stage"`
	Report   job.Transfer  `json:"report"`
	Counts   job.Counts    `json:"counts"`
	Problems []job.Problem `json:"problems,omitempty"` // the first ones
}

// The stages of a run.
const (
	Settling  = "settling"  // the source has something on its way
	Comparing = "comparing" // what differs is fetched
	Bringing  = "bringing"  // it goes through the pipeline
	Verifying = "verifying"
	Talking   = "talking"  // the same with conversations
	Counting  = "counting" // what was used of budgets is carried over
)

// Standing is how a tenant's pool stands to changes.
type Standing struct {
	Readonly bool      `json:"readonly"`
	Since    time.Time `json:"since,omitzero"`
	// OnTheirWay is how many documents are not yet searchable that will be, or fail; Imports is how many of those are open.
	OnTheirWay int `json:"onTheirWay"`
	Imports    int `json:"imports"`
}

// Settled reports whether the documents stay as they are.
func (st Standing) Settled() bool { return st.Readonly && st.OnTheirWay == 0 && st.Imports == 0 }

// Asked asks for cards: of the documents of these ids, or of those after one, up to another.
type Asked struct {
	IDs   []string `json:"ids,omitempty"`
	After string   `json:"after,omitempty"`
	UpTo  string   `json:"upTo,omitempty"` // with it; "" is all
	Limit int      `json:"limit,omitempty"`
}

// MaxCards is how many cards a page has at most.
const MaxCards = 500

// Page is a part of the cards. More says that there are others behind Last, which is the id of the document that was looked at last.
type Page struct {
	Cards []Card `json:"cards"`
	Last  string `json:"last,omitempty"`
	More  bool   `json:"more,omitempty"`
}
