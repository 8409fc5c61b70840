package memory

import (
	"context"

	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/tenants"
)

// Claims keeps the data of events that are too big to travel. The zero value is empty and ready.
type Claims struct {
	Hooks
	store eventstest.Claims
}

var _ events.Claims = (*Claims)(nil)

// Put implements events.Claims.
func (c *Claims) Put(ctx context.Context, s tenants.Scope, name string, data []byte) error {
	return c.do(s, "put", func() error { return c.store.Put(ctx, s, name, data) })
}

// Get implements events.Claims.
func (c *Claims) Get(ctx context.Context, s tenants.Scope, name string) (data []byte, err error) {
	err = c.do(s, "get", func() error {
		data, err = c.store.Get(ctx, s, name)
		return err
	})
	return data, err
}

// Drop forgets every claim, as when they have expired.
func (c *Claims) Drop() { c.store.Drop() }
