package book

import (
	"encoding/base64"
	"fmt"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
)

const (
	// maxLooked is how many rows one page of a list looks at. A row is a kilobyte or two, so that is a megabyte or two read,
	// in the one thread that all calls of the tenant share.
	maxLooked = 1000
	// lookBatch is how many of them are read at once.
	lookBatch = 100
	// afterAll comes after every character that an id may have.
	afterAll = "\U0010FFFF"
)

// look goes through rows for one page of a list.
type look struct {
	limit int
	last  string // the key of the row looked at last
}

// newLook begins where a cursor says. A cursor is a key, so that one of another list is none of this one.
func newLook(prefix, cursor string, limit int) (*look, error) {
	if limit < 1 || limit > corpus.MaxListed {
		return nil, fault.Invalidf("limit", "invalid_query", "%d is not between 1 and %d", limit, corpus.MaxListed)
	}
	if cursor == "" {
		return &look{limit: limit, last: prefix}, nil
	}
	key, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || !strings.HasPrefix(string(key), prefix) {
		return nil, fault.Invalidf("cursor", "invalid_query", "is not the cursor of a list")
	}
	return &look{limit: limit, last: string(key)}, nil
}

// each shows rows to take, as read gives them, until it has taken a page of them, or too many were looked at, or there are
// no more. next is the cursor of what was not looked at.
func (l *look) each(read func(limit int) ([]rows.Row, error), take func(rows.Row) (bool, error)) (next string, err error) {
	taken := 0
	for looked := 0; looked < maxLooked; {
		batch := min(lookBatch, maxLooked-looked)
		found, err := read(batch)
		if err != nil {
			return "", fmt.Errorf("book: list: %w", err)
		}
		for i, row := range found {
			took, err := take(row)
			if err != nil {
				return "", err
			}
			l.last = row.Key
			looked++
			if took {
				taken++
			}
			if taken == l.limit && (i < len(found)-1 || len(found) == batch) {
				return l.cursor(), nil
			}
		}
		if len(found) < batch {
			return "", nil
		}
	}
	return l.cursor(), nil
}

func (l *look) cursor() string {
	return base64.RawURLEncoding.EncodeToString([]byte(l.last))
}
