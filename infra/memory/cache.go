package memory

import (
	"bytes"
	"context"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/cache"
)

// Cache keeps values until they expire.
type Cache struct {
	Hooks
	now    func() time.Time
	mu     sync.Mutex
	values map[string]cached
}

type cached struct {
	value   []byte
	expires time.Time
}

var _ cache.Store = (*Cache)(nil)

// NewCache makes an empty cache that tells the time by now.
func NewCache(now func() time.Time) *Cache { return &Cache{now: now, values: map[string]cached{}} }

// Get implements cache.Store.
func (c *Cache) Get(ctx context.Context, s tenants.Scope, key cache.Key) (value []byte, err error) {
	err = c.do(s, "get", func() error {
		if err := reached(ctx); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		name := cacheName(s, key)
		v, ok := c.values[name]
		if !ok {
			return cache.ErrMiss
		}
		if !c.now().Before(v.expires) {
			delete(c.values, name)
			return cache.ErrMiss
		}
		value = bytes.Clone(v.value)
		return nil
	})
	return value, err
}

// Put implements cache.Store.
func (c *Cache) Put(ctx context.Context, s tenants.Scope, key cache.Key, value []byte, ttl time.Duration) error {
	return c.do(s, "put", func() error {
		if err := cache.Check(key, value, ttl); err != nil {
			return err
		}
		if err := reached(ctx); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.values[cacheName(s, key)] = cached{bytes.Clone(value), c.now().Add(ttl)}
		return nil
	})
}

// Len is how many values are kept, the expired ones that nobody asked for again among them.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.values)
}

func cacheName(s tenants.Scope, key cache.Key) string { return s.Key("cache", key.Kind, key.Name) }

// reached fails like a store whose answer nobody waits for.
func reached(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Unavailablef(err, "cache_unavailable", "the cache was not reached")
	}
	return nil
}
