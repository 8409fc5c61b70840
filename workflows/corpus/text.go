package corpus

import (
	"context"

	"levada.dev/tenants"
)

// Texts keeps the full texts of documents.
//
// What Put stored under a key is durable when it returns nil, and Get gives back the same bytes. Put under the
// same key replaces. Get of an unknown key is fault.NotFound, code text_not_found. Safe for concurrent use.
type Texts interface {
	Put(ctx context.Context, s tenants.Scope, key string, text []byte, contentType string) error
	Get(ctx context.Context, s tenants.Scope, key string) ([]byte, error)
	Delete(ctx context.Context, s tenants.Scope, key string) error
}
