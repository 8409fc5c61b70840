package objects

import (
	"context"
	"time"

	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/chat/book"
)

// RegisterShelf registers the class Shelf, a tenant's list of sessions.
func RegisterShelf(now func() time.Time) {
	object.Register("Shelf", func(ctx context.Context, st *object.State) (object.Object, error) {
		return &shelf{st.SQL(), book.NewShelf(now)}, MakeRows(ctx, st)
	})
}

// shelf keeps one tenant's list in the object's database.
type shelf struct {
	db   *object.DB
	book *book.Shelf
}

// Call implements object.Object: one method of the list in one transaction.
func (x *shelf) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if method == "ping" {
		return nil, nil
	}
	reply, _, err := serve(ctx, x.db, x.book, method, body, nil)
	return reply, err
}
