package letters

import (
	"context"
	"time"

	"levada.dev/events"
	"levada.dev/tenants"
)

// Keeper takes a tenant's letters in.
//
// What Keep returned nil for is durable, and every call may be repeated. A letter with the id of an earlier one replaces it,
// but for Replayed, which stays unless the message was delivered in vain after it. It is kept for Life. Safe for concurrent use.
type Keeper interface {
	Keep(ctx context.Context, s tenants.Scope, ls []Letter) error
}

// Box is a tenant's dead letters. Another tenant's letters are not there. Safe for concurrent use.
//
// A call looks at a bounded number of letters. So a page may have fewer letters than were asked for, even none, and yet a
// Next; and a count may be Capped.
type Box interface {
	Keeper
	// List pages through letters, newest first, of MaxPage at most.
	List(ctx context.Context, s tenants.Scope, q Query, cursor string, limit int, bodies bool) (Page, error)
	// Waiting pages through those that were not replayed yet, oldest first, without their bodies. A letter that comes while
	// somebody reads on comes at the end.
	Waiting(ctx context.Context, s tenants.Scope, q Query, cursor string, limit int) (Page, error)
	Count(ctx context.Context, s tenants.Scope, q Query) (Count, error)
	// Mark notes that letters are replayed, in one transaction with what makes it true: the messages that no document depends
	// on go out again, as they were, and so does letters.replayed. What was replayed before is left out. It may be repeated.
	Mark(ctx context.Context, s tenants.Scope, m Marking) (Marked, error)
}

// Forgetter removes what the letters about a document say and carry: it was deleted. Letters of later generations stay. It may be
// repeated. Safe for concurrent use.
type Forgetter interface {
	Forget(ctx context.Context, s tenants.Scope, docID string, generation int) error
}

// Unread keeps the letters that name no tenant, for operators of the pool, and those that their tenant's own box has not taken until there was no
// further attempt, until they are brought home. What Keep returned nil for is durable; a letter with
// the id of an earlier one replaces it. Safe for concurrent use.
type Unread interface {
	Keep(ctx context.Context, ls []Letter) error
}

// Pile is an Unread from which the letters of tenants come home again: see BringHome. Safe for concurrent use.
type Pile interface {
	Unread
	// Stranded returns letters of a tenant that are here and not in its box, limit at most.
	Stranded(ctx context.Context, s tenants.Scope, limit int) ([]Letter, error)
	// Drop removes letters of a tenant. It may be repeated.
	Drop(ctx context.Context, s tenants.Scope, ls []Letter) error
}

// Page is a part of a list. Next is the cursor of the rest, empty at the end.
type Page struct {
	Letters []Letter `json:"letters"` // without their bodies, unless they were asked for
	Next    string   `json:"next,omitempty"`
}

// Count is how many letters match, by type, code and stage.
type Count struct {
	Total  int            `json:"total"`
	Types  map[string]int `json:"types"`
	Codes  map[string]int `json:"codes"`
	Stages map[string]int `json:"stages"` // of those that a document depends on
	Oldest time.Time      `json:"oldest,omitzero"`
	Newest time.Time      `json:"newest,omitzero"`
	Capped bool           `json:"capped,omitempty"` // there are more than a call looks at
}

// Marking says which letters are replayed, and who asked for it.
type Marking struct {
	IDs   []string     `json:"ids"`
	Query Query        `json:"query"` // that they matched
	By    string       `json:"by,omitempty"`
	Cause events.Cause `json:"cause"`
}

// Marked is what came of it.
type Marked struct {
	Replayed int       `json:"replayed"`
	Skipped  []Skipped `json:"skipped,omitempty"`
}

// Skipped is a letter that cannot be replayed, and why.
type Skipped struct {
	ID      string `json:"id"`
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}
