package memory

import (
	"context"
	"slices"
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/letters/book"
)

// Letters keeps a box of dead letters for each tenant.
type Letters struct {
	*book.Client
	Hooks

	mu    sync.Mutex
	book  *book.Book
	boxes objects
}

var (
	_ letters.Box       = (*Letters)(nil)
	_ letters.Receipts  = (*Letters)(nil)
	_ letters.Forgetter = (*Letters)(nil)
)

// NewLetters makes boxes that tell the time by now.
func NewLetters(now func() time.Time) *Letters {
	l := &Letters{book: book.New(now), boxes: objects{}}
	l.Client = book.NewClient(l.call)
	return l
}

// call is the carrier of the wire and the transaction around the book.
func (l *Letters) call(ctx context.Context, s tenants.Scope, _ []string, method string, body []byte) (reply []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Unavailablef(err, "letters_unreachable", "the box of letters was not reached")
	}
	err = l.do(s, method, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		reply, _ = serve(l.boxes.of(s), l.book, method, body)
		return nil
	})
	return reply, err
}

// Alarm does what the box's alarm does: it forgets what is too old.
func (l *Letters) Alarm(s tenants.Scope) (rows.Swept, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tx := l.boxes.of(s).Begin()
	swept, err := l.book.Sweep(tx, 1000)
	if err != nil {
		return swept, err
	}
	tx.Commit()
	return swept, nil
}

// Relay hands what waits in the box's outbox to the publisher, as the box does by itself. It says how many events went out.
func (l *Letters) Relay(ctx context.Context, s tenants.Scope, out events.Publisher) (int, error) {
	return l.boxes.relay(ctx, s, &l.mu, out, 100, func(f func() error) error { return l.do(s, "sent", f) })
}

// Written is how many rows the tenant's box has written, as a database bills them.
func (l *Letters) Written(s tenants.Scope) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.boxes.of(s).Written
}

// Unread keeps the dead letters that name no tenant. The zero value is empty and ready.
type Unread struct {
	Hooks
	mu sync.Mutex
	ls []letters.Letter
}

var _ letters.Pile = (*Unread)(nil)

// Keep implements letters.Unread.
func (u *Unread) Keep(_ context.Context, ls []letters.Letter) error {
	return u.run("keep", func() error {
		u.mu.Lock()
		defer u.mu.Unlock()
		for _, letter := range ls {
			u.ls = slices.DeleteFunc(u.ls, func(old letters.Letter) bool { return old.ID == letter.ID && old.Tenant == letter.Tenant })
			u.ls = append(u.ls, letter)
		}
		return nil
	})
}

// Stranded implements letters.Pile.
func (u *Unread) Stranded(_ context.Context, s tenants.Scope, limit int) (found []letters.Letter, err error) {
	err = u.do(s, "stranded", func() error {
		u.mu.Lock()
		defer u.mu.Unlock()
		for _, l := range u.ls {
			if l.Tenant == s.Tenant() && len(found) < limit {
				found = append(found, l)
			}
		}
		return nil
	})
	return found, err
}

// Drop implements letters.Pile.
func (u *Unread) Drop(_ context.Context, s tenants.Scope, ls []letters.Letter) error {
	return u.do(s, "drop", func() error {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.ls = slices.DeleteFunc(u.ls, func(kept letters.Letter) bool {
			return kept.Tenant == s.Tenant() && slices.ContainsFunc(ls, func(l letters.Letter) bool { return l.ID == kept.ID && l.Queue == kept.Queue })
		})
		return nil
	})
}

// All is every letter, oldest first.
func (u *Unread) All() []letters.Letter {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.ls)
}
