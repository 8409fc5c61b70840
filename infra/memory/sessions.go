package memory

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/chat/book"
)

// Sessions keeps a book for each session of each tenant. Nothing happens by itself: [Sessions.Alarm] does what the sessions'
// alarms do, for the time that now tells, and [Sessions.Relay] sends their events.
type Sessions struct {
	*book.Client
	Hooks

	now   func() time.Time
	shelf book.Notes

	mu   sync.Mutex
	kept map[tenants.ID]map[string]*session
}

var (
	_ chat.Sessions  = (*Sessions)(nil)
	_ chat.Summaries = (*Sessions)(nil)
)

// session is one session's object.
type session struct {
	rows *rows.Memory
	book *book.Book
	next time.Time // when its alarm rings
}

// NewSessions makes sessions that tell a shelf of themselves, and the time by now.
func NewSessions(shelf book.Notes, now func() time.Time) *Sessions {
	x := &Sessions{now: now, shelf: shelf, kept: map[tenants.ID]map[string]*session{}}
	x.Client = book.NewClient(x.call)
	return x
}

// call is the carrier of the wire and the transaction around the book.
func (x *Sessions) call(ctx context.Context, s tenants.Scope, name []string, method string, body []byte) (reply []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Unavailablef(err, "session_unreachable", "the session was not reached")
	}
	err = x.do(s, method, func() error {
		x.mu.Lock()
		defer x.mu.Unlock()
		o := x.of(s, name[0])
		var committed bool
		if reply, committed = serve(o.rows, o.book, method, body); !committed {
			return nil
		}
		if watch := book.Watch(method); watch > 0 {
			x.keep(s, name[0], o)
			o.by(x.now().Add(watch))
			_ = o.tell(ctx, x.shelf) // what fails is the alarm's business
		}
		return nil
	})
	return reply, err
}

// of is the object of that name; one that has never kept anything is not remembered.
func (x *Sessions) of(s tenants.Scope, name string) *session {
	if o := x.kept[s.Tenant()][name]; o != nil {
		return o
	}
	return &session{rows: rows.NewMemory(), book: book.New(x.now)}
}

func (x *Sessions) keep(s tenants.Scope, name string, o *session) {
	if x.kept[s.Tenant()] == nil {
		x.kept[s.Tenant()] = map[string]*session{}
	}
	x.kept[s.Tenant()][name] = o
}

func (o *session) by(at time.Time) {
	if o.next.IsZero() || at.Before(o.next) {
		o.next = at
	}
}

// tell brings the shelf up to date.
func (o *session) tell(ctx context.Context, shelf book.Notes) error {
	s, note, due, err := o.book.Note(o.rows)
	if err != nil || !due {
		return err
	}
	if err := shelf.Put(ctx, s, note); err != nil {
		return err
	}
	o.book.Told(note.Version)
	return nil
}

// Alarm rings for the tenant's sessions whose alarms are due, as often as it takes, and says when the next one is; the zero
// time is never.
func (x *Sessions) Alarm(ctx context.Context, s tenants.Scope) (time.Time, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var next time.Time
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(x.kept[s.Tenant()])) {
		o := x.kept[s.Tenant()][name]
		if !o.next.IsZero() && !o.next.After(x.now()) {
			errs = append(errs, x.ring(ctx, s, name, o))
		}
		if !o.next.IsZero() && (next.IsZero() || o.next.Before(next)) {
			next = o.next
		}
	}
	return next, errors.Join(errs...)
}

func (x *Sessions) ring(ctx context.Context, s tenants.Scope, name string, o *session) error {
	promised := o.tell(ctx, x.shelf)
	tx := o.rows.Begin()
	due, err := o.book.Wake(tx)
	if err != nil {
		return err
	}
	tx.Commit()
	o.next = due.Next
	if due.Empty {
		delete(x.kept[s.Tenant()], name)
		return nil
	}
	if err := cmp.Or(promised, o.tell(ctx, x.shelf)); err != nil {
		o.by(x.now().Add(5 * time.Second))
		return err
	}
	return nil
}

// Restart forgets what the tenant's objects remember besides their rows, as an eviction does.
func (x *Sessions) Restart(s tenants.Scope) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, o := range x.kept[s.Tenant()] {
		o.book = book.New(x.now)
	}
}

// Relay hands what waits in the outboxes of a tenant's sessions to the publisher, as the objects do by themselves. It
// says how many events went out.
func (x *Sessions) Relay(ctx context.Context, s tenants.Scope, out events.Publisher) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for _, name := range slices.Sorted(maps.Keys(x.kept[s.Tenant()])) {
		o := x.kept[s.Tenant()][name]
		waiting, err := outbox.Pending(o.rows, 100)
		if err != nil {
			return n, err
		}
		for _, w := range waiting {
			if err := cmp.Or(w.Err, out.Publish(ctx, s, w.Event)); err != nil {
				return n, err
			}
			if err := outbox.Sent(o.rows, []string{w.ID}); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// Written is how many rows the tenant's sessions have written, as a database bills them.
func (x *Sessions) Written(s tenants.Scope) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for _, o := range x.kept[s.Tenant()] {
		n += o.rows.Written
	}
	return n
}

// Shelf keeps each tenant's list of sessions.
type Shelf struct {
	*book.ShelfClient
	Hooks

	mu    sync.Mutex
	book  *book.Shelf
	lists objects
}

var (
	_ chat.Shelf = (*Shelf)(nil)
	_ book.Notes = (*Shelf)(nil)
)

// NewShelf makes a shelf that tells the time by now.
func NewShelf(now func() time.Time) *Shelf {
	x := &Shelf{book: book.NewShelf(now), lists: objects{}}
	x.ShelfClient = book.NewShelfClient(x.call)
	return x
}

func (x *Shelf) call(ctx context.Context, s tenants.Scope, _ []string, method string, body []byte) (reply []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Unavailablef(err, "shelf_unreachable", "the shelf was not reached")
	}
	err = x.do(s, method, func() error {
		x.mu.Lock()
		defer x.mu.Unlock()
		reply, _ = serve(x.lists.of(s), x.book, method, body)
		return nil
	})
	return reply, err
}

// Written is how many rows the tenant's shelf has written, as a database bills them.
func (x *Shelf) Written(s tenants.Scope) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.lists.of(s).Written
}
