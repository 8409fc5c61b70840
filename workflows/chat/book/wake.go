package book

import (
	"time"

	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
)

// Watch is when, after a method of the wire, the alarm has to ring at the latest; 0 means that the method needs none. It
// is set before the method's transaction is committed.
func Watch(method string) time.Duration {
	switch method {
	case methodBegin, methodDelete, methodTake, methodDrop:
		return chat.TurnLease
	}
	return 0
}

// Due is what an alarm leaves to be done.
type Due struct {
	Next  time.Time // when the alarm is to ring again; the zero time is never
	Empty bool      // nothing is left: the object may be erased
}

// Wake does what is due: it ends a turn that nobody runs any more, drops events that have been kept long enough, and
// deletes a session that is too old. It may come at any time and as often as it likes. What waits for the queue or the shelf
// is to be seen to before it, as a grave is closed when nothing does, and after it.
func (b *Book) Wake(tx rows.Tx) (Due, error) {
	s, err := call.Owner(tx)
	if err != nil || s.Check() != nil {
		return Due{Empty: err == nil}, err
	}
	m, err := load(tx)
	if err != nil {
		return Due{}, err
	}
	now := b.now()
	if m.exists() && m.expired(now) {
		if err := b.forget(tx, s, m, "session_expired"); err != nil {
			return Due{}, err
		}
		if m, err = load(tx); err != nil {
			return Due{}, err
		}
	}
	if !m.exists() {
		return b.bury(tx, m, now)
	}
	if err := b.settle(tx, s, m); err != nil {
		return Due{}, err
	}
	next, err := m.drop(tx, now)
	if m.Keep.Days > 0 {
		next = sooner(next, m.expiry())
	}
	return Due{Next: next}, err
}

func (m *meta) expiry() time.Time {
	return at(m.Updated).Add(time.Duration(m.Keep.Days) * 24 * time.Hour)
}

// expired reports whether the session is too old. A turn that is running has been begun within the lease, or renewed.
func (m *meta) expired(now time.Time) bool { return m.Keep.Days > 0 && !now.Before(m.expiry()) }

// drop removes the events of turns that ended long enough ago, and says when the next ones are due. Older turns ended earlier,
// so the first whose events are gone already ends the search.
func (m *meta) drop(tx rows.Tx, now time.Time) (next time.Time, err error) {
	for n := m.Turns; n >= m.First; n-- {
		t, err := readTurn(tx, n)
		if err != nil {
			return next, err
		}
		if t == nil || t.state&dropped != 0 {
			return next, nil
		}
		if !t.over() {
			next = sooner(next, at(t.log.heard).Add(chat.TurnLease))
			continue
		}
		if err := t.open(tx); err != nil {
			return next, err
		}
		if due := at(t.head.Ended).Add(chat.ReplayLife); now.Before(due) {
			next = sooner(next, due)
			continue
		}
		t.state |= dropped
		t.log.records = nil
		if err := t.write(tx); err != nil {
			return next, err
		}
	}
	return next, nil
}

// bury lets go of a gravestone when nobody can mean the session any more and everybody knows.
func (b *Book) bury(tx rows.Tx, m *meta, now time.Time) (Due, error) {
	waiting, err := outbox.Pending(tx, 1)
	if err != nil {
		return Due{}, err
	}
	due := at(m.Gone).Add(chat.ReplayLife)
	switch {
	case now.Before(due):
		return Due{Next: due}, nil
	case len(waiting) > 0 || !b.known(m):
		return Due{Next: now.Add(again)}, nil
	}
	return Due{Empty: true}, nil
}

// again is when a grave is looked at that could not be closed.
const again = time.Minute

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// Note is what the shelf is not known to have been told of the session; false means nothing.
func (b *Book) Note(tx rows.Tx) (tenants.Scope, Note, bool, error) {
	s, err := call.Owner(tx)
	if err != nil || s.Check() != nil {
		return s, Note{}, false, err
	}
	m, err := load(tx)
	if err != nil || m.ID == "" || b.known(m) {
		return s, Note{}, false, err
	}
	n := Note{
		SessionID: m.ID, UserID: m.User, Title: m.Title, Turns: m.Count, Created: m.Created, Updated: m.Updated,
		Version: m.Version, Gone: m.Gone != 0, Came: m.Came, Own: m.Own,
	}
	if m.Came > 0 {
		n.Last = m.Turns
	}
	return s, n, true, nil
}

// known reports whether the shelf has the session as it is.
func (b *Book) known(m *meta) bool { return b.told.Load() >= m.Version }

// Told notes that the shelf has a version. It is remembered without a row: who forgets tells it again, which changes nothing.
func (b *Book) Told(version int64) {
	for {
		old := b.told.Load()
		if old >= version || b.told.CompareAndSwap(old, version) {
			return
		}
	}
}
