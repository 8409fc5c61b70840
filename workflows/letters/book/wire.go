package book

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/letters"
)

// The methods of the wire.
const (
	methodKeep    = "keep"
	methodList    = "list"
	methodWaiting = "waiting"
	methodCount   = "count"
	methodMark    = "mark"
	methodOpen    = "open"
	methodClose   = "close"
	methodClear   = "clear"
	methodForget  = "forget"
)

// listing is the arguments of list and waiting.
type listing struct {
	Query  letters.Query `json:"query"`
	Cursor string        `json:"cursor,omitempty"`
	Limit  int           `json:"limit"`
	Bodies bool          `json:"bodies,omitempty"`
}

// receiving is the arguments of open and close.
type receiving struct {
	Key    string `json:"key"`
	Hash   string `json:"hash,omitempty"`
	Answer []byte `json:"answer,omitempty"`
}

// forgetting is the arguments of forget.
type forgetting struct {
	DocID      string `json:"docId"`
	Generation int    `json:"generation"`
	From       string `json:"from,omitempty"`
}

// forgetAtOnce is how many letters about a document one call looks at.
const forgetAtOnce = 200

type none struct{}

// Call runs one method of letters.Box or letters.Receipts inside an open transaction, as call.Serve does.
func (b *Book) Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodKeep:
		return call.Serve(tx, body, func(s tenants.Scope, ls []letters.Letter) (none, error) { return none{}, b.Keep(tx, s, ls) })
	case methodList:
		return call.Serve(tx, body, func(_ tenants.Scope, a listing) (letters.Page, error) {
			return b.List(tx, a.Query, a.Cursor, a.Limit, a.Bodies)
		})
	case methodWaiting:
		return call.Serve(tx, body, func(_ tenants.Scope, a listing) (letters.Page, error) {
			return b.Waiting(tx, a.Query, a.Cursor, a.Limit)
		})
	case methodCount:
		return call.Serve(tx, body, func(_ tenants.Scope, q letters.Query) (letters.Count, error) { return b.Count(tx, q) })
	case methodMark:
		return call.Serve(tx, body, func(s tenants.Scope, m letters.Marking) (letters.Marked, error) { return b.Mark(tx, s, m) })
	case methodOpen:
		return call.Serve(tx, body, func(_ tenants.Scope, a receiving) ([]byte, error) { return b.Open(tx, a.Key, a.Hash) })
	case methodClose:
		return call.Serve(tx, body, func(_ tenants.Scope, a receiving) (none, error) { return none{}, b.Close(tx, a.Key, a.Answer) })
	case methodForget:
		return call.Serve(tx, body, func(_ tenants.Scope, a forgetting) (string, error) {
			return b.Forget(tx, a.DocID, a.Generation, a.From, forgetAtOnce)
		})
	case methodClear:
		return call.Serve(tx, body, func(_ tenants.Scope, limit int) (int, error) { return b.Clear(tx, limit) })
	}
	return call.Unknown(method)
}

// Keeps reports whether a method of the wire keeps what is to be forgotten one day.
func Keeps(method string) bool { return method == methodKeep || method == methodOpen }

// Sends reports whether a method of the wire may take events into the outbox, so that whoever keeps the book sees to
// their sending before the method is committed.
func Sends(method string) bool { return method == methodMark }

// Client is the far end of Call: the tenants' boxes over whatever carries the bytes to them and back.
type Client struct{ do call.Carrier }

var (
	_ letters.Box       = (*Client)(nil)
	_ letters.Receipts  = (*Client)(nil)
	_ letters.Forgetter = (*Client)(nil)
)

// NewClient makes the boxes over do.
func NewClient(do call.Carrier) *Client { return &Client{do: do} }

// keepBytes is how much of bodies one call carries, unless a single one is larger.
const keepBytes = 2 << 20

// Keep implements letters.Keeper.
func (c *Client) Keep(ctx context.Context, s tenants.Scope, ls []letters.Letter) error {
	for len(ls) > 0 {
		n, size := 0, 0
		for n < len(ls) && (n == 0 || size+len(ls[n].Body) <= keepBytes) {
			size += len(ls[n].Body)
			n++
		}
		if _, err := call.Ask[none](ctx, c.do, s, nil, methodKeep, ls[:n]); err != nil {
			return err
		}
		ls = ls[n:]
	}
	return s.Check()
}

// List implements letters.Box.
func (c *Client) List(ctx context.Context, s tenants.Scope, q letters.Query, cursor string, limit int, bodies bool) (letters.Page, error) {
	return call.Ask[letters.Page](ctx, c.do, s, nil, methodList, listing{q, cursor, limit, bodies})
}

// Waiting implements letters.Box.
func (c *Client) Waiting(ctx context.Context, s tenants.Scope, q letters.Query, cursor string, limit int) (letters.Page, error) {
	return call.Ask[letters.Page](ctx, c.do, s, nil, methodWaiting, listing{Query: q, Cursor: cursor, Limit: limit})
}

// Count implements letters.Box.
func (c *Client) Count(ctx context.Context, s tenants.Scope, q letters.Query) (letters.Count, error) {
	return call.Ask[letters.Count](ctx, c.do, s, nil, methodCount, q)
}

// Mark implements letters.Box.
func (c *Client) Mark(ctx context.Context, s tenants.Scope, m letters.Marking) (letters.Marked, error) {
	return call.Ask[letters.Marked](ctx, c.do, s, nil, methodMark, m)
}

// Open implements letters.Receipts.
func (c *Client) Open(ctx context.Context, s tenants.Scope, key, hash string) ([]byte, error) {
	return call.Ask[[]byte](ctx, c.do, s, nil, methodOpen, receiving{Key: key, Hash: hash})
}

// Close implements letters.Receipts.
func (c *Client) Close(ctx context.Context, s tenants.Scope, key string, answer []byte) error {
	_, err := call.Ask[none](ctx, c.do, s, nil, methodClose, receiving{Key: key, Answer: answer})
	return err
}

// Forget implements letters.Forgetter.
func (c *Client) Forget(ctx context.Context, s tenants.Scope, docID string, generation int) error {
	from := ""
	for {
		next, err := call.Ask[string](ctx, c.do, s, nil, methodForget, forgetting{docID, generation, from})
		if err != nil || next == "" {
			return err
		}
		from = next
	}
}

// Clear forgets letters of a tenant, so many at most, whatever their age, and says how many: an erasure calls it until
// there are none.
func (c *Client) Clear(ctx context.Context, s tenants.Scope, limit int) (int, error) {
	return call.Ask[int](ctx, c.do, s, nil, methodClear, limit)
}
