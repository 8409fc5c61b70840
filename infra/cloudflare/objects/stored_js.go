package objects

import (
	"context"
	"encoding/json"
	"errors"

	"levada.dev/infra/cloudflare/object"
	"levada.dev/tenants/rows"
)

// schema is one ordered map. A row is written once for each Put, and costs one row written: there is no second index.
const schema = `CREATE TABLE IF NOT EXISTS rows (k TEXT PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID`

// MakeRows makes the table that Rows are in.
func MakeRows(ctx context.Context, st *object.State) error {
	_, err := st.SQL().Exec(ctx, schema)
	return err
}

// Rows is what a class here keeps, inside a transaction of its object. It is exported, as MakeRows is, for classes elsewhere
// that keep what they have in the same way.
func Rows(tx *object.Tx) rows.Tx { return stored{tx} }

// decider is what answers the calls of a class: a book. When commit is false, nothing of the call may stay.
type decider interface {
	Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool)
}

// errRollback undoes a transaction whose answer is known already.
var errRollback = errors.New("roll back")

// serve answers one call in one transaction, and reports whether it stays. prepare may be nil; it runs before the call, in
// the same transaction.
func serve(ctx context.Context, db *object.DB, d decider, method string, body []byte, prepare func(*object.Tx) error) (reply []byte, committed bool, err error) {
	err = db.Txn(ctx, func(tx *object.Tx) error {
		if prepare != nil {
			if err := prepare(tx); err != nil {
				return err
			}
		}
		if reply, committed = d.Call(Rows(tx), method, body); !committed {
			return errRollback
		}
		return nil
	})
	switch {
	case errors.Is(err, errRollback):
		return reply, false, nil
	case err != nil:
		return nil, false, err
	}
	return reply, true, nil
}

// look answers a call that only reads, and with one statement all that it tells, without a transaction and the turns that one takes.
// ok is false for one that would write after all, or is refused: it is to be served in a transaction.
func look(ctx context.Context, db *object.DB, d decider, method string, body []byte) (reply []byte, ok bool) {
	return d.Call(stored{looking{ctx, db}}, method, body)
}

// looking is the database outside of a transaction.
type looking struct {
	ctx context.Context
	db  *object.DB
}

func (l looking) Query(query string, args ...any) (*object.Rows, error) {
	return l.db.Query(l.ctx, query, args...)
}

// Exec is for writes, which want a transaction.
func (l looking) Exec(string, ...any) (int64, error) {
	return 0, errors.New("objects: a look does not write")
}

// statements run in a transaction, or where none is needed.
type statements interface {
	Query(query string, args ...any) (*object.Rows, error)
	Exec(query string, args ...any) (written int64, err error)
}

var (
	_ statements = (*object.Tx)(nil)
	_ statements = looking{}
)

// stored is Rows over SQL.
type stored struct{ tx statements }

var _ rows.Tx = stored{}

// Get implements rows.Tx.
func (r stored) Get(key string) ([]byte, error) {
	found, err := r.tx.Query(`SELECT v FROM rows WHERE k = ?`, key)
	if err != nil || !found.Next() {
		return nil, err
	}
	var value []byte
	return value, found.Scan(&value)
}

// GetAll reads many keys in one statement: rows.GetAll. A key that comes twice is found twice.
func (r stored) GetAll(keys []string) ([][]byte, error) {
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	found, err := r.tx.Query(`SELECT j.key, r.v FROM json_each(?) j CROSS JOIN rows r ON r.k = j.value`, string(list))
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(keys))
	for found.Next() {
		place, value := 0, []byte(nil)
		if err := found.Scan(&place, &value); err != nil {
			return nil, err
		}
		values[place] = value
	}
	return values, nil
}

// Put implements rows.Tx.
func (r stored) Put(key string, value []byte) error {
	if key == "" || value == nil {
		return errors.New("objects: a row needs a key and a value")
	}
	_, err := r.tx.Exec(`INSERT INTO rows (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v`, key, value)
	return err
}

// Delete implements rows.Tx.
func (r stored) Delete(key string) error {
	_, err := r.tx.Exec(`DELETE FROM rows WHERE k = ?`, key)
	return err
}

// Scan implements rows.Tx. What ends it is beyond every key that begins with the prefix, and before all others that are
// greater: no text has a byte 255.
func (r stored) Scan(prefix string, limit int) ([]rows.Row, error) {
	return r.between(prefix, append([]byte(prefix), 0xFF), ascending, limit)
}

// Range implements rows.Tx.
func (r stored) Range(from, to string, limit int) ([]rows.Row, error) {
	return r.between(from, []byte(to), ascending, limit)
}

// Reverse implements rows.Tx.
func (r stored) Reverse(from, to string, limit int) ([]rows.Row, error) {
	return r.between(from, []byte(to), descending, limit)
}

// The orders of a range.
const (
	ascending  = `SELECT k, v FROM rows WHERE k >= ? AND k < CAST(? AS TEXT) ORDER BY k LIMIT ?`
	descending = `SELECT k, v FROM rows WHERE k >= ? AND k < CAST(? AS TEXT) ORDER BY k DESC LIMIT ?`
)

// between takes its end as bytes, as it need not be a text.
func (r stored) between(from string, to []byte, query string, limit int) ([]rows.Row, error) {
	found, err := r.tx.Query(query, from, to, limit)
	if err != nil {
		return nil, err
	}
	var all []rows.Row
	for found.Next() {
		var row rows.Row
		if err := found.Scan(&row.Key, &row.Value); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, nil
}
