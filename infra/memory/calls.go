package memory

import (
	"context"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/tools/book"
	"levada.dev/workflows/tools/keep"
)

// Calls keeps the calls of each tenant's tools that have a key.
type Calls struct {
	*book.Client
	Hooks

	mu    sync.Mutex
	book  *book.Book
	calls objects
}

var _ keep.Calls = (*Calls)(nil)

// NewCalls makes calls that tell the time by now.
func NewCalls(now func() time.Time) *Calls {
	c := &Calls{book: book.New(now), calls: objects{}}
	c.Client = book.NewClient(c.call)
	return c
}

// call is the carrier of the wire and the transaction around the book.
func (c *Calls) call(ctx context.Context, s tenants.Scope, _ []string, method string, body []byte) (reply []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Unavailablef(err, "calls_unreachable", "the calls were not reached")
	}
	err = c.do(s, method, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		reply, _ = serve(c.calls.of(s), c.book, method, body)
		return nil
	})
	return reply, err
}

// Alarm does what the object's alarm does: it forgets what has expired.
func (c *Calls) Alarm(s tenants.Scope) (rows.Swept, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tx := c.calls.of(s).Begin()
	swept, err := c.book.Sweep(tx, 1000)
	if err != nil {
		return swept, err
	}
	tx.Commit()
	return swept, nil
}

// Written is how many rows the tenant's calls have written, as a database bills them.
func (c *Calls) Written(s tenants.Scope) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls.of(s).Written
}
