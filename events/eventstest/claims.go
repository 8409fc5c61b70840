package eventstest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Claims is a claim store in memory.
type Claims struct {
	Hooks
	mu   sync.Mutex
	data map[string][]byte
}

var _ events.Claims = (*Claims)(nil)

// Put implements events.Claims.
func (c *Claims) Put(ctx context.Context, s tenants.Scope, name string, data []byte) error {
	return c.do(func() error {
		if err := admit(ctx, s); err != nil {
			return err
		}
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
func (c *Claims) Get(ctx context.Context, s tenants.Scope, name string) ([]byte, error) {
	var data []byte
	err := c.do(func() error {
		if err := admit(ctx, s); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		stored, ok := c.data[s.Key("claims", name)]
		if !ok {
			return fault.Missing("claim_not_found", "no claim %s", name)
		}
		data = bytes.Clone(stored)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Keys are the keys of all claims, in order; each begins with its tenant's.
func (c *Claims) Keys() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.data))
}

// Remove removes a claim by its key.
func (c *Claims) Remove(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.data, key)
}

// Len is how many claims are stored, of all tenants.
func (c *Claims) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.data)
}

// Drop forgets every claim, as when they have expired.
func (c *Claims) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.data)
}

func admit(ctx context.Context, s tenants.Scope) error {
	if err := s.Check(); err != nil {
		return err
	}
	return ctx.Err()
}
