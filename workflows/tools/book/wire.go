package book

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/tools/keep"
)

// The methods of the wire.
const (
	methodBegin = "begin"
	methodEnd   = "end"
	methodLapse = "lapse"
	methodDrop  = "drop"
	methodClear = "clear"
	methodCount = "count"
)

// ending is the arguments of end, lapse and drop.
type ending struct {
	Key    string      `json:"key"`
	ID     string      `json:"id"`
	Lease  int         `json:"lease"`
	Result keep.Result `json:"result,omitzero"`
}

type none struct{}

// Call runs one method of keep.Calls inside an open transaction, as call.Serve does.
func (b *Book) Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodBegin:
		return call.Serve(tx, body, func(_ tenants.Scope, o keep.Opening) (keep.Begun, error) { return b.Begin(tx, o) })
	case methodEnd:
		return call.Serve(tx, body, func(_ tenants.Scope, a ending) (none, error) {
			return none{}, b.End(tx, a.Key, a.ID, a.Lease, a.Result)
		})
	case methodLapse:
		return call.Serve(tx, body, func(_ tenants.Scope, a ending) (none, error) { return none{}, b.Lapse(tx, a.Key, a.ID, a.Lease) })
	case methodDrop:
		return call.Serve(tx, body, func(_ tenants.Scope, a ending) (none, error) { return none{}, b.Drop(tx, a.Key, a.ID, a.Lease) })
	case methodClear:
		return call.Serve(tx, body, func(_ tenants.Scope, limit int) (int, error) { return b.Clear(tx, limit) })
	case methodCount:
		return call.Serve(tx, body, func(_ tenants.Scope, limit int) (int, error) { return b.Count(tx, limit) })
	}
	return call.Unknown(method)
}

// Keeps reports whether a method of the wire keeps what is to be forgotten one day.
func Keeps(method string) bool { return method == methodBegin }

// Client is the far end of Call: the tenants' calls over whatever carries the bytes to them and back.
type Client struct{ do call.Carrier }

var _ keep.Calls = (*Client)(nil)

// NewClient makes the calls over do.
func NewClient(do call.Carrier) *Client { return &Client{do: do} }

// Begin implements keep.Calls.
func (c *Client) Begin(ctx context.Context, s tenants.Scope, o keep.Opening) (keep.Begun, error) {
	return call.Ask[keep.Begun](ctx, c.do, s, nil, methodBegin, o)
}

// End implements keep.Calls.
func (c *Client) End(ctx context.Context, s tenants.Scope, key, id string, lease int, r keep.Result) error {
	if len(r.Data) > keep.MaxResultBytes { // before it is copied several times on its way
		return tooLarge(len(r.Data), keep.MaxResultBytes)
	}
	_, err := call.Ask[none](ctx, c.do, s, nil, methodEnd, ending{key, id, lease, r})
	return err
}

// Lapse implements keep.Calls.
func (c *Client) Lapse(ctx context.Context, s tenants.Scope, key, id string, lease int) error {
	_, err := call.Ask[none](ctx, c.do, s, nil, methodLapse, ending{Key: key, ID: id, Lease: lease})
	return err
}

// Drop implements keep.Calls.
func (c *Client) Drop(ctx context.Context, s tenants.Scope, key, id string, lease int) error {
	_, err := call.Ask[none](ctx, c.do, s, nil, methodDrop, ending{Key: key, ID: id, Lease: lease})
	return err
}

// Clear forgets calls of the tenant whatever their age, so many at most, and says how many.
func (c *Client) Clear(ctx context.Context, s tenants.Scope, limit int) (int, error) {
	return call.Ask[int](ctx, c.do, s, nil, methodClear, limit)
}

// Count is how many calls of the tenant are kept, as far as the limit.
func (c *Client) Count(ctx context.Context, s tenants.Scope, limit int) (int, error) {
	return call.Ask[int](ctx, c.do, s, nil, methodCount, limit)
}
