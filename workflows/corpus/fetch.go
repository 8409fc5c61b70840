package corpus

import (
	"context"
	"time"

	"levada.dev/tenants"
)

// Fetcher gets documents from the web.
//
// It follows at most five redirects, asks only addresses that the tenant's config allows, and gives up after its time or beyond limit
// bytes. What the server says for good (404, 410, 401, 403) is fault.Invalid, code fetch_refused, fetch_too_large,
// url_invalid or address_denied; anything else is fault.Unavailable, code fetch_failed, with the server's retry-after. Safe for concurrent use.
type Fetcher interface {
	Fetch(ctx context.Context, s tenants.Scope, url string, o FetchOptions) (Fetched, error)
}

// FetchOptions are what is known of a page already.
type FetchOptions struct {
	Limit    int64 // bytes; 0: the tenant's limit of a document
	ETag     string
	Modified time.Time
}

// Fetched is what came back.
type Fetched struct {
	Unchanged   bool // the server says so; there is no body
	Body        []byte
	ContentType string
	ETag        string
	Modified    time.Time
	URL         string // where it was found, after redirects
}
