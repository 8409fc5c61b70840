package book

import (
	"errors"
	"fmt"
	"strings"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// Outgoing is an event that waits in the outbox. ID is the outbox's own. One with an error can never be sent, and is to be
// set aside.
type Outgoing struct {
	ID    string
	Event events.Event
	Err   error
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
		out[i].Event, out[i].Err = events.Decode(row.Value)
	}
	return out, nil
}

// SetAside takes an event that can never be sent out of the others' way, and fails the document that waited for it. The
// row is kept for operators.
func (b *Book) SetAside(r Rows, id string, reason error) error {
	row, err := r.Get(outboxPrefix + id)
	if err != nil || row == nil {
		return err
	}
	if err := errors.Join(r.Delete(outboxPrefix+id), r.Put(asidePrefix+id, row)); err != nil {
		return fmt.Errorf("book: set aside: %w", err)
	}
	jobID, typ, _ := strings.Cut(id, ".")
	if typ != events.TypeDocumentSubmitted {
		return nil
	}
	var j jobRow
	if found, err := read(r, jobPrefix+jobID, &j); err != nil || !found {
		return err
	}
	owner, err := r.Get(tenantKey)
	if err != nil {
		return fmt.Errorf("book: get: %w", err)
	}
	s, err := tenants.Resume(string(owner))
	if err != nil {
		return err
	}
	f := fault.As(reason)
	_, err = b.Advance(r, s, []corpus.Progress{{
		DocumentRef: events.DocumentRef{DocID: j.DocID, Generation: j.Generation, JobID: jobID}, Stage: corpus.StageSubmit,
		Code: f.Code, Message: f.Message, Cause: events.Cause{ID: jobID},
	}})
	return err
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
