package main

import (
	"context"

	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon/book"
)

// newLexicon reaches indexes of so many shards.
func newLexicon(shards int) *book.Client {
	return port.NewLexicon(object.Open("LEXICON"), func(context.Context, tenants.Scope) (int, error) { return shards, nil })
}

type words struct {
	event
	port *book.Client
}

func (x words) Put(ctx context.Context, s tenants.Scope, ps []corpus.Passage) error {
	return x.port.Put(x.in(ctx), s, ps)
}

func (x words) Remove(ctx context.Context, s tenants.Scope, refs []corpus.Generation) error {
	return x.port.Remove(x.in(ctx), s, refs)
}

func (x words) Find(ctx context.Context, s tenants.Scope, q corpus.LexicalQuery) (corpus.Found, error) {
	return x.port.Find(x.in(ctx), s, q)
}

func (x words) Passages(ctx context.Context, s tenants.Scope, at []corpus.Place) ([]corpus.Passage, error) {
	return x.port.Passages(x.in(ctx), s, at)
}

func (x words) Stored(ctx context.Context, s tenants.Scope, ref corpus.Generation) (int, error) {
	return x.port.Stored(x.in(ctx), s, ref)
}
