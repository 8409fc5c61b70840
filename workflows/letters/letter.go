package letters

import (
	"context"
	"time"

	"levada.dev/tenants"
)

// Letter is a message that nobody could handle, with why.
type Letter struct {
	ID          string     `json:"id"` // of its queue and message: the same message is the same letter
	Queue       string     `json:"queue"`
	Tenant      tenants.ID `json:"tenant,omitempty"` // empty when the message could not be read
	Handler     string     `json:"handler,omitempty"`
	Stage       string     `json:"stage,omitempty"` // of the document that failed with it; empty when none did
	DocID       string     `json:"docId,omitempty"`
	Generation  int        `json:"generation,omitempty"`
	EventID     string     `json:"eventId,omitempty"`
	Type        string     `json:"type,omitempty"`
	Subject     string     `json:"subject,omitempty"`
	TraceParent string     `json:"traceparent,omitempty"`
	Code        string     `json:"code"`
	Message     string     `json:"message"` // for whoever asks about the document
	Reason      string     `json:"reason"`  // for operators, with the cause
	Attempts    int        `json:"attempts"`
	At          time.Time  `json:"at"`
	Replayed    time.Time  `json:"replayedAt,omitzero"`
	Body        []byte     `json:"body,omitempty"` // as it was delivered, to be sent again
}

// Query says which letters are meant. Zero values mean any.
type Query struct {
	Types    []string  `json:"types,omitempty"`
	Codes    []string  `json:"codes,omitempty"`
	Stages   []string  `json:"stages,omitempty"`
	IDs      []string  `json:"ids,omitempty"`
	DocID    string    `json:"docId,omitempty"`
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"` // not included
	Replayed *bool     `json:"replayed,omitempty"`
}

// Page is a part of a list, newest first.
type Page struct {
	Letters []Letter `json:"letters"` // without their bodies, unless they were asked for
	Next    string   `json:"next,omitempty"`
}

// Count is how many letters match, by type and by code.
type Count struct {
	Total  int            `json:"total"`
	Types  map[string]int `json:"types"`
	Codes  map[string]int `json:"codes"`
	Oldest time.Time      `json:"oldest,omitzero"`
	Newest time.Time      `json:"newest,omitzero"`
}

// Box is a tenant's dead letters.
//
// What Keep returned nil for is durable; a letter with the id of an earlier one replaces it, but for Replayed, which stays until the
// message was delivered in vain again. Letters are kept for Life. Safe for concurrent use.
type Box interface {
	Keep(ctx context.Context, s tenants.Scope, ls []Letter) error
	List(ctx context.Context, s tenants.Scope, q Query, cursor string, limit int, bodies bool) (Page, error)
	Count(ctx context.Context, s tenants.Scope, q Query) (Count, error)
	// Mark notes when letters were sent again.
	Mark(ctx context.Context, s tenants.Scope, ids []string, at time.Time) error
}

// Unread keeps the letters that name no tenant, for operators of the pool.
type Unread interface {
	Keep(ctx context.Context, ls []Letter) error
}

// Life is for how long a letter is kept.
const Life = 30 * 24 * time.Hour

// MaxPage is how many letters one page has at most.
const MaxPage = 100
