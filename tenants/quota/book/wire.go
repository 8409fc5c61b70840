package book

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/rows"
)

// The methods of the wire. Exchanges that are about rates alone have one of their own, as nothing follows from them.
const (
	methodExchange  = "exchange"
	methodRates     = "rates"
	methodStatement = "statement"
	methodBar       = "bar"
	methodUnbar     = "unbar"
	methodStill     = "still"
	methodStands    = "stands"
	methodCarry     = "carry"
)

// carrying is the arguments of Carry.
type carrying struct {
	From  quota.Day    `json:"from"`
	Lines []quota.Line `json:"lines"`
}

// Call runs one method of quota.Ledger inside an open transaction, as call.Serve does.
func (b *Book) Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodExchange, methodRates:
		return call.Serve(tx, body, func(s tenants.Scope, r quota.Report) (quota.Grant, error) { return b.Exchange(tx, s, r) })
	case methodStatement:
		return call.Serve(tx, body, func(_ tenants.Scope, q quota.Query) (quota.Statement, error) { return b.Statement(tx, q) })
	case methodBar:
		return call.Serve(tx, body, func(_ tenants.Scope, by string) (bool, error) { return b.Bar(tx, by) })
	case methodUnbar:
		return call.Serve(tx, body, func(_ tenants.Scope, by string) (struct{}, error) { return struct{}{}, b.Unbar(tx, by) })
	case methodStill:
		return call.Serve(tx, body, func(_ tenants.Scope, still bool) (struct{}, error) { return struct{}{}, b.Still(tx, still) })
	case methodStands:
		return call.Serve(tx, body, func(tenants.Scope, struct{}) (bool, error) { return b.StandsStill(tx) })
	case methodCarry:
		return call.Serve(tx, body, func(_ tenants.Scope, c carrying) (struct{}, error) { return struct{}{}, b.Carry(tx, c.From, c.Lines) })
	}
	return call.Unknown(method)
}

// Sends reports whether a method of the wire may tell facts or give leases, so that whoever keeps the book sees to both
// before the method is committed.
func Sends(method string) bool { return method == methodExchange }

// Client is the far end of Call: a quota.Ledger over whatever carries the bytes to the tenant's book and back.
type Client struct{ do call.Carrier }

var _ quota.Ledger = (*Client)(nil)

// NewClient makes a ledger over do.
func NewClient(do call.Carrier) *Client { return &Client{do: do} }

// Exchange implements quota.Ledger.
func (c *Client) Exchange(ctx context.Context, s tenants.Scope, r quota.Report) (quota.Grant, error) {
	method := methodExchange
	if r.Seq == 0 {
		method = methodRates
	}
	return call.Ask[quota.Grant](ctx, c.do, s, nil, method, r)
}

// Statement implements quota.Ledger.
func (c *Client) Statement(ctx context.Context, s tenants.Scope, q quota.Query) (quota.Statement, error) {
	return call.Ask[quota.Statement](ctx, c.do, s, nil, methodStatement, q)
}

// Bar refuses what writes (quota.Ask) from now on, in the name of an erasure, and tells whether a purse holds money: whether a call of a
// model may still be in flight. Permits that were leased before are used up or given back within seconds.
func (c *Client) Bar(ctx context.Context, s tenants.Scope, by string) (busy bool, err error) {
	return call.Ask[bool](ctx, c.do, s, nil, methodBar, by)
}

// Unbar lets in again what the same erasure had barred.
func (c *Client) Unbar(ctx context.Context, s tenants.Scope, by string) error {
	_, err := call.Ask[struct{}](ctx, c.do, s, nil, methodUnbar, by)
	return err
}

// Still refuses what talks (quota.Ask) from now on, or lets it in again. Permits that were leased before are used up or given back within seconds.
func (c *Client) Still(ctx context.Context, s tenants.Scope, still bool) error {
	_, err := call.Ask[struct{}](ctx, c.do, s, nil, methodStill, still)
	return err
}

// StandsStill tells whether what talks is refused.
func (c *Client) StandsStill(ctx context.Context, s tenants.Scope) (bool, error) {
	return call.Ask[bool](ctx, c.do, s, nil, methodStands, struct{}{})
}

// Carry has the account say that these lines were used in another pool, from a day on, and no others of which that was said before. It may be repeated.
func (c *Client) Carry(ctx context.Context, s tenants.Scope, from quota.Day, lines []quota.Line) error {
	_, err := call.Ask[struct{}](ctx, c.do, s, nil, methodCarry, carrying{from, lines})
	return err
}
