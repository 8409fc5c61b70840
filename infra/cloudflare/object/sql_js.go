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
	values, k, err := statement(query, args)
	if err != nil {
		return nil, err
	}
	r, err := isolate.CallSync(ctx, "sql", values...)
	return rows(r, k, err)
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
	values, k, err := statement(query, args, tx.id)
	if err != nil {
		return nil, err
	}
	r, err := tx.task.CallHere("sql.in", values...)
	return rows(r, k, err)
}

func rows(r *wire.Reader, k *known, err error) (*Rows, error) {
	if err != nil {
		return nil, err
	}
	k.arrived = k.id > 0
	return &Rows{Written: r.Int(), Columns: int(r.Int()), cells: r}, r.Err()
}

// A known statement is sent as its number once its text has arrived: another goroutine
// may run, and use the same statement, before the first use gets that far.
type known struct {
	id      int64
	arrived bool
}

var statements = map[string]*known{}

const maxStatements = 512

// statement returns the values of a statement's frame, and what to mark when it has arrived.
func statement(query string, args []any, head ...any) ([]any, *known, error) {
	values := make([]any, 0, len(args)+len(head)+2)
	values = append(values, head...)
	k := statements[query]
	if k == nil {
		k = &known{}
		if len(statements) < maxStatements {
			k.id = int64(len(statements) + 1)
			statements[query] = k
		}
	}
	if k.arrived {
		values = append(values, k.id, nil)
	} else {
		values = append(values, k.id, query)
	}
	for i, a := range args {
		switch n := a.(type) {
		case int64:
			if n > wire.MaxSafe || n < -wire.MaxSafe {
				return nil, nil, fmt.Errorf("argument %d: %w", i+1, ErrInteger)
			}
		case int:
			if n > wire.MaxSafe || n < -wire.MaxSafe {
				return nil, nil, fmt.Errorf("argument %d: %w", i+1, ErrInteger)
			}
		}
		values = append(values, a)
	}
	return values, k, nil
}
