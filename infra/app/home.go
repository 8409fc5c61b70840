package app

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/workflows/letters"
)

// Home is the box of a tenant's dead letters for whoever looks into it: first what is kept beside it comes home (letters.BringHome). When that fails
// the box shows what it has; but who forgets what is said of a document is told that not all of it could be seen.
func Home(p Ports) Letters {
	if p.Unread == nil {
		return p.Letters
	}
	return home{p.Letters, p.Unread}
}

type home struct {
	Letters
	unread letters.Pile
}

// List implements letters.Box. Further pages are of the same list.
func (h home) List(ctx context.Context, s tenants.Scope, q letters.Query, cursor string, limit int, bodies bool) (letters.Page, error) {
	if cursor == "" {
		_ = letters.BringHome(ctx, s, h.unread, h.Letters)
	}
	return h.Letters.List(ctx, s, q, cursor, limit, bodies)
}

// Waiting implements letters.Box.
func (h home) Waiting(ctx context.Context, s tenants.Scope, q letters.Query, cursor string, limit int) (letters.Page, error) {
	if cursor == "" {
		_ = letters.BringHome(ctx, s, h.unread, h.Letters)
	}
	return h.Letters.Waiting(ctx, s, q, cursor, limit)
}

// Count implements letters.Box.
func (h home) Count(ctx context.Context, s tenants.Scope, q letters.Query) (letters.Count, error) {
	_ = letters.BringHome(ctx, s, h.unread, h.Letters)
	return h.Letters.Count(ctx, s, q)
}

// Forget implements letters.Forgetter.
func (h home) Forget(ctx context.Context, s tenants.Scope, docID string, generation int) error {
	if err := letters.BringHome(ctx, s, h.unread, h.Letters); err != nil {
		return err
	}
	return h.Letters.Forget(ctx, s, docID, generation)
}
