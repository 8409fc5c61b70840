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
// fetch_downgraded, url_invalid or address_denied; anything else is fault.Unavailable, code fetch_failed, with the server's retry-after. Safe for concurrent use.
type Fetcher interface {
	Fetch(ctx context.Context, s tenants.Scope, url string, o FetchOptions) (Fetched, error)
}

// FetchOptions are what is known of a page already.
type FetchOptions struct {
	Limit    int64 // bytes; 0: the tenant's limit of a document
	ETag     string
	Modified time.Time
	// Patience is how long the server may take to begin its answer; 0: as long as all of it may take.
	Patience time.Duration
	// Large is called, once at most, before more of a document is read than LargeFetch, with how many bytes it may take, and waited for: whoever
	// holds many bodies makes room.
	Large func(ctx context.Context, bytes int64) error
}

// LargeFetch is from where on a document is a good part of a Worker's memory, when many are fetched at a time.
const LargeFetch = 512 << 10

// Fetched is what came back.
type Fetched struct {
	Unchanged   bool // the server says so; there is no body
	Body        []byte
	ContentType string
	ETag        string
	Modified    time.Time
	URL         string // where it was found, after redirects
}
