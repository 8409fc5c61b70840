package book

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/letters"
)

// worker is the box's name in the source of its events.
const worker = "letters"

// Book decides. It is safe for concurrent use as far as the rows it is given are.
type Book struct{ now func() time.Time }

// New makes a book that tells the time by now.
func New(now func() time.Time) *Book { return &Book{now: now} }

// The rows of the book, by what their keys begin with; the outbox has its own.
const (
	letterPrefix  = "l/" // <time>/<id>: the letter without its body
	waitingPrefix = "w/" // <time>/<id>: one that was not replayed
	placePrefix   = "p/" // <id>: its time
	bodyPrefix    = "b/" // <id>: its body
	aboutPrefix   = "d/" // <document> <id>: that it is about the document
	receiptPrefix = "i/" // <day>/<key>: a request with an idempotency key
)

// end comes after every digit.
const end = ":"

// latest is the last millisecond that a key can name.
const latest = 9_999_999_999_999

func digits(ms int64) string { return fmt.Sprintf("%013d", ms) }

func letterKey(ms int64, id string) string { return letterPrefix + digits(ms) + "/" + id }

func waitingKey(ms int64, id string) string { return waitingPrefix + digits(ms) + "/" + id }

// aboutKey has a space, which no document's id has.
func aboutKey(docID, id string) string { return aboutPrefix + docID + " " + id }

// named is the time and the id in the key of a letter, or of one that waits.
func named(key string) (ms int64, id string) {
	_, rest, _ := strings.Cut(key, "/")
	when, id, _ := strings.Cut(rest, "/")
	ms, _ = strconv.ParseInt(when, 10, 64) // of our own making
	return ms, id
}

// waiting is the row of a letter that was not replayed: what queries look at, so that they read little.
type waiting struct {
	Type  string `json:"t,omitempty"`
	Code  string `json:"c,omitempty"`
	Stage string `json:"s,omitempty"`
	DocID string `json:"d,omitempty"`
}

func (w waiting) letter() *letters.Letter {
	return &letters.Letter{Type: w.Type, Code: w.Code, Stage: w.Stage, DocID: w.DocID}
}

// Keep implements letters.Keeper.
func (b *Book) Keep(tx rows.Tx, s tenants.Scope, ls []letters.Letter) error {
	for _, l := range ls {
		if err := check(s, l); err != nil {
			return err
		}
		l.At, l.Replayed = l.At.UTC().Truncate(time.Millisecond), time.Time{}
		l.Code, l.Message, l.Reason = clip(l.Code, 64), clip(l.Message, 500), clip(l.Reason, 2000)
		old, found, err := find(tx, l.ID)
		if err != nil {
			return err
		}
		if found {
			if !l.At.After(old.Replayed) { // the same delivery is buried again
				l.Replayed = old.Replayed
			}
			if err := remove(tx, old); err != nil {
				return err
			}
		}
		if err := write(tx, l); err != nil {
			return err
		}
	}
	return nil
}

func check(s tenants.Scope, l letters.Letter) error {
	switch {
	case l.ID == "" || strings.Contains(l.ID, "/"):
		return fault.Invalidf("id", "letter_invalid", "%.40q cannot name a letter", l.ID)
	case l.Tenant != s.Tenant():
		return fault.New(fault.Denied, "tenant_mismatch", "the letter is of another tenant", nil)
	case l.At.UnixMilli() < 0 || l.At.UnixMilli() > latest:
		return fault.Invalidf("at", "letter_invalid", "is required")
	}
	return nil
}

// find is the letter of an id, without its body.
func find(tx rows.Tx, id string) (l letters.Letter, found bool, err error) {
	ms, found, err := place(tx, id)
	if err != nil || !found {
		return l, false, err
	}
	found, err = rows.Read(tx, letterKey(ms, id), &l)
	return l, found, err
}

// place is the time in the keys of a letter.
func place(tx rows.Tx, id string) (ms int64, found bool, err error) {
	v, err := tx.Get(placePrefix + id)
	if err != nil {
		return 0, false, fmt.Errorf("letters: get: %w", err)
	}
	if v == nil {
		return 0, false, nil
	}
	if ms, err = strconv.ParseInt(string(v), 10, 64); err != nil {
		return 0, false, fmt.Errorf("letters: place: %w", err)
	}
	return ms, true, nil
}

// write writes the rows of a letter of which there are none.
func write(tx rows.Tx, l letters.Letter) error {
	ms := l.At.UnixMilli()
	body := l.Body
	l.Body = nil
	if err := rows.Write(tx, letterKey(ms, l.ID), l); err != nil {
		return err
	}
	if l.Replayed.IsZero() {
		if err := rows.Write(tx, waitingKey(ms, l.ID), waiting{l.Type, l.Code, l.Stage, l.DocID}); err != nil {
			return err
		}
	}
	if err := tx.Put(placePrefix+l.ID, strconv.AppendInt(nil, ms, 10)); err != nil {
		return fmt.Errorf("letters: put: %w", err)
	}
	if l.DocID != "" {
		if err := tx.Put(aboutKey(l.DocID, l.ID), []byte{}); err != nil {
			return fmt.Errorf("letters: put: %w", err)
		}
	}
	if len(body) == 0 {
		return nil
	}
	if err := tx.Put(bodyPrefix+l.ID, body); err != nil {
		return fmt.Errorf("letters: put: %w", err)
	}
	return nil
}

// remove removes the rows of a letter.
func remove(tx rows.Tx, l letters.Letter) error {
	ms := l.At.UnixMilli()
	for _, key := range []string{letterKey(ms, l.ID), waitingKey(ms, l.ID), placePrefix + l.ID, bodyPrefix + l.ID, aboutKey(l.DocID, l.ID)} {
		if err := tx.Delete(key); err != nil {
			return fmt.Errorf("letters: delete: %w", err)
		}
	}
	return nil
}

// clip cuts s to n bytes, between runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
