package speech

import (
	"context"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
)

// Desk takes a tenant's orders and says what became of them.
//
// A job is one request; equal orders are one take, which is made once and kept until it expires, and each of its jobs has its sound. What a
// method returned is durable. Another tenant's job and one that is not there are fault.NotFound, code job_not_found. Safe for concurrent use.
type Desk interface {
	// Open opens a job. With the key of an earlier one it returns that, if it was opened with the same hash, else it is fault.Conflict, code
	// idempotency_conflict. So it is with the id of an earlier one, for another order. OnlyShared, when there is no take of an equal order to share, it is
	// fault.Conflict, code CodeUnshared. When too much waits it is fault.Limited, code backlog_full.
	Open(ctx context.Context, s tenants.Scope, o Opening) (Opened, error)
	Job(ctx context.Context, s tenants.Scope, id string) (Job, error)
	// Jobs pages through them, newest first, limit of MaxPage at most.
	Jobs(ctx context.Context, s tenants.Scope, cursor string, limit int) (Page, error)
	// Cancel cancels a job. A take that no job is left of is not made further, and what there is of it is removed. A job that has ended stays as it is.
	Cancel(ctx context.Context, s tenants.Scope, id string) (Job, error)
}

// Booth is where takes are made. What was spoken is noted part by part, so that nobody speaks it again.
//
// A take is made by whoever claimed it last: what others say of it, or anybody of one that is over, is fault.Conflict, code CodeOver. What a method returned nil for is
// durable; each may be repeated. Safe for concurrent use.
type Booth interface {
	// Claim begins to make a take, or goes on. One that is spoken directly is left to whoever does, as long as there is news of it (DirectLease): until
	// then it is fault.Unavailable, code CodeBusy, with RetryAfter.
	Claim(ctx context.Context, s tenants.Scope, take string) (Claim, error)
	// TakeOver claims a take to speak it directly, for a listener who heard nothing of it: by names them, as nobody else is named. Within DirectLease of
	// the take's last news it is fault.Unavailable, code CodeBusy, with RetryAfter, but for who has taken it over already. It is the queue's no more, so
	// whoever waits longest has its turn.
	TakeOver(ctx context.Context, s tenants.Scope, take, by string) (Claim, error)
	// Add notes parts that are kept. The first say who speaks, and in which format; later ones that differ in that are fault.Conflict, code
	// tape_differs. A part that is there already stays as it is, whoever spoke it again. Without parts it is news of the take alone: it is being made.
	Add(ctx context.Context, s tenants.Scope, t Ticket, tape Tape) error
	// Release is the end of one that was spoken directly, for a reason that may pass: when other jobs wait for it, too, it is given to the queue, which has more
	// time than a listener; else it ends as failed.
	Release(ctx context.Context, s tenants.Scope, t Ticket, why *job.Problem) error
	// End ends the take: well when nothing failed, which its tape has to be whole for. speech.synthesized or speech.failed is told.
	End(ctx context.Context, s tenants.Scope, t Ticket, failed *job.Problem) error
}

// Closer ends takes that were asked for in vain. Safe for concurrent use.
type Closer interface {
	// ClaimDead is Booth.Claim for who is to end a take, as a message that asked for it could not be handled: try says which. When the take was asked for
	// again since, that is CodeOver, and it is left to the later message.
	ClaimDead(ctx context.Context, s tenants.Scope, take string, try int) (Ticket, error)
	// End is Booth.End.
	End(ctx context.Context, s tenants.Scope, t Ticket, failed *job.Problem) error
}

// CodeOver is what whoever makes a take is told when it is not theirs any more: it was cancelled, it has ended, or somebody else goes on with it.
const CodeOver = "take_over"

// CodeBusy is what whoever claims a take is told when it is being spoken directly.
const CodeBusy = "take_busy"

// What else whoever makes a take is told that no caller hears of (Inner).
const (
	CodeDiffers    = "tape_differs"    // its parts do not go with those that are there
	CodeIncomplete = "tape_incomplete" // parts are missing
	CodePart       = "part_invalid"
	CodeInvalid    = "job_invalid"
)

// CodeUnshared is why nothing was opened that was to share a take.
const CodeUnshared = "take_unshared"

// CodeBacklog refuses an order when too many wait.
const CodeBacklog = "backlog_full"

const (
	// MaxPage is how many jobs a page has at most.
	MaxPage = 100
	// MaxWaiting is how many takes of a tenant wait at most, and MaxMaking how many are made at a time: what is more waits for its turn, so that
	// a tenant's backlog does not stand before another's orders.
	MaxWaiting = 10_000
	MaxMaking  = 4
	// MaxParts is how many parts a text is cut into at most.
	MaxParts = 2_000
	// MaxShared is how many jobs share a take that is not made yet.
	MaxShared = 1_000
	// Life is for how long a job is told of after its sound has expired.
	Life = 30 * 24 * time.Hour
	// DirectLease is for how long after its last news a take that is spoken directly is left to whoever does, and any take to whoever makes it by
	// those who listen. NewsEvery is how often there is news of a take that is being made, even if a part takes longer.
	DirectLease = 30 * time.Second
	NewsEvery   = DirectLease / 3
	// Late is after which time without news of whoever claimed it a take is given to the queue again, Tries times; then it fails as stuck.
	Late  = 10 * time.Minute
	Tries = 3
	// QueuedLate is that time for a take that nobody has claimed since it was given to the queue, and QueuedTries is how often: a day in all.
	QueuedLate  = time.Hour
	QueuedTries = 23
)

// Opening is an order that comes in.
type Opening struct {
	ID    string        `json:"id"` // of the job; ids are ordered by time, as UUIDs of version 7 are
	Order Order         `json:"order"`
	Cuts  []Cut         `json:"cuts"`
	Keep  time.Duration `json:"keep"` // the sound, once it is there
	// Direct claims the take at once, if nobody makes it yet, instead of having the queue do it.
	Direct bool `json:"direct,omitempty"`
	// OnlyShared opens nothing that anybody would pay for: the order has a take that is there, or on its way, or the key a job.
	OnlyShared bool `json:"onlyShared,omitempty"`

	Key   string       `json:"key,omitempty"` // of idempotency
	Hash  string       `json:"hash,omitempty"`
	Cause events.Cause `json:"cause"`
}

// Opened is a job, and the claim of its take, if that was Direct and is the caller's.
type Opened struct {
	Job   Job    `json:"job"`
	Claim *Claim `json:"claim,omitempty"`
	Again bool   `json:"again,omitempty"` // the key's job: nothing was opened
}

// Job is one request.
type Job struct {
	ID         string       `json:"id"`
	Take       string       `json:"take"`
	State      job.State    `json:"state"`
	Model      string       `json:"model"` // as it was ordered
	Voice      string       `json:"voice"`
	Format     string       `json:"format"`
	Speed      int          `json:"speed"`
	Characters int          `json:"characters"`
	Spoken     int          `json:"spoken"` // of the characters
	Tape       Tape         `json:"tape"`   // what there is
	Cuts       []Cut        `json:"cuts,omitempty"`
	Cost       Cost         `json:"cost,omitzero"`    // of the take: who shares it does not pay again
	Shared     bool         `json:"shared,omitempty"` // the take was there, or on its way
	Error      *job.Problem `json:"error,omitempty"`
	CreatedAt  time.Time    `json:"createdAt"`
	UpdatedAt  time.Time    `json:"updatedAt"`
	ExpiresAt  time.Time    `json:"expiresAt,omitzero"` // the sound, once it is there
	Expired    bool         `json:"expired,omitempty"`
}

// Cost is what a take took.
type Cost struct {
	Characters int   `json:"characters"`
	Nanos      int64 `json:"nanoUSD"`
}

// Page is a part of a list. Next is the cursor of the rest, empty at the end. Jobs in it have neither tape nor cuts.
type Page struct {
	Jobs []Job  `json:"jobs"`
	Next string `json:"next,omitempty"`
}

// Ticket names who makes a take.
type Ticket struct {
	Take  string `json:"take"`
	Claim int    `json:"claim"`
}

// Claim is a take that is to be made.
type Claim struct {
	Ticket
	Order Order        `json:"order"`
	Cuts  []Cut        `json:"cuts"`
	Tape  Tape         `json:"tape"` // what is there already; its Reel is where to keep the rest
	Cause events.Cause `json:"cause"`
	// Direct is for whom it is spoken directly, if it is: who took it over, or the job.
	Direct string `json:"direct,omitempty"`
}

// Missing are the indexes of the parts that are to be spoken.
func (c Claim) Missing() []int {
	there := make(map[int]bool, len(c.Tape.Parts))
	for _, p := range c.Tape.Parts {
		there[p.Index] = true
	}
	var all []int
	for i := range c.Cuts {
		if !there[i] {
			all = append(all, i)
		}
	}
	return all
}

// ErrOver is CodeOver as a fault.
func ErrOver(take string) error {
	return fault.New(fault.Conflict, CodeOver, "the take "+take+" is over, or somebody else makes it", nil)
}
