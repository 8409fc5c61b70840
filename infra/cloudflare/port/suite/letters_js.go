package main

import (
	"context"
	"encoding/json"

	"levada.dev/infra/cloudflare/r2"
	"levada.dev/tenants"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/letters/book"
)

// box is the port of the suite of letters, in the event.
type box struct {
	event
	port *book.Client
}

func (x box) Keep(ctx context.Context, s tenants.Scope, ls []letters.Letter) error {
	return x.port.Keep(x.in(ctx), s, ls)
}

func (x box) List(ctx context.Context, s tenants.Scope, q letters.Query, cursor string, limit int, bodies bool) (letters.Page, error) {
	return x.port.List(x.in(ctx), s, q, cursor, limit, bodies)
}

func (x box) Waiting(ctx context.Context, s tenants.Scope, q letters.Query, cursor string, limit int) (letters.Page, error) {
	return x.port.Waiting(x.in(ctx), s, q, cursor, limit)
}

func (x box) Count(ctx context.Context, s tenants.Scope, q letters.Query) (letters.Count, error) {
	return x.port.Count(x.in(ctx), s, q)
}

func (x box) Mark(ctx context.Context, s tenants.Scope, m letters.Marking) (letters.Marked, error) {
	return x.port.Mark(x.in(ctx), s, m)
}

func (x box) Forget(ctx context.Context, s tenants.Scope, docID string, generation int) error {
	return x.port.Forget(x.in(ctx), s, docID, generation)
}

func (x box) Open(ctx context.Context, s tenants.Scope, key, hash string) ([]byte, error) {
	return x.port.Open(x.in(ctx), s, key, hash)
}

func (x box) Close(ctx context.Context, s tenants.Scope, key string, answer []byte) error {
	return x.port.Close(x.in(ctx), s, key, answer)
}

// unread is the port of the suite of letters that name no tenant.
type unread struct {
	event
	port letters.Pile
}

func (x unread) Keep(ctx context.Context, ls []letters.Letter) error {
	return x.port.Keep(x.in(ctx), ls)
}

func (x unread) Stranded(ctx context.Context, s tenants.Scope, limit int) ([]letters.Letter, error) {
	return x.port.Stranded(x.in(ctx), s, limit)
}

func (x unread) Drop(ctx context.Context, s tenants.Scope, ls []letters.Letter) error {
	return x.port.Drop(x.in(ctx), s, ls)
}

// pile reads the letters that name no tenant, as an operator does.
func pile(ctx context.Context, bucket r2.Bucket) (all []letters.Letter, err error) {
	found, err := bucket.List(ctx, &r2.ListOptions{Prefix: "letters/"})
	if err != nil {
		return nil, err
	}
	for _, o := range found.Objects {
		_, body, err := bucket.ReadAll(ctx, o.Key)
		if err != nil {
			return nil, err
		}
		var l letters.Letter
		if err := json.Unmarshal(body, &l); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}
