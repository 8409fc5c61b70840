package outbox

import (
	"errors"
	"fmt"
	"strings"

	"levada.dev/events"
	"levada.dev/tenants/rows"
)

const (
	waiting = "o/"
	aside   = "x/"
)

// Outgoing is an event that waits in the outbox. ID is the outbox's own. One with an error can never be sent, and is to be
// set aside.
type Outgoing struct {
	ID    string
	Event events.Event
	Err   error
}

// Put takes an event into the outbox under a name of its own. What has the smallest name goes first, so names begin with
// something that time orders.
func Put(tx rows.Tx, name string, ev events.Event) error {
	b, err := ev.MarshalJSON()
	if err != nil {
		return err
	}
	if err := tx.Put(waiting+name, b); err != nil {
		return fmt.Errorf("outbox: put: %w", err)
	}
	return nil
}

// Pending is the events that have not been sent, at most limit of them. An event may be pending again after it was sent,
// when the sender died before Sent: it has the same id.
func Pending(tx rows.Tx, limit int) ([]Outgoing, error) {
	found, err := tx.Scan(waiting, limit)
	if err != nil {
		return nil, fmt.Errorf("outbox: scan: %w", err)
	}
	out := make([]Outgoing, len(found))
	for i, row := range found {
		out[i].ID = strings.TrimPrefix(row.Key, waiting)
		out[i].Event, out[i].Err = events.Decode(row.Value)
	}
	return out, nil
}

// Sent removes events that a queue has taken.
func Sent(tx rows.Tx, ids []string) error {
	for _, id := range ids {
		if err := tx.Delete(waiting + id); err != nil {
			return fmt.Errorf("outbox: delete: %w", err)
		}
	}
	return nil
}

// SetAside takes an event that can never be sent out of the others' way. The row is kept for operators. It reports
// whether there was one.
func SetAside(tx rows.Tx, id string) (bool, error) {
	row, err := tx.Get(waiting + id)
	if err != nil || row == nil {
		return false, err
	}
	if err := errors.Join(tx.Delete(waiting+id), tx.Put(aside+id, row)); err != nil {
		return false, fmt.Errorf("outbox: set aside: %w", err)
	}
	return true, nil
}
