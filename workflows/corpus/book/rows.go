package book

import (
	"encoding/json"
	"fmt"
)

// Rows is where a book is kept: an ordered map inside the transaction of one call. What is put is seen by later
// reads of the same transaction. A value that Get or Scan returned is not changed by the store afterwards, and a value
// given to Put is not changed by the book. An error of any method ends the call and rolls the transaction back.
type Rows interface {
	// Get returns the value under key, nil when there is none.
	Get(key string) ([]byte, error)
	Put(key string, value []byte) error
	// Delete of an unknown key is no error.
	Delete(key string) error
	// Scan returns at most limit rows whose key begins with prefix, in byte order of their keys.
	Scan(prefix string, limit int) ([]Row, error)
}

// Row is one entry of Rows.
type Row struct {
	Key   string
	Value []byte
}

const (
	documentPrefix = "d/"
	jobPrefix      = "j/"
	outboxPrefix   = "o/"
	asidePrefix    = "x/"
	receiptPrefix  = "i/"
	tenantKey      = "tenant"
)

// read decodes the row under key into v and reports whether there is one.
func read(r Rows, key string, v any) (bool, error) {
	b, err := r.Get(key)
	if err != nil {
		return false, fmt.Errorf("book: get: %w", err)
	}
	if b == nil {
		return false, nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("book: row %.40q: %w", key, err)
	}
	return true, nil
}

func write(r Rows, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("book: row %.40q: %w", key, err)
	}
	if err := r.Put(key, b); err != nil {
		return fmt.Errorf("book: put: %w", err)
	}
	return nil
}
