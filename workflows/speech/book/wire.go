package book

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
)

// The methods of the wire.
const (
	methodOpen     = "open"
	methodJob      = "job"
	methodJobs     = "jobs"
	methodCancel   = "cancel"
	methodClaim    = "claim"
	methodTakeOver = "takeover"
	methodDead     = "claimdead"
	methodAdd      = "add"
	methodRelease  = "release"
	methodEnd      = "end"
	methodClear    = "clear"
	methodCount    = "count"
)

// listing is the arguments of jobs.
type listing struct {
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit"`
}

// taking is the arguments of takeover.
type taking struct {
	Take string `json:"take"`
	By   string `json:"by"`
}

// dying is the arguments of claimdead.
type dying struct {
	Take string `json:"take"`
	Try  int    `json:"try,omitempty"`
}

// adding is the arguments of add.
type adding struct {
	Ticket speech.Ticket `json:"ticket"`
	Tape   speech.Tape   `json:"tape"`
}

// ending is the arguments of end.
type ending struct {
	Ticket speech.Ticket `json:"ticket"`
	Failed *job.Problem  `json:"failed,omitempty"`
}

type none struct{}

// Call runs one method of speech.Desk or speech.Booth inside an open transaction, as call.Serve does.
func (b *Book) Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodOpen:
		return call.Serve(tx, body, func(s tenants.Scope, o speech.Opening) (speech.Opened, error) { return b.Open(tx, s, o) })
	case methodJob:
		return call.Serve(tx, body, func(_ tenants.Scope, id string) (speech.Job, error) { return b.Job(tx, id) })
	case methodJobs:
		return call.Serve(tx, body, func(_ tenants.Scope, a listing) (speech.Page, error) { return b.Jobs(tx, a.Cursor, a.Limit) })
	case methodCancel:
		return call.Serve(tx, body, func(s tenants.Scope, id string) (speech.Job, error) { return b.Cancel(tx, s, id) })
	case methodClaim:
		return call.Serve(tx, body, func(s tenants.Scope, take string) (speech.Claim, error) { return b.Claim(tx, s, take) })
	case methodTakeOver:
		return call.Serve(tx, body, func(s tenants.Scope, a taking) (speech.Claim, error) { return b.TakeOver(tx, s, a.Take, a.By) })
	case methodDead:
		return call.Serve(tx, body, func(s tenants.Scope, a dying) (speech.Ticket, error) { return b.ClaimDead(tx, s, a.Take, a.Try) })
	case methodAdd:
		return call.Serve(tx, body, func(s tenants.Scope, a adding) (none, error) { return none{}, b.Add(tx, s, a.Ticket, a.Tape) })
	case methodRelease:
		return call.Serve(tx, body, func(s tenants.Scope, a ending) (none, error) { return none{}, b.Release(tx, s, a.Ticket, a.Failed) })
	case methodEnd:
		return call.Serve(tx, body, func(s tenants.Scope, a ending) (none, error) { return none{}, b.End(tx, s, a.Ticket, a.Failed) })
	case methodClear:
		return call.Serve(tx, body, func(s tenants.Scope, limit int) (int, error) { return b.Clear(tx, s, limit) })
	case methodCount:
		return call.Serve(tx, body, func(_ tenants.Scope, limit int) (int, error) { return b.Count(tx, limit) })
	}
	return call.Unknown(method)
}

// Sends reports whether a method of the wire may take events into the outbox, or begin what is to be looked after, so that whoever keeps the book sees
// to both before the method is committed.
func Sends(method string) bool {
	switch method {
	case methodOpen, methodClaim, methodDead, methodTakeOver, methodRelease, methodEnd, methodCancel:
		return true
	}
	return false
}

// Client is the far end of Call: the tenants' desks and booths over whatever carries the bytes to them and back.
type Client struct{ do call.Carrier }

var (
	_ speech.Desk   = (*Client)(nil)
	_ speech.Booth  = (*Client)(nil)
	_ speech.Closer = (*Client)(nil)
)

// NewClient makes the desks over do.
func NewClient(do call.Carrier) *Client { return &Client{do: do} }

// Open implements speech.Desk.
func (c *Client) Open(ctx context.Context, s tenants.Scope, o speech.Opening) (speech.Opened, error) {
	if err := check(o); err != nil { // before it is copied several times on its way
		return speech.Opened{}, err
	}
	return call.Ask[speech.Opened](ctx, c.do, s, nil, methodOpen, o)
}

// Job implements speech.Desk.
func (c *Client) Job(ctx context.Context, s tenants.Scope, id string) (speech.Job, error) {
	return call.Ask[speech.Job](ctx, c.do, s, nil, methodJob, id)
}

// Jobs implements speech.Desk.
func (c *Client) Jobs(ctx context.Context, s tenants.Scope, cursor string, limit int) (speech.Page, error) {
	return call.Ask[speech.Page](ctx, c.do, s, nil, methodJobs, listing{cursor, limit})
}

// Cancel implements speech.Desk.
func (c *Client) Cancel(ctx context.Context, s tenants.Scope, id string) (speech.Job, error) {
	return call.Ask[speech.Job](ctx, c.do, s, nil, methodCancel, id)
}

// Claim implements speech.Booth.
func (c *Client) Claim(ctx context.Context, s tenants.Scope, take string) (speech.Claim, error) {
	return call.Ask[speech.Claim](ctx, c.do, s, nil, methodClaim, take)
}

// TakeOver implements speech.Booth.
func (c *Client) TakeOver(ctx context.Context, s tenants.Scope, take, by string) (speech.Claim, error) {
	return call.Ask[speech.Claim](ctx, c.do, s, nil, methodTakeOver, taking{take, by})
}

// ClaimDead implements speech.Closer.
func (c *Client) ClaimDead(ctx context.Context, s tenants.Scope, take string, try int) (speech.Ticket, error) {
	return call.Ask[speech.Ticket](ctx, c.do, s, nil, methodDead, dying{take, try})
}

// Add implements speech.Booth.
func (c *Client) Add(ctx context.Context, s tenants.Scope, t speech.Ticket, tape speech.Tape) error {
	_, err := call.Ask[none](ctx, c.do, s, nil, methodAdd, adding{t, tape})
	return err
}

// Release implements speech.Booth.
func (c *Client) Release(ctx context.Context, s tenants.Scope, t speech.Ticket, why *job.Problem) error {
	_, err := call.Ask[none](ctx, c.do, s, nil, methodRelease, ending{t, why})
	return err
}

// End implements speech.Booth.
func (c *Client) End(ctx context.Context, s tenants.Scope, t speech.Ticket, failed *job.Problem) error {
	_, err := call.Ask[none](ctx, c.do, s, nil, methodEnd, ending{t, failed})
	return err
}

// Clear forgets jobs of the tenant whatever their age, so many at most, and says how many.
func (c *Client) Clear(ctx context.Context, s tenants.Scope, limit int) (int, error) {
	return call.Ask[int](ctx, c.do, s, nil, methodClear, limit)
}

// Count is how many jobs the tenant has, as far as the limit; without any, how many rows are left of those that were.
func (c *Client) Count(ctx context.Context, s tenants.Scope, limit int) (int, error) {
	return call.Ask[int](ctx, c.do, s, nil, methodCount, limit)
}
