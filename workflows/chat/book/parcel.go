package book

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
)

const (
	// parcelBytes is about how many bytes of turns a parcel has at most.
	parcelBytes = 2 << 20
	// afterwards is how long after a turn its summary may come: the owner makes it within what the platform leaves it, 30 s after the
	// answer (https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil).
	afterwards = 30 * time.Second
	// partly is the version of what has not come as a whole.
	partly = 1
)

// Parcel implements chat.Parcels.
func (b *Book) Parcel(tx rows.Tx, s tenants.Scope, from int) (chat.Parcel, error) {
	m, err := exists(tx)
	if err != nil {
		return chat.Parcel{}, err
	}
	if err := b.settle(tx, s, m); err != nil {
		return chat.Parcel{}, err
	}
	p := chat.Parcel{Kept: m.kept(), Version: m.Version, From: max(from, m.First), Said: []chat.Said{}}
	p.Last = p.From - 1
	n := p.From
	for bytes := 0; n <= m.Turns && !p.More; n++ {
		t, err := over(tx, n)
		if err != nil {
			return chat.Parcel{}, err
		}
		if t == nil {
			break
		}
		if bytes += len(t.raw) + t.head.Long*longPiece; bytes > parcelBytes && len(p.Said) > 0 {
			p.More = true
			break
		}
		p.Said, p.Last = append(p.Said, t.said()), n
	}
	if n <= m.Turns {
		return p, nil
	}
	last, err := over(tx, m.Turns)
	if err != nil || last == nil || b.now().Before(at(last.head.Ended).Add(afterwards)) {
		return p, err
	}
	p.Whole, p.Last = true, m.Turns
	p.Digest, err = m.digest(tx)
	return p, err
}

// over is a turn that has ended, opened; nil where there is none.
func over(tx rows.Tx, n int) (*turn, error) {
	t, err := readTurn(tx, n)
	if err != nil || t == nil || !t.over() {
		return nil, err
	}
	return t, t.open(tx)
}

// Take implements chat.Parcels.
func (b *Book) Take(tx rows.Tx, p chat.Parcel) (next int, err error) {
	if err := checkParcel(p); err != nil {
		return 0, err
	}
	old, err := load(tx)
	if err != nil {
		return 0, err
	}
	if old.exists() && !old.moved() {
		return 0, fault.New(fault.Conflict, "session_taken", "the session has gone on here", nil)
	}
	same := old.exists() && old.Created == p.CreatedAt.UnixMilli()
	next = p.First
	if same {
		next = max(next, old.Turns+1)
	}
	m := arrived(p, old, same, b.now())
	switch known := same && m.Turns == old.Turns; {
	case same && old.Came >= p.Version, p.From > next, m.Turns < m.First, known && !p.Whole, same && p.Last < old.Turns:
		return next, nil // it is late, or not the next one, or nothing
	}
	for n := old.First; n <= old.Turns && (!same || n < m.First); n++ {
		if err := removeTurn(tx, n); err != nil {
			return 0, err
		}
	}
	for _, x := range p.Said {
		if x.Turn < next {
			continue
		}
		if err := asTurn(x).write(tx); err != nil {
			return 0, err
		}
	}
	if p.Whole {
		digest, err := m.digest(tx)
		if err != nil {
			return 0, err
		}
		if digest != p.Digest {
			return 0, fault.New(fault.Unavailable, "session_torn", "what has come is not what the digest says", nil)
		}
	}
	return m.Turns + 1, m.write(tx)
}

// moved reports whether the session came from elsewhere, and is as it came.
func (m *meta) moved() bool { return m.Came > 0 && !m.Own }

// arrived is the session with a parcel. Its summary is that of a whole one: what it is of may not be here yet.
func arrived(p chat.Parcel, old *meta, same bool, now time.Time) *meta {
	m := &meta{
		ID: p.SessionID, User: p.UserID, Title: p.Title, Created: p.CreatedAt.UnixMilli(), Updated: p.UpdatedAt.UnixMilli(),
		Turns: p.Last, First: p.First, Count: p.Turns, Keep: p.Keep, Version: old.next(now), Came: partly,
	}
	if same {
		m.Turns, m.Summary, m.UpTo = max(p.Last, old.Turns), old.Summary, old.UpTo
	}
	for _, k := range p.Keys {
		m.Keys = append(m.Keys, taken(k))
	}
	if p.Whole {
		m.Summary, m.UpTo, m.Came = p.Summary, p.SummaryTo, p.Version
	}
	return m
}

// Drop implements chat.Parcels.
func (b *Book) Drop(tx rows.Tx, s tenants.Scope) error {
	m, err := load(tx)
	if err != nil || !m.exists() || !m.moved() {
		return err
	}
	return b.forget(tx, s, m, "session_deleted")
}

// kept is the session without its turns.
func (m *meta) kept() chat.Kept {
	k := chat.Kept{
		SessionID: m.ID, UserID: m.User, Title: m.Title, CreatedAt: at(m.Created), UpdatedAt: at(m.Updated), First: m.First, Last: m.Turns,
		Turns: m.Count, Keep: m.Keep, Summary: m.Summary, SummaryTo: m.UpTo,
	}
	for _, t := range m.Keys {
		k.Keys = append(k.Keys, chat.KnownKey(t))
	}
	return k
}

// digest is over the session as it is kept, the same in each pool: one turn is in memory at a time.
func (m *meta) digest(tx rows.Tx) (string, error) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	if err := enc.Encode(m.kept()); err != nil {
		return "", err
	}
	for n := m.First; n <= m.Turns; n++ {
		t, err := over(tx, n)
		if err != nil {
			return "", err
		}
		if t == nil {
			return "", errRow
		}
		if err := enc.Encode(t.said()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// said is the turn, which has ended, without its events.
func (t *turn) said() chat.Said {
	return chat.Said{
		Turn: t.number, Messages: t.head.Messages, StartedAt: at(t.head.Started), EndedAt: at(t.head.Ended),
		Interrupted: t.state&interrupted != 0, Outcome: *t.head.Outcome,
	}
}

// asTurn is a turn that has ended elsewhere. Its events were never here.
func asTurn(x chat.Said) *turn {
	t := &turn{number: x.Turn, state: ended | dropped}
	if x.Interrupted {
		t.state |= interrupted
	}
	t.head = &head{Messages: x.Messages, Started: x.StartedAt.UnixMilli(), Ended: x.EndedAt.UnixMilli(), Outcome: &x.Outcome}
	return t
}

// checkParcel holds a parcel against what a session may be, as its turns were when they began and ended.
func checkParcel(p chat.Parcel) error {
	if err := chat.CheckSessionID(p.SessionID); err != nil {
		return err
	}
	no := func(field, why string) error { return fault.Invalidf(field, "parcel_invalid", "%s", why) }
	switch {
	case p.Version <= partly || p.First < 1 || p.From < p.First || p.Last < p.First-1 || p.SummaryTo < 0 || p.Turns < 0:
		return no("first", "versions and numbers of turns that no session has")
	case len(p.UserID) > maxUser || len(p.Title) > maxTitle || len(p.Summary) > maxSummary || len(p.Keys) > maxKeys:
		return no("userId", "user, title, summary or keys are longer than any session's")
	case p.CreatedAt.UnixMilli() <= 0 || p.UpdatedAt.Before(p.CreatedAt):
		return no("createdAt", "times that no session has")
	case p.Keep.Days < 0 || p.Keep.Turns < 0 || p.Keep.WindowTokens < 0:
		return no("keep", "is negative")
	}
	for i, x := range p.Said {
		if x.Turn != p.From+i || x.Turn > p.Last || x.EndedAt.UnixMilli() <= 0 {
			return no("said", "turns that do not follow each other")
		}
		if err := checkMessages(x.Messages); err != nil {
			return err
		}
		_, room := fittingSteps(x.Steps)
		answer, err := encode(x.Answer)
		if err != nil || len(x.Steps) > 0 && room == maxAnswer || len(answer) > room || len(x.Citations) > chat.MaxCitations {
			return no("said", "an answer that is longer than any")
		}
	}
	if n := len(p.Said); n > 0 && p.Said[n-1].Turn != p.Last {
		return no("last", "the last turn is another one")
	}
	return nil
}

// maxTitle is the longest title, in bytes.
const maxTitle = 4 * 80
