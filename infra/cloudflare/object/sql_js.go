package object

import (
	"context"
	"errors"
	"fmt"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/isolate/wire"
)

// DB is the SQLite database of an object. Statements run synchronously, on the spot.
// A statement has at most 100 parameters; a value at most 2 MB.
type DB struct{}

// ErrInteger is returned for an integer argument beyond ±(2^53-1): the platform's SQL
// interface passes numbers as float64 and would change it. Pass such a number as text
// (strconv) into CAST(? AS INTEGER), and read it back with CAST(column AS TEXT), which
// Scan turns into an int64 exactly.
var ErrInteger = errors.New("object: integer beyond 2^53-1; see object.ErrInteger")

// Exec runs one statement and returns how many rows it wrote, index rows included.
func (d *DB) Exec(ctx context.Context, query string, args ...any) (written int64, err error) {
	rows, err := d.Query(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return rows.Written, nil
}

// Query runs one statement and returns its rows, which are all read already.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	values, err := statement(query, args)
	if err != nil {
		return nil, err
	}
	return rows(isolate.CallSync(ctx, "sql", values...))
}

// Size returns the size of the database in bytes.
func (d *DB) Size(ctx context.Context) (int64, error) {
	r, err := isolate.CallSync(ctx, "sql.size")
	if err != nil {
		return 0, err
	}
	n := r.Int()
	return n, r.Err()
}

// Stmt is a statement of a batch.
type Stmt struct {
	Query string
	Args  []any
}

// Batch runs the statements in one transaction, all or nothing.
func (d *DB) Batch(ctx context.Context, statements ...Stmt) error {
	return d.Txn(ctx, func(tx *Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(s.Query, s.Args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Tx is a transaction under way. It is only valid inside the function given to Txn.
type Tx struct {
	task *isolate.Task
	id   int64
}

// Txn runs f in a transaction: if f returns an error or panics, nothing it wrote
// remains, and no other event sees the database in between. f must not wait for
// anything (another binding, a channel, a sleep, another method of DB): a wait ends the
// transaction, its writes are undone and Txn returns an error.
func (d *DB) Txn(ctx context.Context, f func(tx *Tx) error) (err error) {
	task := isolate.From(ctx)
	r, err := isolate.Call(ctx, "sql.transaction")
	if err != nil {
		return err
	}
	tx := &Tx{task: task, id: r.Int()}
	committed := false
	defer func() {
		if !committed {
			_, _ = task.CallHere("sql.end", tx.id, false) // fails only if it is over already
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	committed = true
	if _, err := task.CallHere("sql.end", tx.id, true); err != nil {
		return err
	}
	// The commit happens when this turn ends.
	if _, err := isolate.CallSync(ctx, "sql.outcome"); err != nil {
		return fmt.Errorf("object: commit: %w", err)
	}
	return nil
}

// Exec runs one statement of the transaction and returns how many rows it wrote.
func (tx *Tx) Exec(query string, args ...any) (written int64, err error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return 0, err
	}
	return rows.Written, nil
}

// Query runs one statement of the transaction and returns its rows.
func (tx *Tx) Query(query string, args ...any) (*Rows, error) {
	values, err := statement(query, args, tx.id)
	if err != nil {
		return nil, err
	}
	return rows(tx.task.CallHere("sql.in", values...))
}

// Statements that recur are sent as a number after their first use.
var statements = map[string]int64{}

const maxStatements = 512

func statement(query string, args []any, head ...any) ([]any, error) {
	values := make([]any, 0, len(args)+len(head)+2)
	values = append(values, head...)
	id, known := statements[query]
	switch {
	case known:
		values = append(values, id, nil)
	case len(statements) < maxStatements:
		id = int64(len(statements) + 1)
		statements[query] = id
		values = append(values, id, query)
	default:
		values = append(values, 0, query)
	}
	for i, a := range args {
		switch n := a.(type) {
		case int64:
			if n > wire.MaxSafe || n < -wire.MaxSafe {
				return nil, fmt.Errorf("argument %d: %w", i+1, ErrInteger)
			}
		case int:
			if n > wire.MaxSafe || n < -wire.MaxSafe {
				return nil, fmt.Errorf("argument %d: %w", i+1, ErrInteger)
			}
		}
		values = append(values, a)
	}
	return values, nil
}
