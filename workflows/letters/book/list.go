package book

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/letters"
)

const (
	// lookForPage and lookForCount are how many letters a page, and a count, look at.
	lookForPage  = 2_000
	lookForCount = 20_000
	// pageBytes is when a page with bodies has enough.
	pageBytes = 4 << 20
	// readAhead is how many rows are read at once.
	readAhead = 200
)

// List implements letters.Box.
func (b *Book) List(tx rows.Tx, q letters.Query, cursor string, limit int, bodies bool) (letters.Page, error) {
	page := letters.Page{Letters: []letters.Letter{}}
	bytes := 0
	next, err := b.page(tx, newest, q, cursor, limit, func(row rows.Row) (enough bool, err error) {
		var l letters.Letter
		if err := decode(row, &l); err != nil || !q.Matches(&l) {
			return false, err
		}
		if bodies {
			if l.Body, err = tx.Get(bodyPrefix + l.ID); err != nil {
				return false, fmt.Errorf("letters: get: %w", err)
			}
			bytes += len(l.Body)
		}
		page.Letters = append(page.Letters, l)
		return len(page.Letters) == limit || bytes >= pageBytes, nil
	})
	page.Next = next
	return page, err
}

// Waiting implements letters.Box.
func (b *Book) Waiting(tx rows.Tx, q letters.Query, cursor string, limit int) (letters.Page, error) {
	page := letters.Page{Letters: []letters.Letter{}}
	next, err := b.page(tx, oldest, q, cursor, limit, func(row rows.Row) (enough bool, err error) {
		var w waiting
		if err := decode(row, &w); err != nil || !q.Matches(w.letter()) {
			return false, err
		}
		l, found, err := find(tx, idIn(row.Key))
		if err != nil || !found {
			return false, err
		}
		page.Letters = append(page.Letters, l)
		return len(page.Letters) == limit, nil
	})
	page.Next = next
	return page, err
}

// page walks for one page.
func (b *Book) page(tx rows.Tx, x index, q letters.Query, cursor string, limit int, f func(rows.Row) (bool, error)) (next string, err error) {
	if limit < 1 || limit > letters.MaxPage {
		return "", fault.Invalidf("limit", "value_out_of_range", "is not between 1 and %d", letters.MaxPage)
	}
	after := ""
	if cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || len(last) < 15 || last[13] != '/' {
			return "", fault.Invalidf("cursor", "invalid_value", "is not a cursor of this list")
		}
		after = string(last)
	}
	last, err := b.walk(tx, x, q, after, lookForPage, f)
	return base64.RawURLEncoding.EncodeToString([]byte(last)), err
}

// Count implements letters.Box.
func (b *Book) Count(tx rows.Tx, q letters.Query) (letters.Count, error) {
	c := letters.Count{Types: map[string]int{}, Codes: map[string]int{}, Stages: map[string]int{}}
	x, read := newest, func(row rows.Row, l *letters.Letter) error { return decode(row, l) }
	if q.Replayed != nil && !*q.Replayed {
		x, read = oldest, func(row rows.Row, l *letters.Letter) error {
			var w waiting
			err := decode(row, &w)
			*l = *w.letter()
			l.At = x.time(row.Key)
			return err
		}
	}
	last, err := b.walk(tx, x, q, "", lookForCount, func(row rows.Row) (bool, error) {
		var l letters.Letter
		if err := read(row, &l); err != nil || !q.Matches(&l) {
			return false, err
		}
		add(&c, &l)
		return false, nil
	})
	c.Capped = last != ""
	return c, err
}

func add(c *letters.Count, l *letters.Letter) {
	c.Total++
	c.Types[l.Type]++
	c.Codes[l.Code]++
	if l.Stage != "" {
		c.Stages[l.Stage]++
	}
	if c.Oldest.IsZero() || l.At.Before(c.Oldest) {
		c.Oldest = l.At
	}
	if l.At.After(c.Newest) {
		c.Newest = l.At
	}
}

func decode(row rows.Row, v any) error {
	if err := json.Unmarshal(row.Value, v); err != nil {
		return fmt.Errorf("letters: row %.80q: %w", row.Key, err)
	}
	return nil
}

// index is an order in which letters can be read: by what follows a prefix, a time and an id.
type index struct {
	prefix   string
	reversed bool
}

var (
	newest = index{newestPrefix, true}
	oldest = index{waitingPrefix, false}
)

// bounds are the keys of the letters from a time on and before another, in milliseconds.
func (x index) bounds(from, to int64) (first, last string) {
	if x.reversed {
		from, to = latest-to+1, latest-from+1
	}
	first, last = x.prefix+digits(max(from, 0)), x.prefix+end
	if to <= latest {
		last = x.prefix + digits(to)
	}
	return first, last
}

// time is that of the letter with a key.
func (x index) time(key string) time.Time {
	ms, _ := strconv.ParseInt(key[len(x.prefix):][:13], 10, 64) // of our own making
	if x.reversed {
		ms = latest - ms
	}
	return time.UnixMilli(ms).UTC()
}

func (x index) key(ms int64, id string) string {
	if x.reversed {
		return newestKey(ms, id)
	}
	return waitingKey(ms, id)
}

// walk calls f with the rows of an index that lie within the query's times and, if it names any, its ids, after the given
// place, until f has enough or so many were looked at. It returns the place to go on from, empty at the end.
func (b *Book) walk(tx rows.Tx, x index, q letters.Query, after string, look int, f func(rows.Row) (bool, error)) (next string, err error) {
	from := b.now().Add(-letters.Life)
	if q.From.After(from) {
		from = q.From
	}
	to := int64(latest + 1)
	if !q.To.IsZero() {
		to = min(to, ceil(q.To))
	}
	first, last := x.bounds(ceil(from), to)
	if after != "" {
		first = max(first, x.prefix+after+"\x00")
	}
	read := func(from string, limit int) ([]rows.Row, error) { return tx.Range(from, last, limit) }
	if len(q.IDs) > 0 {
		read = named(tx, x, q.IDs, last)
	}
	for {
		found, err := read(first, min(readAhead, look+1))
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
			next, first = strings.TrimPrefix(row.Key, x.prefix), row.Key+"\x00"
			if enough {
				look = 0
			}
		}
	}
}

// named reads of an index the letters of some ids.
func named(tx rows.Tx, x index, ids []string, last string) func(from string, limit int) ([]rows.Row, error) {
	var keys []string
	return func(from string, limit int) (found []rows.Row, err error) {
		if keys == nil {
			for _, id := range ids {
				ms, there, err := place(tx, id)
				if err != nil {
					return nil, err
				}
				if there {
					keys = append(keys, x.key(ms, id))
				}
			}
			slices.Sort(keys)
			keys = append(slices.Compact(keys), last)
		}
		for _, key := range keys {
			if key < from || key >= last || len(found) == limit {
				continue
			}
			v, err := tx.Get(key)
			if err != nil {
				return nil, err
			}
			if v != nil { // it waits no longer
				found = append(found, rows.Row{Key: key, Value: v})
			}
		}
		return found, nil
	}
}

// ceil is the first whole millisecond that is not before t.
func ceil(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return min(max(ms, 0), latest)
}
