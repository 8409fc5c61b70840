package chat

import (
	"context"
	"encoding/json"
	"time"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// Sessions keeps conversations, each in an object of its own.
//
// Another tenant's session and one that does not exist are the same fault.NotFound, code session_not_found. What a method
// has returned is durable. A turn that is running has an owner, who begins it, tells what happens and ends it. When
// the owner has not been heard of for TurnLease, the session ends the turn with an Error event, code turn_interrupted,
// whose id is beyond any that the owner may have told its client. Safe for concurrent use.
type Sessions interface {
	// Begin opens a turn of a session, which exists from then on, and returns what the model is to be shown. While a
	// turn is running, another one is fault.Conflict, code turn_in_progress. A repetition with the same turn's Key is
	// answered with the turn it began (Replayed), whatever has become of it; one with the same idempotency key and another
	// hash is fault.Conflict, code idempotency_conflict. A turn that failed before anything was answered has let go of its
	// Key, which begins another: who was told to try again later, does so with the same request.
	Begin(ctx context.Context, s tenants.Scope, o Opening) (Turn, error)
	// Tell appends what has happened in a turn, and renews the owner's lease. Events whose ids the session has
	// already are ignored, so it may be repeated. When the turn is no longer the owner's (ended, deleted) it is
	// fault.Conflict, code turn_over, and nothing is appended. When there is no room for the events it is fault.Invalid, CodeTooLong,
	// and only the final event can still be told; fault.Invalid with another code is a mistake of the owner.
	Tell(ctx context.Context, s tenants.Scope, n News) (Audience, error)
	// Replay returns what happened in a turn after an event, at most limit events; code stream_not_found when there is no such turn
	// or its events are not kept any more.
	Replay(ctx context.Context, s tenants.Scope, stream StreamID, after, limit int) (Replay, error)
	// Transcript returns a session, its turns from the oldest kept, by pages.
	Transcript(ctx context.Context, s tenants.Scope, session string, cursor string, limit int) (Transcript, error)
	// Last returns the messages of a session that came last, the oldest of them first, at most so many.
	Last(ctx context.Context, s tenants.Scope, session string, limit int) ([]llm.Message, error)
	// Delete forgets a session. A turn that is running ends. Unknown sessions are session_not_found.
	Delete(ctx context.Context, s tenants.Scope, session string) error
}

// Shelf lists a tenant's sessions. A session is on it within moments of its first turn, and off it within moments of its end.
type Shelf interface {
	// List returns sessions, the most recently used first, by pages; those of one user only, if it is given.
	List(ctx context.Context, s tenants.Scope, user, cursor string, limit int) (Listing, error)
	// Places lists all sessions by their ids, after one and up to another, "" for all.
	Places(ctx context.Context, s tenants.Scope, after, upTo string, limit int) (Places, error)
}

// Summaries is the part of a session that keeps its past short.
type Summaries interface {
	// Summarise replaces the summary of everything up to a turn. An older one than what is kept is ignored.
	Summarise(ctx context.Context, s tenants.Scope, session string, upTo int, text string) error
}

// CodeTooLong is the code of an answer that the session has no room for.
const CodeTooLong = "answer_too_long"

const (
	// TurnLease is how long the session waits for news of a running turn before it ends it.
	TurnLease = 20 * time.Second
	// ReplayLife is for how long the events of an ended turn can be replayed.
	ReplayLife = 15 * time.Minute
	// Ahead is how many events an owner may tell its client before it has told the session.
	Ahead = 4096
	// MaxNews is the most bytes of events one Tell may bring.
	MaxNews = 512 << 10
	// MaxCitations is the most bytes of citations that are told of an answer.
	MaxCitations = 96 << 10
)

// Opening is the beginning of a turn.
type Opening struct {
	Session  string        `json:"session"`
	Key      string        `json:"key,omitempty"` // the caller's idempotency key, ":" and a hash of the request
	User     string        `json:"user,omitempty"`
	Messages []llm.Message `json:"messages"` // what the client says: a message, or outcomes of tools
	Keep     Retention     `json:"keep"`
	Cause    events.Cause  `json:"cause"`
}

// Retention is what the session keeps.
type Retention struct {
	Days         int `json:"days"`
	Turns        int `json:"turns"`
	WindowTokens int `json:"windowTokens"`
}

// Turn is a turn that has begun.
type Turn struct {
	Stream   StreamID  `json:"stream"`
	Number   int       `json:"number"` // in the session, from 1
	Replayed bool      `json:"replayed,omitempty"`
	Past     Past      `json:"past"`
	Started  time.Time `json:"started"`
}

// Past is what came before a turn, as much as fits into the window.
type Past struct {
	Summary  string        `json:"summary,omitempty"` // of the turns that are not among the messages
	Messages []llm.Message `json:"messages"`
	Fallen   *Fallen       `json:"fallen,omitempty"` // turns that fell out of the window and are not summarised yet
}

// Fallen is what a summary is to be made of.
type Fallen struct {
	UpTo     int           `json:"upTo"` // the number of the last of these turns
	Messages []llm.Message `json:"messages"`
}

// News is what has happened in a turn. With an Outcome the turn is over, and the last event is final.
type News struct {
	Stream  StreamID `json:"stream"`
	Events  []Event  `json:"events"`
	Outcome *Outcome `json:"outcome,omitempty"`
}

// Outcome is how a turn ended.
type Outcome struct {
	// Steps is what came before the answer: the model's calls of the platform's tools, each message of them followed by what came of them.
	Steps  []llm.Message `json:"steps,omitempty"`
	Answer llm.Message   `json:"answer"` // as far as it came
	// Citations is what the check of an answer from sources has found, a list as the event has it; nil where nothing was checked. Beyond
	// MaxCitations bytes none is kept.
	Citations json.RawMessage `json:"citations,omitempty"`

	Model  string     `json:"model"`
	Usage  llm.Usage  `json:"usage"`
	Finish llm.Finish `json:"finish,omitempty"`
	Code   string     `json:"code,omitempty"` // of the error, when it failed
	Nanos  int64      `json:"nanos"`          // what it cost
	LogID  string     `json:"logId,omitempty"`
}

// Audience is who listens to a turn besides its owner's client.
type Audience struct {
	Following bool `json:"following"` // somebody has asked for a replay lately: tell more often
}

// Replay is what happened in a turn.
type Replay struct {
	Events []Event `json:"events"`
	Over   bool    `json:"over"` // nothing comes after these
}

// Transcript is a session as its owner reads it.
type Transcript struct {
	SessionID string    `json:"sessionId"`
	UserID    string    `json:"userId,omitempty"`
	Summary   string    `json:"summary,omitempty"`
	Messages  []Entry   `json:"messages"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	Cursor    string    `json:"cursor,omitempty"` // of the next page
}

// Entry is one message of a transcript.
type Entry struct {
	llm.Message
	Turn      int       `json:"turn"`
	Timestamp time.Time `json:"timestamp"`
	Tokens    int       `json:"tokens"`
	Model     string    `json:"model,omitempty"`
	Error     string    `json:"error,omitempty"` // the code, when the turn failed

	Citations json.RawMessage `json:"citations,omitempty"` // of an answer that was checked
}

// Listing is a page of sessions.
type Listing struct {
	Sessions []Listed `json:"sessions"`
	Cursor   string   `json:"cursor,omitempty"`
}

// Listed is one session of a listing.
type Listed struct {
	SessionID string    `json:"sessionId"`
	UserID    string    `json:"userId,omitempty"`
	Title     string    `json:"title"` // the beginning of the first message
	Turns     int       `json:"turns"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}
