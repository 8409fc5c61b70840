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
)

// Call runs one method of quota.Ledger inside an open transaction, as call.Serve does.
func (b *Book) Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodExchange, methodRates:
		return call.Serve(tx, body, func(s tenants.Scope, r quota.Report) (quota.Grant, error) { return b.Exchange(tx, s, r) })
	case methodStatement:
		return call.Serve(tx, body, func(_ tenants.Scope, q quota.Query) (quota.Statement, error) { return b.Statement(tx, q) })
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
