package objects

import (
	"context"
	"errors"

	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/lexicon"
	"levada.dev/workflows/lexicon/book"
)

// RegisterLexicon registers the class Lexicon, a shard of a tenant's lexical index. nil is the default options.
func RegisterLexicon(o *lexicon.Options) {
	object.Register("Lexicon", func(ctx context.Context, st *object.State) (object.Object, error) {
		if err := MakeRows(ctx, st); err != nil {
			return nil, err
		}
		for _, statement := range book.Schema() {
			if _, err := st.SQL().Exec(ctx, statement); err != nil {
				return nil, err
			}
		}
		return &shard{st.SQL(), book.New(o)}, nil
	})
}

// shard keeps passages in the object's database.
type shard struct {
	db   *object.DB
	book *book.Book
}

// Call implements object.Object: one method of the book in one transaction.
func (x *shard) Call(ctx context.Context, method string, body []byte) (reply []byte, err error) {
	if method == "ping" {
		return nil, nil
	}
	err = x.db.Txn(ctx, func(tx *object.Tx) error {
		commit := false
		if reply, commit = x.book.Call(Rows(tx), tables{tx}, method, body); !commit {
			return errRollback
		}
		return nil
	})
	if err != nil && !errors.Is(err, errRollback) {
		return nil, err
	}
	return reply, nil
}

// tables is the transaction as a book of tables asks for it.
type tables struct{ tx *object.Tx }

var _ book.Tx = tables{}

// Exec implements book.Tx.
func (t tables) Exec(query string, args ...any) (int64, error) { return t.tx.Exec(query, args...) }

// Query implements book.Tx.
func (t tables) Query(query string, args ...any) (book.Rows, error) {
	rows, err := t.tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	return rows, nil
}
