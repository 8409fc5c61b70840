package book

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
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
		_, id := named(row.Key)
		l, found, err := find(tx, id)
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
			ms, _ := named(row.Key)
			l.At = time.UnixMilli(ms).UTC()
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
	if l.OfDocument() {
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
