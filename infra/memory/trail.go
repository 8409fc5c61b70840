package memory

import (
	"context"
	"maps"
	"strings"
	"sync"

	"levada.dev/consumers/audit"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/trail"
	"levada.dev/workflows/trail/book"
)

// Trail keeps an audit trail for each tenant, and a bucket with what was exported of them. The zero value is empty and ready.
type Trail struct {
	Hooks
	mu       sync.Mutex
	book     book.Book
	trails   objects
	exported map[string]string // by key
}

var (
	_ audit.Trail  = (*Trail)(nil)
	_ trail.Reader = (*Trail)(nil)
)

// Append implements audit.Trail.
func (t *Trail) Append(ctx context.Context, s tenants.Scope, entries []events.AuditEntry) error {
	return book.NewClient(t.call).Append(ctx, s, entries)
}

// List implements trail.Reader.
func (t *Trail) List(ctx context.Context, s tenants.Scope, q trail.Query, cursor string, limit int) (trail.Page, error) {
	return book.NewClient(t.call).List(ctx, s, q, cursor, limit)
}

// Chain implements trail.Reader.
func (t *Trail) Chain(ctx context.Context, s tenants.Scope, after int64, limit int) (trail.Lines, error) {
	return book.NewClient(t.call).Chain(ctx, s, after, limit)
}

// call is the carrier of the wire and the transaction around the book.
func (t *Trail) call(_ context.Context, s tenants.Scope, _ []string, method string, body []byte) (reply []byte, err error) {
	err = t.do(s, method, func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		reply, _ = serve(t.of(s), &t.book, method, body)
		return nil
	})
	return reply, err
}

func (t *Trail) of(s tenants.Scope) *rows.Memory {
	if t.trails == nil {
		t.trails = objects{}
	}
	return t.trails.of(s)
}

// Alarm does what the trail's alarm does: it removes what an erasure took, and exports what is new.
func (t *Trail) Alarm(s tenants.Scope) error {
	return book.Tidy(s, func(f func(tx rows.Tx) error) error {
		t.mu.Lock()
		defer t.mu.Unlock()
		tx := t.of(s).Begin()
		if err := f(tx); err != nil {
			return err
		}
		tx.Commit()
		return nil
	}, bucket{t, s})
}

// bucket is where segments go.
type bucket struct {
	*Trail
	s tenants.Scope
}

// Put implements book.Segments.
func (b bucket) Put(key string, body []byte) error {
	return b.do(b.s, "put", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.exported == nil {
			b.exported = map[string]string{}
		}
		b.exported[key] = string(body)
		return nil
	})
}

// Remove implements book.Segments.
func (b bucket) Remove(prefix string, gone func(key string) bool) error {
	return b.do(b.s, "remove", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		maps.DeleteFunc(b.exported, func(key, _ string) bool { return strings.HasPrefix(key, prefix) && gone(key) })
		return nil
	})
}

// Exported is the segments of a tenant, by their keys.
func (t *Trail) Exported(s tenants.Scope) map[string]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := map[string]string{}
	for key, body := range t.exported {
		if strings.HasPrefix(key, s.Key()+"/") {
			found[key] = body
		}
	}
	return found
}

// Rows lets a test look at, and change, what the tenant's object has.
func (t *Trail) Rows(s tenants.Scope, f func(tx rows.Tx)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(t.of(s))
}

// Written is how many rows the tenant's trail has written, as a database bills them.
func (t *Trail) Written(s tenants.Scope) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of(s).Written
}

// Entries is what the trail of a tenant has of its events, oldest first.
func (t *Trail) Entries(s tenants.Scope) (all []events.AuditEntry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for after := int64(0); ; {
		piece, err := t.book.Chain(t.of(s), s, after, trail.MaxLines)
		if err != nil || len(piece.Lines) == 0 {
			return all
		}
		for _, line := range piece.Lines {
			e, err := trail.Read([]byte(line))
			if err != nil {
				return all
			}
			all = append(all, e.AuditEntry)
		}
		after = piece.Last
	}
}

// Send implements events.Sender: it is the audit queue and its consumer, so what is told is on record at once.
func (t *Trail) Send(ctx context.Context, _ events.Stage, messages [][]byte) error {
	for _, m := range messages {
		ev, err := events.Decode(m)
		if err != nil {
			return err
		}
		var fact events.EventRecorded
		if err := ev.As(&fact); err != nil {
			return err
		}
		s, err := ev.Scope()
		if err != nil {
			return err
		}
		if err := t.Append(ctx, s, fact.Entries); err != nil {
			return err
		}
	}
	return nil
}

// Publisher publishes what is told for the trail alone.
func (t *Trail) Publisher() events.Publisher { return events.NewPublisher(t, nil, nil) }
