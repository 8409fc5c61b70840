package port

import (
	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/corpus/book"
	trail "levada.dev/workflows/trail/book"
)

// NewLedger reaches each tenant's ledger object.
func NewLedger(ns object.Namespace) *book.Client {
	return book.NewClient(carrier(ns))
}

// NewTrail reaches each tenant's audit object.
func NewTrail(ns object.Namespace) *trail.Client {
	return trail.NewClient(carrier(ns))
}
