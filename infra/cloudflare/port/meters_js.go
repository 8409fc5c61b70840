package port

import (
	"levada.dev/events/meter/book"
	"levada.dev/infra/cloudflare/object"
)

// NewMeters reaches what is counted for each tenant.
func NewMeters(ns object.Namespace) *book.Client { return book.NewClient(carrier(ns)) }
