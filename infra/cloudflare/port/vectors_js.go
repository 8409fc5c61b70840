package port

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/vectorize"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// Vectors is Vectorize: an index for each embedding model, a namespace for each tenant.
type Vectors struct{ indexes map[string]vectorize.Index }

var _ corpus.Vectors = Vectors{}

// NewVectors takes the index of each model by the model's name.
func NewVectors(indexes map[string]vectorize.Index) Vectors { return Vectors{indexes} }

// Upsert implements corpus.Vectors.
func (v Vectors) Upsert(ctx context.Context, s tenants.Scope, model string, vs []corpus.Vector) error {
	ix, err := v.index(s, model)
	if err != nil {
		return err
	}
	batch := make([]vectorize.Vector, len(vs))
	for i, x := range vs {
		batch[i] = vectorize.Vector{ID: x.ID, Values: x.Values, Namespace: s.Namespace(), Metadata: x.Metadata}
	}
	_, err = ix.Upsert(ctx, batch)
	return unavailable(err)
}

// Delete implements corpus.Vectors.
func (v Vectors) Delete(ctx context.Context, s tenants.Scope, model string, ids []string) error {
	ix, err := v.index(s, model)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, maxDelete) {
		if _, err := ix.DeleteByIDs(ctx, part); err != nil {
			return unavailable(err)
		}
	}
	return nil
}

// maxDelete is how many ids the binding removes in one call; it answers more with code 40007.
const maxDelete = 100

// Query implements corpus.Vectors.
func (v Vectors) Query(ctx context.Context, s tenants.Scope, model string, q corpus.VectorQuery) ([]corpus.Match, error) {
	ix, err := v.index(s, model)
	if err != nil {
		return nil, err
	}
	found, err := ix.Query(ctx, q.Values, &vectorize.QueryOptions{
		TopK: q.TopK, Namespace: s.Namespace(), Filter: q.Filter, ReturnMetadata: "all",
	})
	if err != nil {
		return nil, unavailable(err)
	}
	matches := make([]corpus.Match, len(found))
	for i, f := range found {
		matches[i] = corpus.Match{ID: f.ID, Score: f.Score}
		if err := json.Unmarshal(f.Metadata, &matches[i].Metadata); err != nil {
			return nil, fault.New(fault.Internal, "vector_metadata", "the index returned metadata of another form", err)
		}
	}
	return matches, nil
}

// Processed implements corpus.Vectors.
func (v Vectors) Processed(ctx context.Context, model string) (time.Time, error) {
	ix, ok := v.indexes[model]
	if !ok {
		return time.Time{}, noIndex(model)
	}
	d, err := ix.Describe(ctx)
	return d.ProcessedUpTo, unavailable(err)
}

func (v Vectors) index(s tenants.Scope, model string) (vectorize.Index, error) {
	if err := s.Check(); err != nil {
		return vectorize.Index{}, err
	}
	ix, ok := v.indexes[model]
	if !ok {
		return vectorize.Index{}, noIndex(model)
	}
	return ix, nil
}

func noIndex(model string) error {
	return fault.New(fault.Internal, "index_unknown", "this deployment has no index for "+model, nil)
}

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fault.Unavailablef(err, "index_unavailable", "the vector index did not answer")
}
