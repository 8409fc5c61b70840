package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// Vectors is an index with exact search.
type Vectors struct {
	Hooks
	// Lag is how long a write stays invisible. A test with a clock of its own sees a write when the clock says so.
	Lag time.Duration

	now    func() time.Time
	mu     sync.Mutex
	spaces map[string]map[string]stored // by model and namespace, then id
	log    []mutation                   // writes that are not visible yet, oldest first
}

var _ corpus.Vectors = (*Vectors)(nil)

type stored struct {
	values   []float32
	metadata []byte // JSON, as the index keeps it
}

type mutation struct {
	at    time.Time
	space string
	id    string
	put   *stored // nil removes
}

// NewVectors makes an index that tells the time by now.
func NewVectors(now func() time.Time) *Vectors {
	return &Vectors{now: now, spaces: map[string]map[string]stored{}}
}

// maxVectorID is how long an id may be: https://developers.cloudflare.com/vectorize/platform/limits/.
const maxVectorID = 64

func space(s tenants.Scope, model string) string { return model + "\x00" + s.Namespace() }

// Upsert implements corpus.Vectors.
func (x *Vectors) Upsert(_ context.Context, s tenants.Scope, model string, vs []corpus.Vector) error {
	return x.do(s, "upsert", func() error {
		if err := checkCount(len(vs)); err != nil {
			return err
		}
		writes := make([]mutation, len(vs))
		for i, v := range vs {
			put, err := check(model, v)
			if err != nil {
				return fmt.Errorf("vector %d: %w", i, err)
			}
			writes[i] = mutation{space: space(s, model), id: v.ID, put: put}
		}
		return x.write(writes)
	})
}

// Delete implements corpus.Vectors.
func (x *Vectors) Delete(_ context.Context, s tenants.Scope, model string, ids []string) error {
	return x.do(s, "delete", func() error {
		if _, err := llm.FindEmbedding(model); err != nil {
			return err
		}
		if err := checkCount(len(ids)); err != nil {
			return err
		}
		writes := make([]mutation, len(ids))
		for i, id := range ids {
			writes[i] = mutation{space: space(s, model), id: id}
		}
		return x.write(writes)
	})
}

func checkCount(n int) error {
	if n < 1 || n > corpus.MaxWrite {
		return fault.Invalidf("", "vectors_count", "%d in one call; 1 to %d are allowed", n, corpus.MaxWrite)
	}
	return nil
}

func check(model string, v corpus.Vector) (*stored, error) {
	m, err := llm.FindEmbedding(model)
	if err != nil {
		return nil, err
	}
	if v.ID == "" || len(v.ID) > maxVectorID {
		return nil, fault.Invalidf("id", "vector_id", "%d bytes; 1 to %d are allowed", len(v.ID), maxVectorID)
	}
	if err := checkValues(v.Values, m.Dimensions); err != nil {
		return nil, err
	}
	meta, err := json.Marshal(v.Metadata)
	if err != nil {
		return nil, fault.New(fault.Invalid, "metadata_invalid", "not JSON", err)
	}
	if len(meta) > corpus.MaxMetadata {
		return nil, fault.Invalidf("metadata", "metadata_too_large", "%d bytes of %d", len(meta), corpus.MaxMetadata)
	}
	return &stored{values: slices.Clone(v.Values), metadata: meta}, nil
}

func checkValues(values []float32, dimensions int) error {
	if len(values) != dimensions {
		return fault.Invalidf("values", "vector_dimensions", "%d instead of %d", len(values), dimensions)
	}
	for _, f := range values {
		if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
			return fault.Invalidf("values", "vector_values", "not all are finite")
		}
	}
	return nil
}

func (x *Vectors) write(ms []mutation) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.now()
	for i := range ms {
		ms[i].at = now
	}
	x.log = append(x.log, ms...)
	x.settle()
	return nil
}

// settle makes visible what is old enough.
func (x *Vectors) settle() {
	due := x.now().Add(-x.Lag)
	n := 0
	for _, m := range x.log {
		if m.at.After(due) {
			break
		}
		n++
		if m.put == nil {
			delete(x.spaces[m.space], m.id)
			continue
		}
		if x.spaces[m.space] == nil {
			x.spaces[m.space] = map[string]stored{}
		}
		x.spaces[m.space][m.id] = *m.put
	}
	x.log = slices.Delete(x.log, 0, n)
}

// Stored implements corpus.Vectors.
func (x *Vectors) Stored(_ context.Context, s tenants.Scope, model string, ids []string) (n int, err error) {
	err = x.do(s, "stored", func() error {
		if _, err := llm.FindEmbedding(model); err != nil {
			return err
		}
		if err := checkCount(len(ids)); err != nil {
			return err
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.settle()
		for _, id := range ids {
			if _, ok := x.spaces[space(s, model)][id]; ok {
				n++
			}
		}
		return nil
	})
	return n, err
}

// Query implements corpus.Vectors.
func (x *Vectors) Query(_ context.Context, s tenants.Scope, model string, q corpus.VectorQuery) (matches []corpus.Match, err error) {
	err = x.do(s, "query", func() error {
		m, err := llm.FindEmbedding(model)
		if err != nil {
			return err
		}
		if q.TopK < 1 || q.TopK > corpus.MaxTopK {
			return fault.Invalidf("topK", "top_k_invalid", "%d is not between 1 and %d", q.TopK, corpus.MaxTopK)
		}
		if err := checkValues(q.Values, m.Dimensions); err != nil {
			return err
		}
		f, err := parseFilter(q.Filter)
		if err != nil {
			return err
		}
		matches, err = x.search(space(s, model), q, f)
		return err
	})
	return matches, err
}

func (x *Vectors) search(space string, q corpus.VectorQuery, f filter) ([]corpus.Match, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.settle()
	var matches []corpus.Match
	for id, v := range x.spaces[space] {
		if len(f) > 0 {
			var fields map[string]any
			if err := json.Unmarshal(v.metadata, &fields); err != nil {
				return nil, fault.New(fault.Internal, "metadata_stored", id, err)
			}
			if !f.matches(fields) {
				continue
			}
		}
		matches = append(matches, corpus.Match{ID: id, Score: cosine(q.Values, v.values)})
	}
	slices.SortFunc(matches, func(a, b corpus.Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	matches = matches[:min(q.TopK, len(matches))]
	for i := range matches {
		if err := json.Unmarshal(x.spaces[space][matches[i].ID].metadata, &matches[i].Metadata); err != nil {
			return nil, fault.New(fault.Internal, "metadata_stored", matches[i].ID, err)
		}
	}
	return matches, nil
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return dot / math.Sqrt(aa*bb)
}

// Processed implements corpus.Vectors.
func (x *Vectors) Processed(_ context.Context, model string) (at time.Time, err error) {
	err = x.run("processed", func() error {
		if _, err := llm.FindEmbedding(model); err != nil {
			return err
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.settle()
		at = x.now()
		if len(x.log) > 0 {
			at = x.log[0].at.Add(-1)
		}
		return nil
	})
	return at, err
}

// IDs is every vector of a tenant that is visible, in order.
func (x *Vectors) IDs(s tenants.Scope, model string) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.settle()
	return slices.Sorted(maps.Keys(x.spaces[space(s, model)]))
}
