package memory

import (
	"context"
	"slices"
	"strings"
	"sync"

	"levada.dev/tenants"
	"levada.dev/workflows/erasure"
)

// Swept is a store of keys as an erasure sees it.
type Swept struct {
	Hooks
	name string
	maps []keyed
}

// keyed is a map of everybody's things by keys that begin with the tenant's.
type keyed struct {
	mu     sync.Locker
	keys   func() []string
	remove func(key string)
}

var _ erasure.Store = (*Swept)(nil)

// NewObjects is all that R2 keeps of a tenant.
func NewObjects(texts *Texts, claims *Claims, parts *Parts, files *Files, sounds *Sounds) *Swept {
	return &Swept{name: "objects", maps: []keyed{
		{&texts.mu, func() []string { return keysOf(texts.texts) }, func(key string) { delete(texts.texts, key); delete(texts.keys, key) }},
		{new(sync.Mutex), claims.store.Keys, claims.store.Remove},
		{&parts.mu, func() []string { return keysOf(parts.parts) }, func(key string) { delete(parts.parts, key) }},
		{&files.mu, files.keys, files.remove},
		{&sounds.mu, func() []string { return keysOf(sounds.parts) }, func(key string) { delete(sounds.parts, key) }},
	}}
}

// NewCached is all that a cache keeps of a tenant.
func NewCached(c *Cache) *Swept {
	return &Swept{name: "cache", maps: []keyed{
		{&c.mu, func() []string { return keysOf(c.values) }, func(key string) { delete(c.values, key) }},
	}}
}

func keysOf[V any](m map[string]V) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Name implements erasure.Store.
func (w *Swept) Name() string { return w.name }

// Sweep implements erasure.Store.
func (w *Swept) Sweep(_ context.Context, s tenants.Scope, limit int) (removed int, more bool, err error) {
	err = w.do(s, "sweep", func() error {
		for _, m := range w.maps {
			m.mu.Lock()
			for _, key := range m.keys() {
				if removed < limit && strings.HasPrefix(key, s.Key()+"/") {
					m.remove(key)
					removed++
				}
			}
			m.mu.Unlock()
		}
		return nil
	})
	return removed, removed == limit, err
}

// Left implements erasure.Store.
func (w *Swept) Left(_ context.Context, s tenants.Scope) (n int, err error) {
	err = w.do(s, "left", func() error {
		for _, m := range w.maps {
			m.mu.Lock()
			for _, key := range m.keys() {
				if strings.HasPrefix(key, s.Key()+"/") {
					n++
				}
			}
			m.mu.Unlock()
		}
		return nil
	})
	return n, err
}
