package memory

import (
	"context"
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/events/meter/book"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
)

// Meters keeps what is counted for each tenant, and its traces.
type Meters struct {
	*book.Client
	Hooks

	mu     sync.Mutex
	book   *book.Book
	meters objects
}

var (
	_ meter.Meters = (*Meters)(nil)
	_ alert.Rules  = (*Meters)(nil)
)

// NewMeters makes meters that tell the time by now.
func NewMeters(now func() time.Time) *Meters {
	m := &Meters{book: book.New(now), meters: objects{}}
	m.Client = book.NewClient(m.call)
	return m
}

// call is the carrier of the wire and the transaction around the book.
func (m *Meters) call(ctx context.Context, s tenants.Scope, _ []string, method string, body []byte) (reply []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Unavailablef(err, "meters_unreachable", "the meters were not reached")
	}
	err = m.do(s, method, func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		reply, _ = serve(m.meters.of(s), m.book, method, body)
		return nil
	})
	return reply, err
}

// Alarm does what the object's alarm does: all that is due. It says when there will be something to do again; zero when never.
func (m *Meters) Alarm(s tenants.Scope) (next time.Time, err error) {
	for {
		var done book.Tended
		err := m.do(s, "tend", func() error {
			m.mu.Lock()
			defer m.mu.Unlock()
			tx := m.meters.of(s).Begin()
			if done, err = m.book.Tend(tx, 1000); err != nil {
				return err
			}
			tx.Commit()
			return nil
		})
		if err != nil || !done.More {
			return done.Next, err
		}
	}
}

// Relay hands what waits in a tenant's outbox to the publisher, as the object does by itself. It says how many events went out.
func (m *Meters) Relay(ctx context.Context, s tenants.Scope, out events.Publisher) (int, error) {
	return m.meters.relay(ctx, s, &m.mu, out, 100, func(f func() error) error { return m.do(s, "sent", f) })
}

// Rows lets a test look at, and change, what the tenant's object has.
func (m *Meters) Rows(s tenants.Scope, f func(tx rows.Tx)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m.meters.of(s))
}

// Written is how many rows the tenant's meters have written, as a database bills them.
func (m *Meters) Written(s tenants.Scope) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.meters.of(s).Written
}
