package book

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
)

// The methods of the shelf's wire.
const (
	methodPut    = "put"
	methodList   = "list"
	methodPlaces = "places"
)

// placed is the arguments of Places.
type placed struct {
	After string `json:"after,omitempty"`
	UpTo  string `json:"upTo,omitempty"`
	Limit int    `json:"limit"`
}

// Call runs one method of the shelf inside an open transaction, as call.Serve does.
func (f *Shelf) Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodPut:
		return call.Serve(tx, body, func(_ tenants.Scope, n Note) (none, error) { return none{}, f.Put(tx, n) })
	case methodList:
		return call.Serve(tx, body, func(_ tenants.Scope, a paged) (chat.Listing, error) { return f.List(tx, a.User, a.Cursor, a.Limit) })
	case methodPlaces:
		return call.Serve(tx, body, func(_ tenants.Scope, a placed) (chat.Places, error) { return f.Places(tx, a.After, a.UpTo, a.Limit) })
	}
	return call.Unknown(method)
}

// Notes takes what sessions tell of themselves. A note may come again, and after a newer one.
type Notes interface {
	Put(ctx context.Context, s tenants.Scope, n Note) error
}

// ShelfClient is the far end of Shelf.Call: a tenant's shelf over whatever carries the bytes to it and back.
type ShelfClient struct{ do call.Carrier }

var (
	_ chat.Shelf = (*ShelfClient)(nil)
	_ Notes      = (*ShelfClient)(nil)
)

// NewShelfClient makes the shelves over do.
func NewShelfClient(do call.Carrier) *ShelfClient { return &ShelfClient{do: do} }

// List implements chat.Shelf.
func (c *ShelfClient) List(ctx context.Context, s tenants.Scope, user, cursor string, limit int) (chat.Listing, error) {
	return call.Ask[chat.Listing](ctx, c.do, s, nil, methodList, paged{User: user, Cursor: cursor, Limit: limit})
}

// Places implements chat.Shelf.
func (c *ShelfClient) Places(ctx context.Context, s tenants.Scope, after, upTo string, limit int) (chat.Places, error) {
	return call.Ask[chat.Places](ctx, c.do, s, nil, methodPlaces, placed{after, upTo, limit})
}

// Put implements Notes.
func (c *ShelfClient) Put(ctx context.Context, s tenants.Scope, n Note) error {
	_, err := call.Ask[none](ctx, c.do, s, nil, methodPut, n)
	return err
}
