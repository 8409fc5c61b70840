package port

import (
	"levada.dev/infra/cloudflare/object"
	"levada.dev/tenants/quota/book"
)

// NewQuota reaches each tenant's ledger of money and rates.
func NewQuota(ns object.Namespace) *book.Client {
	return book.NewClient(carrier(ns))
}
