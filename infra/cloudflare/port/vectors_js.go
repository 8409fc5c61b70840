package port

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/vectorize"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
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
	if err := checkCount(len(vs)); err != nil {
		return err
	}
	batch := make([]vectorize.Vector, len(vs))
	for i, x := range vs {
		batch[i] = vectorize.Vector{ID: x.ID, Values: x.Values, Namespace: s.Namespace(), Metadata: x.Metadata}
	}
	_, err = ix.Upsert(ctx, batch)
	return indexFault(err)
}

// Delete implements corpus.Vectors.
func (v Vectors) Delete(ctx context.Context, s tenants.Scope, model string, ids []string) error {
	ix, err := v.index(s, model)
	if err != nil {
		return err
	}
	if err := checkCount(len(ids)); err != nil {
		return err
	}
	for part := range slices.Chunk(ids, maxDelete) {
		if _, err := ix.DeleteByIDs(ctx, part); err != nil {
			return indexFault(err)
		}
	}
	return nil
}

// maxDelete is how many ids the binding removes in one call; it answers more with code 40007.
const maxDelete = 100

// Stored implements corpus.Vectors. The index has no namespaces where it is asked by id, but an id is made of its tenant.
func (v Vectors) Stored(ctx context.Context, s tenants.Scope, model string, ids []string) (int, error) {
	ix, err := v.index(s, model)
	if err != nil {
		return 0, err
	}
	if err := checkCount(len(ids)); err != nil {
		return 0, err
	}
	n := 0
	for part := range slices.Chunk(ids, maxGet) {
		found, err := ix.GetByIDs(ctx, part)
		if err != nil {
			return 0, indexFault(err)
		}
		for _, f := range found {
			if f.Namespace == s.Namespace() {
				n++
			}
		}
	}
	return n, nil
}

// maxGet is how many ids the binding looks up in one call; it answers more with code 40007.
const maxGet = 20

// Query implements corpus.Vectors.
func (v Vectors) Query(ctx context.Context, s tenants.Scope, model string, q corpus.VectorQuery) ([]corpus.Match, error) {
	ix, err := v.index(s, model)
	if err != nil {
		return nil, err
	}
	if q.TopK < 1 || q.TopK > corpus.MaxTopK { // the binding takes 0 for its default
		return nil, fault.Invalidf("topK", "top_k_invalid", "%d is not between 1 and %d", q.TopK, corpus.MaxTopK)
	}
	found, err := ix.Query(ctx, q.Values, &vectorize.QueryOptions{
		TopK: q.TopK, Namespace: s.Namespace(), Filter: q.Filter, ReturnMetadata: "all",
	})
	if err != nil {
		return nil, indexFault(err)
	}
	matches := make([]corpus.Match, len(found))
	for i, f := range found {
		matches[i] = corpus.Match{ID: f.ID, Score: f.Score}
		if matches[i].Metadata, err = corpus.ReadMetadata(f.Metadata); err != nil {
			return nil, fault.New(fault.Internal, "vector_metadata", "the index returned metadata of another form", err)
		}
	}
	return matches, nil
}

func checkCount(n int) error {
	if n < 1 || n > corpus.MaxWrite {
		return fault.Invalidf("", "vectors_count", "%d in one call; 1 to %d are allowed", n, corpus.MaxWrite)
	}
	return nil
}

// Processed implements corpus.Vectors.
func (v Vectors) Processed(ctx context.Context, model string) (time.Time, error) {
	ix, err := v.of(model)
	if err != nil {
		return time.Time{}, err
	}
	d, err := ix.Describe(ctx)
	return d.ProcessedUpTo, indexFault(err)
}

func (v Vectors) index(s tenants.Scope, model string) (vectorize.Index, error) {
	if err := s.Check(); err != nil {
		return vectorize.Index{}, err
	}
	return v.of(model)
}

func (v Vectors) of(model string) (vectorize.Index, error) {
	m, err := llm.FindEmbedding(model)
	if err != nil {
		return vectorize.Index{}, err
	}
	ix, ok := v.indexes[m.Name]
	if !ok {
		return ix, fault.New(fault.Internal, "index_unknown", "this deployment has no index for "+model, nil)
	}
	return ix, nil
}

// indexFault names what the index did not do. What it refused it will refuse again; anything else may pass.
func indexFault(err error) error {
	var thrown *isolate.JSError
	if errors.As(err, &thrown) {
		if code := indexCode(thrown.Message); slices.Contains(refusals, code) {
			return fault.New(fault.Invalid, "index_refused", "the vector index refused the call (code "+strconv.Itoa(code)+")", err)
		}
	}
	if err == nil {
		return nil
	}
	return fault.Unavailablef(err, "index_unavailable", "the vector index did not answer")
}
