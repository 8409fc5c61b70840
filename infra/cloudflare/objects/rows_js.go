package objects

import (
	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/corpus/book"
)

// schema is one ordered map. A row is written once for each Put, and costs one row written: there is no second index.
const schema = `CREATE TABLE IF NOT EXISTS rows (k TEXT PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID`

// rows is the book's map inside a transaction.
type rows struct{ tx *object.Tx }

var _ book.Rows = rows{}

// Get implements book.Rows.
func (r rows) Get(key string) ([]byte, error) {
	found, err := r.tx.Query(`SELECT v FROM rows WHERE k = ?`, key)
	if err != nil || !found.Next() {
		return nil, err
	}
	var value []byte
	return value, found.Scan(&value)
}

// Put implements book.Rows.
func (r rows) Put(key string, value []byte) error {
	_, err := r.tx.Exec(`INSERT INTO rows (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v`, key, value)
	return err
}

// Delete implements book.Rows.
func (r rows) Delete(key string) error {
	_, err := r.tx.Exec(`DELETE FROM rows WHERE k = ?`, key)
	return err
}

// Scan implements book.Rows.
func (r rows) Scan(prefix string, limit int) ([]book.Row, error) {
	found, err := r.tx.Query(`SELECT k, v FROM rows WHERE k >= ? AND k < ? ORDER BY k LIMIT ?`, prefix, after(prefix), limit)
	if err != nil {
		return nil, err
	}
	var all []book.Row
	for found.Next() {
		var row book.Row
		if err := found.Scan(&row.Key, &row.Value); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, nil
}

// after is the first key beyond those that begin with an ASCII prefix.
func after(prefix string) string {
	last := len(prefix) - 1
	return prefix[:last] + string(prefix[last]+1)
}
