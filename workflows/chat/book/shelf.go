package book

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
)

// Note is what a session tells the shelf of itself: all of it, each time, so that only the newest note matters.
type Note struct {
	SessionID string `json:"sessionId"`
	UserID    string `json:"userId,omitempty"`
	Title     string `json:"title,omitempty"`
	Turns     int    `json:"turns,omitempty"`
	Created   int64  `json:"created,omitempty"` // Unix milliseconds
	Updated   int64  `json:"updated,omitempty"` // when the last turn began
	Version   int64  `json:"version"`           // grows; an older one changes nothing
	Gone      bool   `json:"gone,omitempty"`    // the session is no more
	Came      int64  `json:"came,omitempty"`    // from another pool, as chat.Place has it
	Last      int    `json:"last,omitempty"`
	Own       bool   `json:"own,omitempty"`
}

// Shelf decides for a tenant's list of sessions.
type Shelf struct{ now func() time.Time }

// NewShelf makes a shelf that tells the time by now.
func NewShelf(now func() time.Time) *Shelf { return &Shelf{now: now} }

// The rows of the shelf. Lists are in the order of their keys, the most recently used first.
const (
	placePrefix = "s/" // <session>: where it stands in the lists
	allPrefix   = "r/" // <time, reversed>/<session>: every session
	userPrefix  = "u/" // <user>/<time, reversed>/<session>: the sessions of one user
	gonePrefix  = "x/" // <time>/<session>: a place that only fends off late notes
)

// place is where a session stands.
type place struct {
	Version int64  `json:"v"`
	Updated int64  `json:"at,omitempty"`
	User    string `json:"u,omitempty"` // as keys have it
	Gone    bool   `json:"gone,omitempty"`
	Came    int64  `json:"c,omitempty"`
	Last    int    `json:"l,omitempty"`
	Own     bool   `json:"o,omitempty"`
}

func (p place) keys(session string) []string {
	when := fmt.Sprintf("%013d/%s", int64(9_999_999_999_999)-p.Updated, session)
	keys := []string{allPrefix + when}
	if p.User != "" {
		keys = append(keys, userPrefix+p.User+"/"+when)
	}
	return keys
}

// graveLife is for how long the shelf fends off notes that a deleted session sent before.
const graveLife = time.Hour

// Put takes a note. One that is not newer than what the shelf has changes nothing.
func (f *Shelf) Put(tx rows.Tx, n Note) error {
	if err := chat.CheckSessionID(n.SessionID); err != nil {
		return err
	}
	var old place
	found, err := rows.Read(tx, placePrefix+n.SessionID, &old)
	if err != nil || found && old.Version >= n.Version {
		return err
	}
	if found && !old.Gone {
		for _, key := range old.keys(n.SessionID) {
			if err := tx.Delete(key); err != nil {
				return fmt.Errorf("shelf: delete: %w", err)
			}
		}
	}
	p := place{Version: n.Version, Gone: n.Gone}
	if n.Gone {
		if err := f.bury(tx, n.SessionID); err != nil {
			return err
		}
		return rows.Write(tx, placePrefix+n.SessionID, p)
	}
	p.Updated, p.User, p.Came, p.Last, p.Own = n.Updated, userKey(n.UserID), n.Came, n.Last, n.Own
	listed := chat.Listed{
		SessionID: n.SessionID, UserID: n.UserID, Title: n.Title, Turns: n.Turns, CreatedAt: at(n.Created), UpdatedAt: at(n.Updated),
	}
	for _, key := range p.keys(n.SessionID) {
		if err := rows.Write(tx, key, listed); err != nil {
			return err
		}
	}
	return rows.Write(tx, placePrefix+n.SessionID, p)
}

// userKey is a user in a key: short, whatever the name.
func userKey(user string) string {
	if user == "" {
		return ""
	}
	return digest(user)
}

// bury notes when a place became one that only fends off late notes, and removes some that have done so for long enough.
func (f *Shelf) bury(tx rows.Tx, session string) error {
	now := f.now()
	old, err := tx.Range(gonePrefix, gonePrefix+graveTime(now.Add(-graveLife)), 2)
	if err != nil {
		return fmt.Errorf("shelf: scan: %w", err)
	}
	for _, row := range old {
		_, name, _ := strings.Cut(strings.TrimPrefix(row.Key, gonePrefix), "/")
		var p place
		found, err := rows.Read(tx, placePrefix+name, &p)
		if err == nil && found && p.Gone && name != session {
			err = tx.Delete(placePrefix + name)
		}
		if err == nil {
			err = tx.Delete(row.Key)
		}
		if err != nil {
			return fmt.Errorf("shelf: delete: %w", err)
		}
	}
	if err := tx.Put(gonePrefix+graveTime(now)+"/"+session, []byte("1")); err != nil {
		return fmt.Errorf("shelf: put: %w", err)
	}
	return nil
}

func graveTime(t time.Time) string { return fmt.Sprintf("%013d", t.UnixMilli()) }

// MaxListing is the most sessions of one page.
const MaxListing = 200

// List implements chat.Shelf.
func (f *Shelf) List(tx rows.Tx, user, cursor string, limit int) (chat.Listing, error) {
	if limit < 1 {
		return chat.Listing{}, fault.Invalidf("limit", "value_out_of_range", "is below 1")
	}
	limit = min(limit, MaxListing)
	prefix := allPrefix
	if user != "" {
		prefix = userPrefix + userKey(user) + "/"
	}
	from := prefix
	if cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || len(last) < 14 || last[13] != '/' {
			return chat.Listing{}, fault.Invalidf("cursor", "invalid_value", "is not a cursor of this list")
		}
		from += string(last) + "\x00"
	}
	found, err := tx.Range(from, prefix+":", limit+1) // ":" comes after every digit
	if err != nil {
		return chat.Listing{}, fmt.Errorf("shelf: range: %w", err)
	}
	page := chat.Listing{Sessions: []chat.Listed{}}
	for i, row := range found {
		if i == limit {
			page.Cursor = base64.RawURLEncoding.EncodeToString([]byte(strings.TrimPrefix(found[i-1].Key, prefix)))
			break
		}
		var l chat.Listed
		if err := json.Unmarshal(row.Value, &l); err != nil {
			return chat.Listing{}, fmt.Errorf("shelf: row: %w", err)
		}
		page.Sessions = append(page.Sessions, l)
	}
	return page, nil
}

// Places implements chat.Shelf.
func (f *Shelf) Places(tx rows.Tx, after, upTo string, limit int) (chat.Places, error) {
	if limit < 1 {
		return chat.Places{}, fault.Invalidf("limit", "value_out_of_range", "is below 1")
	}
	to := strings.TrimSuffix(placePrefix, "/") + "0" // after every place
	if upTo != "" {
		to = placePrefix + upTo + "\x00"
	}
	limit = min(limit, chat.MaxPlaces)
	found, err := tx.Range(placePrefix+after+"\x00", to, limit+1)
	if err != nil {
		return chat.Places{}, fmt.Errorf("shelf: range: %w", err)
	}
	page := chat.Places{Places: []chat.Place{}, More: len(found) > limit}
	for _, row := range found[:min(len(found), limit)] {
		var p place
		if err := json.Unmarshal(row.Value, &p); err != nil {
			return chat.Places{}, fmt.Errorf("shelf: row: %w", err)
		}
		page.Next = strings.TrimPrefix(row.Key, placePrefix)
		if !p.Gone {
			page.Places = append(page.Places, chat.Place{SessionID: page.Next, Version: p.Version, Came: p.Came, Last: p.Last, Own: p.Own})
		}
	}
	return page, nil
}
