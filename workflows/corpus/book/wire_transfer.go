package book

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/transfer"
)

// endingRun is the arguments of EndTransfer.
type endingRun struct {
	Note   transfer.Note `json:"note"`
	Failed *job.Problem  `json:"failed,omitempty"`
}

// callTransfer is Call for the methods of transfer.Stock and transfer.Ledger.
func (b *Book) callTransfer(r rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodCards:
		return call.Serve(r, body, func(_ tenants.Scope, a transfer.Asked) (transfer.Page, error) { return b.Cards(r, a) })
	case methodStanding:
		return call.Serve(r, body, func(tenants.Scope, struct{}) (transfer.Standing, error) { return b.Standing(r) })
	case methodFreeze:
		return call.Serve(r, body, func(_ tenants.Scope, readonly bool) (transfer.Standing, error) { return b.Freeze(r, readonly) })
	case methodTransfer:
		return call.Serve(r, body, func(s tenants.Scope, q transfer.Request) (corpus.Receipt, error) { return b.OpenTransfer(r, s, q) })
	case methodNoteRun:
		return call.Serve(r, body, func(_ tenants.Scope, n transfer.Note) (job.Job, error) { return b.NoteTransfer(r, n) })
	case methodEndRun:
		return call.Serve(r, body, func(s tenants.Scope, e endingRun) (job.Job, error) { return b.EndTransfer(r, s, e.Note, e.Failed) })
	}
	return call.Unknown(method)
}

// Cards implements transfer.Stock.
func (c *Client) Cards(ctx context.Context, s tenants.Scope, a transfer.Asked) (transfer.Page, error) {
	return call.Ask[transfer.Page](ctx, c.do, s, nil, methodCards, a)
}

// Standing implements transfer.Stock.
func (c *Client) Standing(ctx context.Context, s tenants.Scope) (transfer.Standing, error) {
	return call.Ask[transfer.Standing](ctx, c.do, s, nil, methodStanding, struct{}{})
}

// Freeze implements transfer.Stock.
func (c *Client) Freeze(ctx context.Context, s tenants.Scope, readonly bool) (transfer.Standing, error) {
	return call.Ask[transfer.Standing](ctx, c.do, s, nil, methodFreeze, readonly)
}

// OpenTransfer implements transfer.Ledger.
func (c *Client) OpenTransfer(ctx context.Context, s tenants.Scope, r transfer.Request) (corpus.Receipt, error) {
	return call.Ask[corpus.Receipt](ctx, c.do, s, nil, methodTransfer, r)
}

// NoteTransfer implements transfer.Ledger.
func (c *Client) NoteTransfer(ctx context.Context, s tenants.Scope, n transfer.Note) (job.Job, error) {
	return call.Ask[job.Job](ctx, c.do, s, nil, methodNoteRun, n)
}

// EndTransfer implements transfer.Ledger.
func (c *Client) EndTransfer(ctx context.Context, s tenants.Scope, n transfer.Note, failed *job.Problem) (job.Job, error) {
	return call.Ask[job.Job](ctx, c.do, s, nil, methodEndRun, endingRun{n, failed})
}
