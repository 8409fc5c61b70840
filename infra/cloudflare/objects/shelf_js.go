package objects

import (
	"context"
	"errors"
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
func (x *shelf) Call(ctx context.Context, method string, body []byte) (reply []byte, err error) {
	if method == "ping" {
		return nil, nil
	}
	err = x.db.Txn(ctx, func(tx *object.Tx) error {
		var commit bool
		if reply, commit = x.book.Call(Rows(tx), method, body); !commit {
			return errRollback
		}
		return nil
	})
	if err != nil && !errors.Is(err, errRollback) {
		return nil, err
	}
	return reply, nil
}
