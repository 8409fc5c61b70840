package rag

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/corpus"
)

// early is what an equal query found in the edition that was heard of last, asked for before it is known whether that is the edition now.
type early struct {
	edition corpus.Edition
	name    string                 // "" when no edition was heard of
	value   func() ([]byte, error) // waits for it; nil when the store was not asked
}

// early asks the store, unless the result is in memory.
func (c *Cached) early(ctx context.Context, s tenants.Scope, q Query) early {
	e, known := c.recent.edition(s.Tenant())
	if !known {
		return early{}
	}
	name, err := nameOf(q, e)
	if err != nil {
		return early{}
	}
	x := early{edition: e, name: name}
	if _, there := c.recent.find(s.Tenant(), name, c.options.Now()); !there {
		x.value = beside(func() ([]byte, error) { return c.store.Get(ctx, s, cache.Key{Kind: kindSearch, Name: name}) })
	}
	return x
}

// nameOf is the name of the query's result in an edition.
func (x early) nameOf(q Query, e corpus.Edition) (string, error) {
	if x.name != "" && x.edition == e {
		return x.name, nil
	}
	return nameOf(q, e)
}

// end waits until nothing is asked any more. The context it was asked with has ended.
func (x early) end() {
	if x.value != nil {
		_, _ = x.value()
	}
}
