package book

import (
	"context"
	"encoding/json"
	"slices"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/trail"
)

// The methods of the wire.
const (
	methodAppend = "append"
	methodList   = "list"
	methodChain  = "chain"
)

// listing is the arguments of list.
type listing struct {
	Query  trail.Query `json:"query"`
	Cursor string      `json:"cursor,omitempty"`
	Limit  int         `json:"limit"`
}

// reading is the arguments of chain.
type reading struct {
	After int64 `json:"after"`
	Limit int   `json:"limit"`
}

// Call runs one method inside an open transaction, as call.Serve does.
func (b *Book) Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodAppend:
		return call.Serve(tx, body, func(s tenants.Scope, entries []events.AuditEntry) (Appended, error) { return b.Append(tx, s, entries) })
	case methodList:
		return call.Serve(tx, body, func(s tenants.Scope, a listing) (trail.Page, error) {
			return b.List(tx, s, a.Query, a.Cursor, a.Limit)
		})
	case methodChain:
		return call.Serve(tx, body, func(s tenants.Scope, a reading) (trail.Lines, error) { return b.Chain(tx, s, a.After, a.Limit) })
	}
	return call.Unknown(method)
}

// Appends reports whether a method of the wire brings entries, which are to be exported one day.
func Appends(method string) bool { return method == methodAppend }

// Told is what came of an append, by its reply; nothing, when it was refused.
func Told(reply []byte) (done Appended) {
	var answer struct{ Value Appended }
	if json.Unmarshal(reply, &answer) == nil {
		done = answer.Value
	}
	return done
}

// Client is the far end of Call: the tenants' trails over whatever carries the bytes to them and back. It is what consumers/audit appends to.
type Client struct{ do call.Carrier }

var _ trail.Reader = (*Client)(nil)

// NewClient makes the trails over do.
func NewClient(do call.Carrier) *Client { return &Client{do: do} }

// appendAtOnce is how many entries one call carries.
const appendAtOnce = 500

// Append implements audit.Trail.
func (c *Client) Append(ctx context.Context, s tenants.Scope, entries []events.AuditEntry) error {
	for some := range slices.Chunk(entries, appendAtOnce) {
		if _, err := call.Ask[Appended](ctx, c.do, s, nil, methodAppend, some); err != nil {
			return err
		}
	}
	return s.Check()
}

// List implements trail.Reader.
func (c *Client) List(ctx context.Context, s tenants.Scope, q trail.Query, cursor string, limit int) (trail.Page, error) {
	return call.Ask[trail.Page](ctx, c.do, s, nil, methodList, listing{q, cursor, limit})
}

// Chain implements trail.Reader.
func (c *Client) Chain(ctx context.Context, s tenants.Scope, after int64, limit int) (trail.Lines, error) {
	return call.Ask[trail.Lines](ctx, c.do, s, nil, methodChain, reading{after, limit})
}
