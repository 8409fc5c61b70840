package port

import (
	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/lexicon/book"
)

// NewLexicon reaches the shards of each tenant's lexical index.
func NewLexicon(ns object.Namespace, shards book.Shards) *book.Client {
	return book.NewClient(carrier(ns), shards)
}
