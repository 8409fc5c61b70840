package port

import (
	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/tools/book"
)

// NewCalls reaches each tenant's calls of tools that have a key.
func NewCalls(ns object.Namespace) *book.Client { return book.NewClient(carrier(ns)) }
