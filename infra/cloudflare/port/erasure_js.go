package port

import (
	"context"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/kv"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/tenants"
	"levada.dev/workflows/erasure"
)

// everything is what the keys of all that is a tenant's begin with.
func everything(s tenants.Scope) string { return s.Key() + "/" }

// Objects is all that the bucket keeps of a tenant: texts, claims, parts of imports, files.
type Objects struct{ bucket r2.Bucket }

var _ erasure.Store = Objects{}

// NewObjects sweeps a bucket.
func NewObjects(b r2.Bucket) Objects { return Objects{b} }

// Name implements erasure.Store.
func (Objects) Name() string { return "objects" }

// Sweep implements erasure.Store.
func (o Objects) Sweep(ctx context.Context, s tenants.Scope, limit int) (removed int, more bool, err error) {
	keys, more, err := o.list(ctx, s, limit)
	if err != nil || len(keys) == 0 {
		return 0, false, err
	}
	if err := o.bucket.Delete(ctx, keys...); err != nil {
		return 0, false, fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
	}
	return len(keys), more, nil
}

// Left implements erasure.Store.
func (o Objects) Left(ctx context.Context, s tenants.Scope) (int, error) {
	keys, _, err := o.list(ctx, s, 1000)
	return len(keys), err
}

func (o Objects) list(ctx context.Context, s tenants.Scope, limit int) (keys []string, more bool, err error) {
	if err := s.Check(); err != nil {
		return nil, false, err
	}
	page, err := o.bucket.List(ctx, &r2.ListOptions{Prefix: everything(s), Limit: min(limit, 1000)})
	if err != nil {
		return nil, false, fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
	}
	keys = make([]string, len(page.Objects))
	for i, obj := range page.Objects {
		keys[i] = obj.Key
	}
	return keys, page.Cursor != "", nil
}

// Cached is all that a namespace of KV keeps of a tenant.
type Cached struct{ kv kv.Namespace }

var _ erasure.Store = Cached{}

// NewCached sweeps a namespace.
func NewCached(ns kv.Namespace) Cached { return Cached{ns} }

// Name implements erasure.Store.
func (Cached) Name() string { return "cache" }

// Sweep implements erasure.Store.
func (c Cached) Sweep(ctx context.Context, s tenants.Scope, limit int) (removed int, more bool, err error) {
	keys, more, err := c.list(ctx, s, limit)
	if err != nil {
		return 0, false, err
	}
	for _, key := range keys {
		if err := c.kv.Delete(ctx, key); err != nil {
			return removed, false, fault.Unavailablef(err, "cache_unavailable", "the cache did not answer")
		}
		removed++
	}
	return removed, more, nil
}

// Left implements erasure.Store.
func (c Cached) Left(ctx context.Context, s tenants.Scope) (int, error) {
	keys, _, err := c.list(ctx, s, 1000)
	return len(keys), err
}

// list is the first keys. A page may be empty although more follow.
func (c Cached) list(ctx context.Context, s tenants.Scope, limit int) (keys []string, more bool, err error) {
	if err := s.Check(); err != nil {
		return nil, false, err
	}
	for cursor, first := "", true; first || len(keys) == 0 && cursor != ""; first = false {
		page, err := c.kv.List(ctx, &kv.ListOptions{Prefix: everything(s), Limit: min(limit, 1000), Cursor: cursor})
		if err != nil {
			return nil, false, fault.Unavailablef(err, "cache_unavailable", "the cache did not answer")
		}
		for _, key := range page.Keys {
			keys = append(keys, key.Name)
		}
		cursor, more = page.Cursor, page.Cursor != ""
	}
	return keys, more, nil
}
