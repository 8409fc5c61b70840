package chat

import (
	"context"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// Parcels takes sessions from one pool to another. Each call is one transaction, and may be repeated.
type Parcels interface {
	// Parcel is a session from a turn on, at most some MiB of it; from 0 it is what is kept. A turn that is running is not in it.
	Parcel(ctx context.Context, s tenants.Scope, session string, from int) (Parcel, error)
	// Take puts a parcel beside what is here of the session, which is then as it was at some time where the parcel comes from; it returns the
	// turn that the next one has to begin with. One that is not newer changes nothing. A session that has gone on here is fault.Conflict, code
	// session_taken; a whole one that is not what its digest says, fault.Unavailable, code session_torn.
	Take(ctx context.Context, s tenants.Scope, p Parcel) (next int, err error)
	// Drop forgets a session that came by parcels, unless it has gone on here. It is nothing where there is none.
	Drop(ctx context.Context, s tenants.Scope, session string) error
}

// Parcel is a part of a session as another pool takes it. A session grows only at its end, so what is up to a turn is the session of some time before.
type Parcel struct {
	Kept
	Version int64  `json:"version"` // of the session, as its list has it; it grows when a turn begins
	From    int    `json:"from"`    // the number of the first turn that is here
	Said    []Said `json:"said"`
	More    bool   `json:"more,omitempty"` // turns come after these that have ended
	// Whole says that these are the last turns, and that nothing follows of them. Then Digest is the SHA-256 of the session as it is kept.
	Whole  bool   `json:"whole,omitempty"`
	Digest string `json:"digest,omitempty"`
}

// Kept is what a session is apart from its turns.
type Kept struct {
	SessionID string     `json:"sessionId"`
	UserID    string     `json:"userId,omitempty"`
	Title     string     `json:"title,omitempty"`
	CreatedAt time.Time  `json:"createdAt"`
	UpdatedAt time.Time  `json:"updatedAt"`
	First     int        `json:"first"` // the number of the oldest turn that is kept
	Last      int        `json:"last"`  // and of the newest
	Turns     int        `json:"turns"` // how many there ever were
	Keep      Retention  `json:"keep,omitzero"`
	Summary   string     `json:"summary,omitempty"`
	SummaryTo int        `json:"summaryTo,omitempty"` // the last turn that is in it
	Keys      []KnownKey `json:"keys,omitempty"`
}

// KnownKey is an idempotency key that has begun a turn, and the hash of its request: digests of both.
type KnownKey struct {
	Key  string `json:"key"`
	Hash string `json:"hash"`
	Turn int    `json:"turn"`
	At   int64  `json:"at"` // Unix milliseconds
}

// Said is a turn that has ended.
type Said struct {
	Turn        int           `json:"turn"`
	Messages    []llm.Message `json:"messages"`
	StartedAt   time.Time     `json:"startedAt"`
	EndedAt     time.Time     `json:"endedAt"`
	Interrupted bool          `json:"interrupted,omitempty"` // by the session, as nobody ran it any more
	Outcome     `json:"outcome"`
}

// Wanted is a session that another pool asks for, from a turn on; 0 is all of it.
type Wanted struct {
	SessionID string `json:"sessionId"`
	From      int    `json:"from"`
}

// MaxWanted is how many of them are asked for at once.
const MaxWanted = 50

// Places is a part of the list of all sessions by their ids. More says that there are others behind Next.
type Places struct {
	Places []Place `json:"places"`
	Next   string  `json:"next,omitempty"` // the last session that was looked at
	More   bool    `json:"more,omitempty"`
}

// Place is what the list has to say to whoever compares it with another.
type Place struct {
	SessionID string `json:"sessionId"`
	Version   int64  `json:"version"`
	Came      int64  `json:"came,omitempty"` // the version that it has where it came from; 1 where not all of it has come
	Last      int    `json:"last,omitempty"` // the last turn that has come
	Own       bool   `json:"own,omitempty"`  // it has gone on since it came
}

// Moved reports whether a session came from elsewhere, and is as it came.
func (p Place) Moved() bool { return p.Came > 0 && !p.Own }

// MaxPlaces is the most of them in a part of the list.
const MaxPlaces = 500
