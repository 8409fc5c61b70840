package book

import (
	"fmt"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/letters"
)

// Mark implements letters.Box.
func (b *Book) Mark(tx rows.Tx, s tenants.Scope, m letters.Marking) (letters.Marked, error) {
	if len(m.IDs) > letters.MaxPage {
		return letters.Marked{}, fault.Invalidf("ids", "value_out_of_range", "are more than %d", letters.MaxPage)
	}
	var (
		out   letters.Marked
		going []string
	)
	for _, id := range m.IDs {
		l, found, err := find(tx, id)
		if err != nil {
			return letters.Marked{}, err
		}
		if !found || !l.Replayed.IsZero() {
			continue
		}
		refusal, err := b.mark(tx, s, l)
		if err != nil {
			return letters.Marked{}, err
		}
		if refusal != nil {
			out.Skipped = append(out.Skipped, letters.Skipped{ID: id, Code: refusal.Code, Message: refusal.Message})
			continue
		}
		going = append(going, id)
	}
	out.Replayed = len(going)
	return out, b.tell(tx, s, m, going)
}

// mark notes that a letter is replayed, and puts its message into the outbox when no document depends on it. What cannot be
// sent is refused, and nothing has changed.
func (b *Book) mark(tx rows.Tx, s tenants.Scope, l letters.Letter) (*fault.Error, error) {
	ms := l.At.UnixMilli()
	if !l.OfDocument() {
		body, err := tx.Get(bodyPrefix + l.ID)
		if err != nil {
			return nil, fmt.Errorf("letters: get: %w", err)
		}
		ev, err := original(s, body)
		if err != nil {
			return fault.As(err), nil
		}
		if err := outbox.Put(tx, digits(ms)+"."+l.ID, ev); err != nil {
			return nil, err
		}
	}
	l.Replayed = b.now().UTC()
	if err := rows.Write(tx, letterKey(ms, l.ID), l); err != nil {
		return nil, err
	}
	if err := tx.Delete(waitingKey(ms, l.ID)); err != nil {
		return nil, fmt.Errorf("letters: delete: %w", err)
	}
	return nil, nil
}

// original is the event that a message carried.
func original(s tenants.Scope, body []byte) (events.Event, error) {
	ev, err := events.Decode(body)
	if err != nil {
		return ev, err
	}
	if ev.Tenant != s.Tenant() {
		return ev, fault.New(fault.Denied, "tenant_mismatch", "the message is of another tenant", nil)
	}
	if _, known := events.SpecOf(ev.Type); !known {
		return ev, fault.Invalidf("", "event_unrouted", "nobody handles %.80s", ev.Type)
	}
	return ev, nil
}

// tell puts what was done into the outbox.
func (b *Book) tell(tx rows.Tx, s tenants.Scope, m letters.Marking, going []string) error {
	if len(going) == 0 {
		return nil
	}
	now, q := b.now(), m.Query
	ev, err := events.New(s, worker, m.Cause, now, events.LettersReplayed{
		Query:   events.LetterQuery{Types: q.Types, Codes: q.Codes, Stages: q.Stages, IDs: q.IDs, DocID: q.DocID, From: q.From, To: q.To},
		Letters: going, Count: len(going), By: m.By,
	})
	if err != nil {
		return err
	}
	return outbox.Put(tx, digits(now.UnixMilli())+"."+going[0]+".replayed", ev)
}
