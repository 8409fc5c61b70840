package rows

import (
	"bytes"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Memory is rows in a map. It counts what is written, keeps values apart from their callers', and opens transactions.
type Memory struct {
	Written int // rows put, and rows removed, as a database bills them
	rows    map[string][]byte
	under   *Memory // of a transaction
	gone    map[string]bool
}

var _ Tx = (*Memory)(nil)

// NewMemory makes an empty map.
func NewMemory() *Memory { return &Memory{rows: map[string][]byte{}} }

// Begin opens a transaction over the rows, which are not to be changed otherwise before it ends.
func (m *Memory) Begin() *Memory {
	return &Memory{rows: map[string][]byte{}, gone: map[string]bool{}, under: m}
}

// Commit makes what a transaction did true. One that is not committed has done nothing.
func (m *Memory) Commit() {
	for k := range m.gone {
		delete(m.under.rows, k)
	}
	maps.Copy(m.under.rows, m.rows)
	m.under.Written += m.Written
}

// Get implements Tx.
func (m *Memory) Get(key string) ([]byte, error) {
	if v, ok := m.rows[key]; ok || m.under == nil || m.gone[key] {
		return bytes.Clone(v), nil
	}
	return m.under.Get(key)
}

// Put implements Tx.
func (m *Memory) Put(key string, value []byte) error {
	if key == "" || value == nil {
		return errors.New("rows: a row needs a key and a value")
	}
	m.Written++
	m.rows[key] = bytes.Clone(value)
	delete(m.gone, key)
	return nil
}

// Delete implements Tx.
func (m *Memory) Delete(key string) error {
	if v, err := m.Get(key); err != nil || v == nil {
		return err
	}
	m.Written++
	delete(m.rows, key)
	if m.gone != nil {
		m.gone[key] = true
	}
	return nil
}

// Scan implements Tx.
func (m *Memory) Scan(prefix string, limit int) ([]Row, error) {
	return m.pick(limit, slices.Sorted, func(k string) bool { return strings.HasPrefix(k, prefix) }), nil
}

// Range implements Tx.
func (m *Memory) Range(from, to string, limit int) ([]Row, error) {
	return m.pick(limit, slices.Sorted, func(k string) bool { return from <= k && k < to }), nil
}

// Reverse implements Tx.
func (m *Memory) Reverse(from, to string, limit int) ([]Row, error) {
	return m.pick(limit, descending, func(k string) bool { return from <= k && k < to }), nil
}

func descending(keys iter.Seq[string]) []string {
	return slices.SortedFunc(keys, func(a, b string) int { return strings.Compare(b, a) })
}

func (m *Memory) pick(limit int, sorted func(iter.Seq[string]) []string, wanted func(key string) bool) []Row {
	all := map[string][]byte{}
	for rows := m; rows != nil; rows = rows.under {
		for k, v := range rows.rows {
			if _, hidden := all[k]; !hidden && wanted(k) && !m.gone[k] {
				all[k] = v
			}
		}
	}
	keys := sorted(maps.Keys(all))
	out := make([]Row, min(len(keys), max(limit, 0)))
	for i := range out {
		out[i] = Row{Key: keys[i], Value: bytes.Clone(all[keys[i]])}
	}
	return out
}
