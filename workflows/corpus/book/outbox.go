package book

import (
	"fmt"
	"strings"

	"levada.dev/events"
)

// Outgoing is an event that waits in the outbox. ID is the outbox's own.
type Outgoing struct {
	ID    string
	Event events.Event
}

// enqueue takes an event of a job into the outbox. A job has one event of a type, so the key is its name; job ids are
// ordered by time, so what waited longest goes first.
func enqueue(r Rows, jobID string, ev events.Event) error {
	b, err := ev.MarshalJSON()
	if err != nil {
		return err
	}
	if err := r.Put(outboxPrefix+jobID+"."+ev.Type, b); err != nil {
		return fmt.Errorf("book: put: %w", err)
	}
	return nil
}

// Pending is the oldest events that have not been sent, at most limit of them. An event may be pending again after it
// was sent, when the sender died before Sent: it has the same id.
func (b *Book) Pending(r Rows, limit int) ([]Outgoing, error) {
	rows, err := r.Scan(outboxPrefix, limit)
	if err != nil {
		return nil, fmt.Errorf("book: scan: %w", err)
	}
	out := make([]Outgoing, len(rows))
	for i, row := range rows {
		out[i].ID = strings.TrimPrefix(row.Key, outboxPrefix)
		if out[i].Event, err = events.Decode(row.Value); err != nil {
			return nil, fmt.Errorf("book: row %.80q: %w", row.Key, err)
		}
	}
	return out, nil
}

// Sent removes events that a queue has taken.
func (b *Book) Sent(r Rows, ids []string) error {
	for _, id := range ids {
		if err := r.Delete(outboxPrefix + id); err != nil {
			return fmt.Errorf("book: delete: %w", err)
		}
	}
	return nil
}

// Submits reports whether a method of the wire takes a document in.
func Submits(method string) bool { return method == methodSubmit }

// Sends reports whether a method of the wire may take events into the outbox, so that whoever keeps the book sees to
// their sending before the method is committed.
func Sends(method string) bool { return method == methodSubmit || method == methodAdvance }
