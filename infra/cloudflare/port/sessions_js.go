package port

import (
	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/chat/book"
)

// NewSessions reaches the objects of the tenants' sessions.
func NewSessions(ns object.Namespace) *book.Client { return book.NewClient(carrier(ns)) }

// NewShelf reaches each tenant's list of sessions.
func NewShelf(ns object.Namespace) *book.ShelfClient { return book.NewShelfClient(carrier(ns)) }
