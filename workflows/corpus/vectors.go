package corpus

import (
	"context"
	"encoding/json"
	"time"

	"levada.dev/tenants"
)

// Vectors is the vector index of one pool, one space for each embedding model, a namespace for each tenant.
//
// Writes are accepted at once and become visible later, in order, seconds to minutes in production; Processed
// tells how far that has come. Upsert replaces vectors of the same id. One call takes at most MaxWrite vectors
// or ids. A tenant's query sees its own vectors alone. Faults of the service are fault.Unavailable. Safe for
// concurrent use.
type Vectors interface {
	Upsert(ctx context.Context, s tenants.Scope, model string, vs []Vector) error
	Delete(ctx context.Context, s tenants.Scope, model string, ids []string) error
	Query(ctx context.Context, s tenants.Scope, model string, q VectorQuery) ([]Match, error)
	// Stored counts those of the ids that the index shows at the moment, at most MaxWrite of them.
	Stored(ctx context.Context, s tenants.Scope, model string, ids []string) (int, error)
	// Processed is the time up to which accepted writes are visible to queries.
	Processed(ctx context.Context, model string) (time.Time, error)
}

// MaxWrite is how many vectors one call may write: https://developers.cloudflare.com/vectorize/platform/limits/.
const MaxWrite = 1000

// MaxTopK is how many matches one query gives: https://developers.cloudflare.com/vectorize/platform/limits/, with metadata.
const MaxTopK = 50

// Vector is one chunk in the index.
type Vector struct {
	ID       string
	Values   []float32
	Metadata Metadata
}

// Metadata travels with a vector: what a search shows, and what it filters on. It is limited to 10 KiB.
type Metadata struct {
	DocID      string         `json:"docId"`
	Generation int            `json:"generation"`
	Chunk      int            `json:"chunk"`
	Start      int            `json:"start"`
	End        int            `json:"end"`
	Text       string         `json:"text"`
	Cut        bool           `json:"cut,omitempty"` // Text is only the beginning; the source has the rest
	Heading    string         `json:"heading,omitempty"`
	Source     string         `json:"source,omitempty"`
	Meta       map[string]any `json:"meta,omitempty"` // the document's own
}

// VectorQuery asks for the nearest vectors.
type VectorQuery struct {
	Values []float32
	TopK   int             // 1 to MaxTopK
	Filter json.RawMessage // Vectorize's filter language over Metadata; nil for none
}

// Match is a vector near the query, best first.
type Match struct {
	ID       string
	Score    float64
	Metadata Metadata
}
