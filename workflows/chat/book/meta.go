package book

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
)

// metaKey is the row of the session as a whole. It is written when a turn begins, not while it goes on or when it ends.
const metaKey = "m"

type meta struct {
	ID      string         `json:"id"`
	User    string         `json:"user,omitempty"`
	Title   string         `json:"title,omitempty"`
	Created int64          `json:"created,omitempty"`
	Updated int64          `json:"updated,omitempty"` // when the last turn began
	Turns   int            `json:"turns"`             // the number of the last one
	First   int            `json:"first"`             // the number of the oldest that is kept
	Count   int            `json:"count,omitempty"`   // of turns since the session was created
	Keep    chat.Retention `json:"keep,omitzero"`
	Summary string         `json:"summary,omitempty"`
	UpTo    int            `json:"upTo,omitempty"` // the last turn of the summary
	Keys    []taken        `json:"keys,omitempty"`
	Version int64          `json:"version"`        // of what the shelf is to know
	Came    int64          `json:"came,omitempty"` // from another pool: the version there, or partly
	Own     bool           `json:"own,omitempty"`  // it has gone on since
	Gone    int64          `json:"gone,omitempty"` // when the session was deleted: this is its gravestone
}

// load reads the session, which may not exist.
func load(tx rows.Tx) (*meta, error) {
	m := &meta{First: 1}
	_, err := rows.Read(tx, metaKey, m)
	return m, err
}

func (m *meta) exists() bool { return m.ID != "" && m.Gone == 0 }

var errMissing = fault.Missing("session_not_found", "there is no such session")

// exists reads a session, which has to exist.
func exists(tx rows.Tx) (*meta, error) {
	m, err := load(tx)
	if err == nil && !m.exists() {
		err = errMissing
	}
	return m, err
}

func (m *meta) write(tx rows.Tx) error { return rows.Write(tx, metaKey, m) }

// next is a version that is higher than any before, also than those of a session of the same name that is long gone.
func (m *meta) next(now time.Time) int64 { return max(now.UnixMilli(), m.Version+1) }

// open notes what an opening says of the session, which may be a new one.
func (m *meta) open(o chat.Opening, now time.Time) {
	version := m.next(now)
	if !m.exists() {
		*m = meta{ID: o.Session, Turns: m.Turns, First: m.First, Title: title(o.Messages), Created: now.UnixMilli()}
	}
	if m.User == "" {
		m.User = o.User
	}
	m.Keep, m.Updated, m.Version, m.Own = o.Keep, now.UnixMilli(), version, m.Came > 0
	m.Count++
}

// shorten makes room for one more turn.
func (m *meta) shorten(tx rows.Tx, most int) error {
	for ; most > 0 && m.Turns-m.First+1 >= most; m.First++ {
		if err := removeTurn(tx, m.First); err != nil {
			return err
		}
	}
	return nil
}

// taken is an idempotency key and the turn it began.
type taken struct {
	Key  string `json:"k"` // digests of both
	Hash string `json:"h"`
	Turn int    `json:"t"`
	At   int64  `json:"at"`
}

const (
	// KeyLife is for how long a session knows the keys of its turns.
	KeyLife = 24 * time.Hour
	// maxKeys is how many of them it knows.
	maxKeys = 256
)

// replay finds the turn that the same key began. One that failed before anything was answered lets go of its key.
func (m *meta) replay(tx rows.Tx, o chat.Opening, now time.Time) (chat.Turn, error) {
	if o.Key == "" || !m.exists() {
		return chat.Turn{}, nil
	}
	key, hash := digests(o.Key)
	for i, k := range m.Keys {
		if k.Key != key || k.expired(now) {
			continue
		}
		vain, err := inVain(tx, k.Turn)
		switch {
		case err != nil:
			return chat.Turn{}, err
		case vain:
			m.Keys = slices.Delete(m.Keys, i, i+1)
			return chat.Turn{}, nil
		case k.Hash != hash:
			return chat.Turn{}, fault.New(fault.Conflict, "idempotency_conflict", "the idempotency key was used for another request", nil).
				WithHint("send another Idempotency-Key with another request")
		default:
			return chat.Turn{Stream: chat.NewStreamID(m.ID, k.Turn), Number: k.Turn, Replayed: true, Started: at(k.At)}, nil
		}
	}
	return chat.Turn{}, nil
}

// inVain reports whether a turn has failed before anything was answered or done.
func inVain(tx rows.Tx, n int) (bool, error) {
	t, err := readTurn(tx, n)
	if err != nil || t == nil || !t.over() {
		return false, err
	}
	if err := t.open(tx); err != nil {
		return false, err
	}
	_, answered := t.head.answer()
	return !answered && len(t.head.Outcome.Steps) == 0 && t.head.Outcome.Code != "", nil // tools may have done something
}

// remember takes the key of the turn that begins, and forgets old ones.
func (m *meta) remember(key string, now time.Time) {
	for len(m.Keys) > 0 && (len(m.Keys) >= maxKeys || m.Keys[0].expired(now)) {
		m.Keys = m.Keys[1:]
	}
	if key != "" {
		k, h := digests(key)
		m.Keys = append(m.Keys, taken{k, h, m.Turns, now.UnixMilli()})
	}
}

func (k taken) expired(now time.Time) bool { return now.Sub(at(k.At)) >= KeyLife }

// digests are what is kept of an opening's key, "<key>:<hash of the request>".
func digests(key string) (string, string) {
	i := strings.LastIndexByte(key, ':')
	if i < 0 {
		return digest(key), ""
	}
	return digest(key[:i]), digest(key[i+1:])
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// The rows of a turn: one, and as many more as it takes to say what begins it, if that is long.
func turnKey(n int) string    { return fmt.Sprintf("t/%010d", n) }
func longPrefix(n int) string { return fmt.Sprintf("q/%010d/", n) }
func longKey(n, i int) string { return fmt.Sprintf("%s%02d", longPrefix(n), i) }

// removeTurn removes the rows of a turn, without reading more of them than it must.
func removeTurn(tx rows.Tx, n int) error {
	for {
		long, err := tx.Scan(longPrefix(n), 1)
		if err != nil {
			return fmt.Errorf("book: scan: %w", err)
		}
		if len(long) == 0 {
			break
		}
		if err := tx.Delete(long[0].Key); err != nil {
			return fmt.Errorf("book: delete: %w", err)
		}
	}
	if err := tx.Delete(turnKey(n)); err != nil {
		return fmt.Errorf("book: delete: %w", err)
	}
	return nil
}

var errRow = errors.New("book: a turn's row does not decode")
