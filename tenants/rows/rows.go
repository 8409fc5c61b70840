package rows

import (
	"encoding/json"
	"fmt"
)

// Tx is an ordered map inside the transaction of one call. What is put is seen by later reads of the same transaction.
// A value that Get or Scan returned is not changed by the store afterwards, and a value given to Put is not changed by
// the caller. An error of any method ends the call and rolls the transaction back.
type Tx interface {
	// Get returns the value under key, nil when there is none.
	Get(key string) ([]byte, error)
	// Put puts a value, which may be empty but not nil, under a key, which is UTF-8 and not empty.
	Put(key string, value []byte) error
	// Delete of an unknown key is no error.
	Delete(key string) error
	// Scan returns at most limit rows whose key begins with prefix, in byte order of their keys.
	Scan(prefix string, limit int) ([]Row, error)
	// Range returns at most limit rows from the key from (with it) to the key to (without it), in byte order of their keys.
	Range(from, to string, limit int) ([]Row, error)
	// Reverse is Range from its other end: at most limit rows, the last first.
	Reverse(from, to string, limit int) ([]Row, error)
}

// Row is one entry of the map.
type Row struct {
	Key   string
	Value []byte
}

// GetAll returns the values under the keys, in their order, nil where there is none. A Tx that can reads them at once (GetAll).
func GetAll(tx Tx, keys []string) ([][]byte, error) {
	if at, once := tx.(interface {
		GetAll(keys []string) ([][]byte, error)
	}); once {
		return at.GetAll(keys)
	}
	values := make([][]byte, len(keys))
	for i, key := range keys {
		v, err := tx.Get(key)
		if err != nil {
			return nil, fmt.Errorf("rows: get: %w", err)
		}
		values[i] = v
	}
	return values, nil
}

// Read decodes the JSON under key into v and reports whether there is any.
func Read(tx Tx, key string, v any) (bool, error) {
	b, err := tx.Get(key)
	if err != nil {
		return false, fmt.Errorf("rows: get: %w", err)
	}
	if b == nil {
		return false, nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("rows: %.40q: %w", key, err)
	}
	return true, nil
}

// Write puts v as JSON under key.
func Write(tx Tx, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("rows: %.40q: %w", key, err)
	}
	if err := tx.Put(key, b); err != nil {
		return fmt.Errorf("rows: put: %w", err)
	}
	return nil
}
