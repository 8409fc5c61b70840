package memory

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/book"
)

// Ledger keeps a book for each tenant.
type Ledger struct {
	*book.Client
	Hooks
	// Full says that the pool's backlog is above its limit; Submit is then refused.
	Full func() bool

	mu    sync.Mutex
	book  *book.Book
	books map[tenants.ID]*Rows
}

var _ corpus.Ledger = (*Ledger)(nil)

// NewLedger makes a ledger that tells the time by now.
func NewLedger(now func() time.Time) *Ledger {
	l := &Ledger{book: book.New(now), books: map[tenants.ID]*Rows{}}
	l.Client = book.NewClient(l.call)
	return l
}

// call is the carrier of the wire and the transaction around the book.
func (l *Ledger) call(ctx context.Context, s tenants.Scope, method string, body []byte) (reply []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Unavailablef(err, "ledger_unreachable", "the ledger was not reached")
	}
	err = l.do(s, method, func() error {
		if method == "submit" && l.Full != nil && l.Full() {
			return fault.New(fault.Limited, "backlog_full", "too much is waiting already", nil)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		tx := l.rows(s).begin()
		var commit bool
		if reply, commit = l.book.Call(tx, method, body); commit {
			tx.commit()
		}
		return nil
	})
	return reply, err
}

func (l *Ledger) rows(s tenants.Scope) *Rows {
	r := l.books[s.Tenant()]
	if r == nil {
		r = NewRows()
		l.books[s.Tenant()] = r
	}
	return r
}

// Relay hands what waits in a tenant's outbox to the publisher, as the ledger does by itself after each call and by its
// alarm. It says how many events went out.
func (l *Ledger) Relay(ctx context.Context, s tenants.Scope, out events.Publisher, limit int) (int, error) {
	l.mu.Lock()
	waiting, err := l.book.Pending(l.rows(s), limit)
	l.mu.Unlock()
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	evs := make([]events.Event, len(waiting))
	ids := make([]string, len(waiting))
	for i, w := range waiting {
		evs[i], ids[i] = w.Event, w.ID
	}
	if err := out.Publish(ctx, s, evs...); err != nil {
		return 0, err
	}
	return len(evs), l.do(s, "sent", func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.book.Sent(l.rows(s), ids)
	})
}

// Sweep cleans a tenant's book up.
func (l *Ledger) Sweep(s tenants.Scope, limit int) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.book.Sweep(l.rows(s), limit)
}

// Tenants lists the tenants that have a book.
func (l *Ledger) Tenants() []tenants.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.books))
}

// Rows is a book's rows in a map. It counts what is written and checks that nobody changes a value that it holds.
type Rows struct {
	Written int // rows put or deleted, as a database bills them
	rows    map[string][]byte
	under   *Rows // of a transaction
	gone    map[string]bool
}

var _ book.Rows = (*Rows)(nil)

// NewRows makes an empty map.
func NewRows() *Rows { return &Rows{rows: map[string][]byte{}} }

// begin opens a transaction over the rows.
func (r *Rows) begin() *Rows {
	return &Rows{rows: map[string][]byte{}, gone: map[string]bool{}, under: r}
}

func (r *Rows) commit() {
	for k := range r.gone {
		delete(r.under.rows, k)
	}
	maps.Copy(r.under.rows, r.rows)
	r.under.Written += r.Written
}

// Get implements book.Rows.
func (r *Rows) Get(key string) ([]byte, error) {
	if v, ok := r.rows[key]; ok || r.under == nil || r.gone[key] {
		return bytes.Clone(v), nil
	}
	return r.under.Get(key)
}

// Put implements book.Rows.
func (r *Rows) Put(key string, value []byte) error {
	if key == "" || value == nil {
		return errors.New("memory: a row needs a key and a value")
	}
	r.Written++
	r.rows[key] = bytes.Clone(value)
	delete(r.gone, key)
	return nil
}

// Delete implements book.Rows.
func (r *Rows) Delete(key string) error {
	r.Written++
	delete(r.rows, key)
	if r.gone != nil {
		r.gone[key] = true
	}
	return nil
}

// Scan implements book.Rows.
func (r *Rows) Scan(prefix string, limit int) ([]book.Row, error) {
	all := map[string][]byte{}
	if r.under != nil {
		maps.Copy(all, r.under.rows)
		for k := range r.gone {
			delete(all, k)
		}
	}
	maps.Copy(all, r.rows)
	var out []book.Row
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(k, prefix) && len(out) < limit {
			out = append(out, book.Row{Key: k, Value: bytes.Clone(all[k])})
		}
	}
	return out, nil
}
