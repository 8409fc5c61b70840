package book_test

import (
	"maps"
	"slices"
	"strings"

	stored "levada.dev/tenants/rows"
)

// rows is a book's rows in a map, with a count of what is written.
type rows struct {
	m       map[string][]byte
	written int
	err     error // of every call, when it is set
}

func newRows() *rows { return &rows{m: map[string][]byte{}} }

func (r *rows) Get(key string) ([]byte, error) { return r.m[key], r.err }

func (r *rows) Put(key string, value []byte) error {
	r.written++
	r.m[key] = value
	return r.err
}

func (r *rows) Delete(key string) error {
	r.written++
	delete(r.m, key)
	return r.err
}

func (r *rows) Scan(prefix string, limit int) ([]stored.Row, error) {
	var out []stored.Row
	for _, k := range slices.Sorted(maps.Keys(r.m)) {
		if strings.HasPrefix(k, prefix) && len(out) < limit {
			out = append(out, stored.Row{Key: k, Value: r.m[k]})
		}
	}
	return out, r.err
}
