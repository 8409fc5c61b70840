package port

import (
	"context"
	"errors"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/kv"
	"levada.dev/tenants"
	"levada.dev/workflows/cache"
)

// Cache keeps values in KV below the tenant's prefix. KV expires them itself.
type Cache struct{ kv kv.Namespace }

var _ cache.Store = Cache{}

// NewCache keeps values in a namespace.
func NewCache(ns kv.Namespace) Cache { return Cache{ns} }

// Get implements cache.Store.
func (c Cache) Get(ctx context.Context, s tenants.Scope, key cache.Key) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	b, err := c.kv.Get(ctx, cacheName(s, key), nil)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return nil, cache.ErrMiss
	case err != nil:
		return nil, fault.Unavailablef(err, "cache_unavailable", "the cache did not answer")
	}
	return b, nil
}

// Put implements cache.Store.
func (c Cache) Put(ctx context.Context, s tenants.Scope, key cache.Key, value []byte, ttl time.Duration) error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := cache.Check(key, value, ttl); err != nil {
		return err
	}
	if err := c.kv.Put(ctx, cacheName(s, key), value, &kv.PutOptions{TTL: ttl}); err != nil {
		return fault.Unavailablef(err, "cache_unavailable", "the cache did not take a value")
	}
	return nil
}

// cacheName is KV's name of a value.
func cacheName(s tenants.Scope, key cache.Key) string { return s.Key("cache", key.Kind, key.Name) }
