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
	return r.pick(limit, func(k string) bool { return strings.HasPrefix(k, prefix) })
}

func (r *rows) Range(from, to string, limit int) ([]stored.Row, error) {
	return r.pick(limit, func(k string) bool { return from <= k && k < to })
}

func (r *rows) Reverse(from, to string, limit int) ([]stored.Row, error) {
	all, err := r.Range(from, to, len(r.m))
	slices.Reverse(all)
	return all[:min(limit, len(all))], err
}

func (r *rows) pick(limit int, wanted func(key string) bool) ([]stored.Row, error) {
	var out []stored.Row
	for _, k := range slices.Sorted(maps.Keys(r.m)) {
		if wanted(k) && len(out) < limit {
			out = append(out, stored.Row{Key: k, Value: r.m[k]})
		}
	}
	return out, r.err
}
