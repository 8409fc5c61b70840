package client

import (
	"context"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/transfer"
)

// Standing is whether a tenant takes changes, and what is still on its way.
type Standing struct {
	State      string    `json:"state"` // live or readonly
	Since      time.Time `json:"since,omitzero"`
	OnTheirWay int       `json:"onTheirWay"`
	Imports    int       `json:"imports"`
	Settled    bool      `json:"settled"`
	Still      bool      `json:"still"` // no turn is let in
}

// The states of a tenant.
const (
	Live     = "live"
	Readonly = "readonly"
)

// Run asks for a run that brings a tenant here from another pool.
type Run struct {
	From  string `json:"from"`
	Key   string `json:"key"`
	Last  bool   `json:"last,omitempty"`
	Again bool   `json:"again,omitempty"`
	Usage bool   `json:"usage,omitempty"` // only what was used of budgets
}

const transferPath = "/tenant/transfer"

// Standing asks whether the tenant takes changes.
func (c *Client) Standing(ctx context.Context) (Standing, error) {
	return get[Standing](ctx, c, transferPath, nil)
}

// Stand has the tenant take no changes any more (Readonly), or take them again (Live).
func (c *Client) Stand(ctx context.Context, state string) (Standing, error) {
	return post[Standing](ctx, c, transferPath, map[string]any{"state": state})
}

// Bring begins a run, which the job follows.
func (c *Client) Bring(ctx context.Context, r Run) (Accepted, error) {
	return post[Accepted](ctx, c, transferPath+"/runs", r)
}

// Far is the client's tenant as another pool would take it.
func (c *Client) Far() *transfer.Far {
	return transfer.NewFar(c.opts.HTTP.Do, c.base, c.key, tenants.ID(c.opts.Tenant))
}
