package vectorize

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/isolate/wire"
)

// patience is how long a call may take: the largest write takes a second or two.
const patience = 25 * time.Second

// Index is a Vectorize binding. It may be shared by all goroutines.
type Index struct{ binding string }

// Open returns the index bound under the name. A missing binding shows at the first call.
func Open(binding string) Index { return Index{binding} }

// Vector is a stored vector.
type Vector struct {
	ID        string
	Values    []float32
	Namespace string
	Metadata  any // what marshals to a JSON object; a json.RawMessage when read
}

// Mutation identifies an accepted write.
type Mutation struct{ ID string }

// Upsert writes the vectors, replacing those of the same id.
func (x Index) Upsert(ctx context.Context, vectors []Vector) (Mutation, error) {
	return x.write(ctx, "upsert", vectors)
}

// Insert writes the vectors whose ids do not exist yet.
func (x Index) Insert(ctx context.Context, vectors []Vector) (Mutation, error) {
	return x.write(ctx, "insert", vectors)
}

func (x Index) write(ctx context.Context, method string, vectors []Vector) (Mutation, error) {
	list := make(wire.List, len(vectors))
	for i, v := range vectors {
		var metadata any
		if v.Metadata != nil {
			m, err := json.Marshal(v.Metadata)
			if err != nil {
				return Mutation{}, fmt.Errorf("vectorize: metadata of %s: %w", v.ID, err)
			}
			metadata = json.RawMessage(m)
		}
		list[i] = wire.List{v.ID, v.Values, v.Namespace, metadata}
	}
	return mutation(isolate.CallWithin(ctx, patience, "vectorize.write", x.binding, method, list))
}

// DeleteByIDs removes the vectors; ids that do not exist are no error.
func (x Index) DeleteByIDs(ctx context.Context, ids []string) (Mutation, error) {
	return mutation(isolate.CallWithin(ctx, patience, "vectorize.delete", x.binding, ids))
}

func mutation(r *wire.Reader, err error) (Mutation, error) {
	if err != nil {
		return Mutation{}, fmt.Errorf("vectorize: write: %w", err)
	}
	return Mutation{r.String()}, r.Err()
}

// How much of the metadata a query returns.
const (
	None    = "none"
	Indexed = "indexed" // only indexed properties, strings cut to 64 bytes; free
	All     = "all"     // limits TopK to 50
)

// QueryOptions are the options of a query.
type QueryOptions struct {
	TopK           int // 0 is the platform's 5; at most 100, or 50 with values or all metadata
	Namespace      string
	Filter         any // a JSON object over indexed metadata: a json.RawMessage or what marshals to one
	ReturnValues   bool
	ReturnMetadata string // None, Indexed or All
}

// Match is a result of a query, the best first.
type Match struct {
	ID        string
	Score     float64
	Namespace string
	Values    []float32
	Metadata  json.RawMessage // nil unless asked for
}

// Query returns the vectors closest to the given one.
func (x Index) Query(ctx context.Context, vector []float32, o *QueryOptions) ([]Match, error) {
	return x.query(ctx, vector, "", o)
}

// QueryByID returns the vectors closest to a stored one.
func (x Index) QueryByID(ctx context.Context, id string, o *QueryOptions) ([]Match, error) {
	return x.query(ctx, nil, id, o)
}

func (x Index) query(ctx context.Context, vector any, id string, o *QueryOptions) ([]Match, error) {
	if o == nil {
		o = &QueryOptions{}
	}
	var filter any
	if o.Filter != nil {
		f, err := json.Marshal(o.Filter)
		if err != nil {
			return nil, fmt.Errorf("vectorize: filter: %w", err)
		}
		filter = json.RawMessage(f)
	}
	if id != "" {
		vector = nil
	}
	r, err := isolate.CallWithin(ctx, patience, "vectorize.query", x.binding, vector, id, o.TopK, o.Namespace, filter, o.ReturnValues, o.ReturnMetadata)
	if err != nil {
		return nil, fmt.Errorf("vectorize: query: %w", err)
	}
	n := r.List()
	matches := make([]Match, n)
	for i := range matches {
		r.List()
		m := &matches[i]
		m.Score = r.Float()
		m.ID, m.Namespace, m.Values, m.Metadata = r.String(), r.String(), r.Float32s(), r.Bytes()
	}
	return matches, r.Err()
}

// GetByIDs returns the stored vectors of these ids; missing ones are left out.
func (x Index) GetByIDs(ctx context.Context, ids []string) ([]Vector, error) {
	r, err := isolate.CallWithin(ctx, patience, "vectorize.get", x.binding, ids)
	if err != nil {
		return nil, fmt.Errorf("vectorize: get: %w", err)
	}
	n := r.List()
	vectors := make([]Vector, n)
	for i := range vectors {
		r.List()
		v := &vectors[i]
		v.ID, v.Namespace, v.Values = r.String(), r.String(), r.Float32s()
		if m := r.Bytes(); m != nil {
			v.Metadata = json.RawMessage(m)
		}
	}
	return vectors, r.Err()
}

// Description is the state of an index.
type Description struct {
	VectorCount           int64
	Dimensions            int64
	ProcessedUpToMutation string    // the last mutation that is visible
	ProcessedUpTo         time.Time // everything written before is visible
}

// Describe returns the state of the index.
func (x Index) Describe(ctx context.Context) (Description, error) {
	r, err := isolate.CallWithin(ctx, patience, "vectorize.describe", x.binding)
	if err != nil {
		return Description{}, fmt.Errorf("vectorize: describe: %w", err)
	}
	d := Description{VectorCount: r.Int(), Dimensions: r.Int(), ProcessedUpToMutation: r.String()}
	if at := r.Int(); at != 0 {
		d.ProcessedUpTo = time.UnixMilli(at)
	}
	return d, r.Err()
}
