package memory

import (
	"bytes"
	"context"
	"sync"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Claims keeps the data of events that are too big to travel. The zero value is empty and ready.
type Claims struct {
	Hooks
	mu   sync.Mutex
	data map[string][]byte
}

var _ events.Claims = (*Claims)(nil)

// Put implements events.Claims.
func (c *Claims) Put(_ context.Context, s tenants.Scope, name string, data []byte) error {
	return c.do(s, "put", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.data == nil {
			c.data = map[string][]byte{}
		}
		c.data[s.Key("claims", name)] = bytes.Clone(data)
		return nil
	})
}

// Get implements events.Claims.
func (c *Claims) Get(_ context.Context, s tenants.Scope, name string) (data []byte, err error) {
	err = c.do(s, "get", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		stored, ok := c.data[s.Key("claims", name)]
		if !ok {
			return fault.Missing("claim_not_found", "no claim %.80q", name)
		}
		data = bytes.Clone(stored)
		return nil
	})
	return data, err
}

// Drop forgets every claim, as when they have expired.
func (c *Claims) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.data)
}
