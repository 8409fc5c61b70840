package book

import (
	"context"
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/reembed"
)

// The arguments of reembed.Ledger's methods.
type (
	missing struct {
		Model  string `json:"model"`
		Cursor string `json:"cursor,omitempty"`
	}
	filling struct {
		JobID string         `json:"jobId"`
		Done  []reembed.Done `json:"done"`
	}
	endingMove struct {
		JobID  string       `json:"jobId"`
		Failed *job.Problem `json:"failed,omitempty"`
	}
)

// callMove is Call for the methods of reembed.Ledger.
func (b *Book) callMove(r rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodSpaces:
		return call.Serve(r, body, func(tenants.Scope, struct{}) (reembed.Spaces, error) { return b.Spaces(r) })
	case methodMissing:
		return call.Serve(r, body, func(s tenants.Scope, m missing) (reembed.Missing, error) { return b.Missing(r, s, m.Model, m.Cursor) })
	case methodOpenMove:
		return call.Serve(r, body, func(s tenants.Scope, q reembed.Request) (corpus.Receipt, error) { return b.OpenMove(r, s, q) })
	case methodTakeWorks:
		return call.Serve(r, body, func(s tenants.Scope, a reembed.Asked) (reembed.Batch, error) { return b.TakeWorks(r, s, a) })
	case methodFilled:
		return call.Serve(r, body, func(s tenants.Scope, f filling) ([]corpus.Verdict, error) { return b.Filled(r, s, f.JobID, f.Done) })
	case methodTurn:
		return call.Serve(r, body, func(s tenants.Scope, id string) (struct{}, error) { return struct{}{}, b.Turn(r, s, id) })
	case methodSwitch:
		return call.Serve(r, body, func(s tenants.Scope, id string) (struct{}, error) { return struct{}{}, b.Switch(r, s, id) })
	case methodLate:
		return call.Serve(r, body, func(s tenants.Scope, id string) (int, error) { return b.Late(r, s, id) })
	case methodEndMove:
		return call.Serve(r, body, func(s tenants.Scope, e endingMove) (job.Job, error) { return b.EndMove(r, s, e.JobID, e.Failed) })
	}
	return b.callTransfer(r, method, body)
}

// Spaces implements reembed.Ledger.
func (c *Client) Spaces(ctx context.Context, s tenants.Scope) (reembed.Spaces, error) {
	return call.Ask[reembed.Spaces](ctx, c.do, s, nil, methodSpaces, struct{}{})
}

// Missing implements reembed.Ledger.
func (c *Client) Missing(ctx context.Context, s tenants.Scope, model, cursor string) (reembed.Missing, error) {
	return call.Ask[reembed.Missing](ctx, c.do, s, nil, methodMissing, missing{model, cursor})
}

// OpenMove implements reembed.Ledger.
func (c *Client) OpenMove(ctx context.Context, s tenants.Scope, r reembed.Request) (corpus.Receipt, error) {
	return call.Ask[corpus.Receipt](ctx, c.do, s, nil, methodOpenMove, r)
}

// TakeWorks implements reembed.Ledger.
func (c *Client) TakeWorks(ctx context.Context, s tenants.Scope, a reembed.Asked) (reembed.Batch, error) {
	return call.Ask[reembed.Batch](ctx, c.do, s, nil, methodTakeWorks, a)
}

// Filled implements reembed.Ledger.
func (c *Client) Filled(ctx context.Context, s tenants.Scope, jobID string, ds []reembed.Done) ([]corpus.Verdict, error) {
	vs, err := call.Ask[[]corpus.Verdict](ctx, c.do, s, nil, methodFilled, filling{jobID, ds})
	if err == nil && len(vs) != len(ds) {
		return nil, fault.New(fault.Internal, "ledger_answer", fmt.Sprintf("%d verdicts on %d works", len(vs), len(ds)), nil)
	}
	return vs, err
}

// Turn implements reembed.Ledger.
func (c *Client) Turn(ctx context.Context, s tenants.Scope, jobID string) error {
	_, err := call.Ask[struct{}](ctx, c.do, s, nil, methodTurn, jobID)
	return err
}

// Switch implements reembed.Ledger.
func (c *Client) Switch(ctx context.Context, s tenants.Scope, jobID string) error {
	_, err := call.Ask[struct{}](ctx, c.do, s, nil, methodSwitch, jobID)
	return err
}

// Late implements reembed.Ledger.
func (c *Client) Late(ctx context.Context, s tenants.Scope, jobID string) (int, error) {
	return call.Ask[int](ctx, c.do, s, nil, methodLate, jobID)
}

// EndMove implements reembed.Ledger.
func (c *Client) EndMove(ctx context.Context, s tenants.Scope, jobID string, failed *job.Problem) (job.Job, error) {
	return call.Ask[job.Job](ctx, c.do, s, nil, methodEndMove, endingMove{jobID, failed})
}
