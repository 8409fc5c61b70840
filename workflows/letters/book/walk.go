package book

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"levada.dev/tenants/rows"
	"levada.dev/workflows/letters"
)

// readAhead is how many rows are read at once.
const readAhead = 200

// index is an order in which letters can be read.
type index struct {
	prefix  string
	reverse bool // the last key first
}

var (
	newest = index{letterPrefix, true}
	oldest = index{waitingPrefix, false}
)

// walk calls f with the rows of an index that lie within the query's times and, if it names any, its ids, after the given
// place, until f has enough or so many were looked at. It returns the place to go on from, empty at the end.
func (b *Book) walk(tx rows.Tx, x index, q letters.Query, after string, look int, f func(rows.Row) (bool, error)) (next string, err error) {
	from, to := x.bounds(q, b.now())
	read := tx.Range
	if x.reverse {
		read = tx.Reverse
	}
	if len(q.IDs) > 0 {
		if read, err = x.these(tx, q.IDs); err != nil {
			return "", err
		}
	}
	if after != "" {
		from, to = x.after(from, to, x.prefix+after)
	}
	for {
		found, err := read(from, to, min(readAhead, look+1))
		if err != nil {
			return "", fmt.Errorf("letters: range: %w", err)
		}
		if len(found) == 0 {
			return "", nil
		}
		for _, row := range found {
			if look == 0 {
				return next, nil
			}
			look--
			enough, err := f(row)
			if err != nil {
				return "", err
			}
			next = strings.TrimPrefix(row.Key, x.prefix)
			from, to = x.after(from, to, row.Key)
			if enough {
				look = 0
			}
		}
	}
}

// bounds are the keys within a query's times, of which the first is not before what has grown too old.
func (x index) bounds(q letters.Query, now time.Time) (from, to string) {
	first := now.Add(-letters.Life)
	if q.From.After(first) {
		first = q.From
	}
	from, to = x.prefix+digits(ceil(first)), x.prefix+end
	if !q.To.IsZero() {
		to = x.prefix + digits(ceil(q.To))
	}
	return from, to
}

// after are the bounds of what comes after a key.
func (x index) after(from, to, key string) (string, string) {
	if x.reverse {
		return from, min(to, key)
	}
	return max(from, key+"\x00"), to
}

// these reads the rows of some ids as Range or Reverse would, if there were no others.
func (x index) these(tx rows.Tx, ids []string) (func(from, to string, limit int) ([]rows.Row, error), error) {
	var keys []string
	for _, id := range ids {
		ms, there, err := place(tx, id)
		if err != nil {
			return nil, err
		}
		if there {
			keys = append(keys, x.prefix+digits(ms)+"/"+id)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if x.reverse {
		slices.Reverse(keys)
	}
	return func(from, to string, limit int) (found []rows.Row, err error) {
		for _, key := range keys {
			if key < from || key >= to || len(found) == limit {
				continue
			}
			v, err := tx.Get(key)
			if err != nil {
				return nil, err
			}
			if v != nil { // else it waits no longer
				found = append(found, rows.Row{Key: key, Value: v})
			}
		}
		return found, nil
	}, nil
}

// ceil is the first whole millisecond that is not before t.
func ceil(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return min(max(ms, 0), latest)
}
