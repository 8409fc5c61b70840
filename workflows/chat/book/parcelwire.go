package book

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
)

// move is Call for the methods of chat.Parcels.
func (b *Book) move(tx rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodParcel:
		return call.Serve(tx, body, func(s tenants.Scope, from int) (chat.Parcel, error) { return b.Parcel(tx, s, from) })
	case methodTake:
		return call.Serve(tx, body, func(_ tenants.Scope, p chat.Parcel) (int, error) { return b.Take(tx, p) })
	case methodDrop:
		return call.Serve(tx, body, func(s tenants.Scope, _ none) (none, error) { return none{}, b.Drop(tx, s) })
	}
	return call.Unknown(method)
}

// Parcel implements chat.Parcels.
func (c *Client) Parcel(ctx context.Context, s tenants.Scope, session string, from int) (chat.Parcel, error) {
	return ask[chat.Parcel](ctx, c.do, s, session, methodParcel, from)
}

// Take implements chat.Parcels.
func (c *Client) Take(ctx context.Context, s tenants.Scope, p chat.Parcel) (next int, err error) {
	if err := checkParcel(p); err != nil {
		return 0, err
	}
	return ask[int](ctx, c.do, s, p.SessionID, methodTake, p)
}

// Drop implements chat.Parcels.
func (c *Client) Drop(ctx context.Context, s tenants.Scope, session string) error {
	_, err := ask[none](ctx, c.do, s, session, methodDrop, none{})
	return err
}
