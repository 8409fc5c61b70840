package corpustest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// TestVectors checks the promises of corpus.Vectors with one model. The adapter has to tell the time by a clock that
// runs as time.Now does, and its index has to know that searches filter on docId, source and the number meta.year.
func TestVectors(t *testing.T, model llm.EmbeddingModel, newVectors func(t *testing.T) corpus.Vectors) {
	acme, globex := tenantstest.Two(t)
	start := func(t *testing.T) *space {
		return &space{t: t, x: newVectors(t), model: model, doc: tenantstest.Fresh(t, "doc-")}
	}
	t.Run("the nearest come first, with what was written", func(t *testing.T) {
		sp := start(t)
		sp.upsert(acme, sp.vector(acme, 0, 0), sp.vector(acme, 1, 0.3), sp.vector(acme, 2, 1.2))
		got := sp.query(acme, 0.1, 2)
		require.Len(t, got, 2)
		assert.Equal(t, []int{0, 1}, chunks(got))
		assert.InDelta(t, math.Cos(0.1), got[0].Score, 1e-3)
		assert.InDelta(t, math.Cos(0.2), got[1].Score, 1e-3)
		assert.Equal(t, sp.vector(acme, 0, 0).Metadata, got[0].Metadata)
		assert.Equal(t, sp.vector(acme, 0, 0).ID, got[0].ID)
	})
	t.Run("a tenant finds its own", func(t *testing.T) {
		sp := start(t)
		sp.upsert(acme, sp.vector(acme, 0, 0))
		sp.upsert(globex, sp.vector(globex, 1, 0))
		assert.Equal(t, []int{0}, chunks(sp.query(acme, 0, 10)))
		assert.Equal(t, []int{1}, chunks(sp.query(globex, 0, 10)))
	})
	t.Run("the same id replaces", func(t *testing.T) {
		sp := start(t)
		sp.upsert(acme, sp.vector(acme, 0, 1))
		v := sp.vector(acme, 0, 0)
		v.Metadata.Text = "newer"
		sp.upsert(acme, v)
		got := sp.query(acme, 0, 10)
		require.Len(t, got, 1)
		assert.Equal(t, "newer", got[0].Metadata.Text)
		assert.InDelta(t, 1, got[0].Score, 1e-3)
	})
	t.Run("what is deleted is gone, and may be deleted again", func(t *testing.T) {
		sp := start(t)
		sp.upsert(acme, sp.vector(acme, 0, 0), sp.vector(acme, 1, 0.5))
		ids := []string{sp.vector(acme, 0, 0).ID, corpus.VectorID(acme, tenantstest.Fresh(t, "none-"), 1, 1)}
		for range 2 {
			require.NoError(t, sp.x.Delete(t.Context(), acme, model.Name, ids))
			sp.settle()
			assert.Equal(t, []int{1}, chunks(sp.query(acme, 0, 10)))
		}
	})
	t.Run("what is stored can be asked for by id", func(t *testing.T) {
		sp := start(t)
		var vs []corpus.Vector
		var ids []string
		for i := range 45 { // more than one call of the binding takes
			vs = append(vs, sp.vector(acme, i, float64(i)/100))
			ids = append(ids, vs[i].ID)
		}
		sp.upsert(acme, vs[:43]...)
		stored := func(s tenants.Scope, ids []string) int {
			n, err := sp.x.Stored(t.Context(), s, model.Name, ids)
			require.NoError(t, err)
			return n
		}
		assert.Equal(t, 43, stored(acme, ids))
		assert.Zero(t, stored(globex, ids), "another's")
		require.NoError(t, sp.x.Delete(t.Context(), acme, model.Name, ids[:41]))
		sp.settle()
		assert.Equal(t, 2, stored(acme, ids))
		_, err := sp.x.Stored(t.Context(), acme, model.Name, nil)
		invalid(t, err)
	})
	t.Run("a filter lets pass what meets all of it", func(t *testing.T) {
		sp := start(t)
		var vs []corpus.Vector
		for i := range 6 {
			v := sp.vector(acme, i, float64(i)/10)
			v.Metadata.Source = string(rune('a' + i%3))
			v.Metadata.Meta = map[string]any{"year": float64(i)}
			vs = append(vs, v)
		}
		sp.upsert(acme, vs...)
		for filter, want := range map[string][]int{
			`{"source":"a"}`:                               {0, 3},
			`{"source":{"$eq":"a"}}`:                       {0, 3},
			`{"source":{"$ne":"a"}}`:                       {1, 2, 4, 5},
			`{"source":{"$in":["a","b"]}}`:                 {0, 1, 3, 4},
			`{"source":{"$nin":["a","b"]}}`:                {2, 5},
			`{"meta.year":{"$gte":2,"$lt":5}}`:             {2, 3, 4},
			`{"meta.year":{"$gt":2},"source":{"$eq":"a"}}`: {3},
			`{"meta.year":{"$lte":1}}`:                     {0, 1},
			`{"source":"none"}`:                            {},
		} {
			assert.Equal(t, want, chunks(sp.filtered(acme, 0, 10, filter)), filter)
		}
	})
	t.Run("a filter that is none is refused", func(t *testing.T) {
		sp := start(t)
		for _, filter := range []string{`[]`, `"x"`, `{"source":{"$or":[1]}}`, `{"source":{"$in":"a"}}`, `{"source":"` + strings.Repeat("x", 2048) + `"}`} {
			_, err := sp.x.Query(t.Context(), acme, model.Name, corpus.VectorQuery{Values: sp.values(0), TopK: 1, Filter: json.RawMessage(filter)})
			assert.Equal(t, fault.Invalid, fault.KindOf(err), "%.40s: %v", filter, err)
		}
	})
	t.Run("a full write passes, what is too much is refused whole", func(t *testing.T) {
		sp := start(t)
		vs := make([]corpus.Vector, corpus.MaxWrite+1)
		ids := make([]string, len(vs))
		for i := range vs {
			vs[i] = sp.vector(acme, i, float64(i)/1000)
			ids[i] = vs[i].ID
		}
		invalid(t, sp.x.Upsert(t.Context(), acme, model.Name, vs))
		assert.Empty(t, sp.query(acme, 0, 50))
		sp.upsert(acme, vs[:corpus.MaxWrite]...)
		assert.Len(t, sp.query(acme, 0, 50), 50)
		invalid(t, sp.x.Delete(t.Context(), acme, model.Name, ids))
		require.NoError(t, sp.x.Delete(t.Context(), acme, model.Name, ids[:corpus.MaxWrite]))
		sp.settle()
		assert.Empty(t, sp.query(acme, 0, 50))
	})
	t.Run("what the index does not take is refused", func(t *testing.T) {
		sp := start(t)
		short := sp.vector(acme, 0, 0)
		short.Values = short.Values[1:]
		long := sp.vector(acme, 0, 0)
		long.ID = strings.Repeat("x", 65)
		fat := sp.vector(acme, 0, 0)
		fat.Metadata.Text = strings.Repeat("x", corpus.MaxMetadata)
		for _, v := range []corpus.Vector{short, long, fat} {
			invalid(t, sp.x.Upsert(t.Context(), acme, model.Name, []corpus.Vector{v}))
		}
		for _, k := range []int{0, 51} {
			_, err := sp.x.Query(t.Context(), acme, model.Name, corpus.VectorQuery{Values: sp.values(0), TopK: k})
			invalid(t, err)
		}
		_, err := sp.x.Query(t.Context(), acme, model.Name, corpus.VectorQuery{Values: sp.values(0)[1:], TopK: 1})
		invalid(t, err)
		invalid(t, sp.x.Upsert(t.Context(), acme, "no/model", []corpus.Vector{sp.vector(acme, 0, 0)}))
	})
	t.Run("the largest metadata passes", func(t *testing.T) {
		sp := start(t)
		v := sp.vector(acme, 0, 0)
		v.Metadata.Text = strings.Repeat("água <b> \"x\"\n", corpus.MaxMetadata/10)
		m, err := corpus.FitMetadata(v.Metadata)
		require.NoError(t, err)
		require.True(t, m.Cut)
		v.Metadata = m
		sp.upsert(acme, v)
		got := sp.query(acme, 0, 1)
		require.Len(t, got, 1)
		assert.Equal(t, m, got[0].Metadata)
	})
	t.Run("nobody's call is refused", func(t *testing.T) {
		sp := start(t)
		none := tenants.Scope{}
		assert.ErrorIs(t, sp.x.Upsert(t.Context(), none, model.Name, []corpus.Vector{sp.vector(acme, 0, 0)}), tenants.ErrNoScope)
		assert.ErrorIs(t, sp.x.Delete(t.Context(), none, model.Name, []string{"x"}), tenants.ErrNoScope)
		_, err := sp.x.Stored(t.Context(), none, model.Name, []string{"x"})
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		_, err = sp.x.Query(t.Context(), none, model.Name, corpus.VectorQuery{Values: sp.values(0), TopK: 1})
		assert.ErrorIs(t, err, tenants.ErrNoScope)
	})
}

func invalid(t *testing.T, err error) {
	t.Helper()
	assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
}

// space is an index in which a test has one document of its own. Queries see only that, so what other runs have left
// does not matter.
type space struct {
	t     *testing.T
	x     corpus.Vectors
	model llm.EmbeddingModel
	doc   string
}

// values is a vector of unit length at an angle from the first.
func (sp *space) values(angle float64) []float32 {
	v := make([]float32, sp.model.Dimensions)
	v[0], v[1] = float32(math.Cos(angle)), float32(math.Sin(angle))
	return v
}

func (sp *space) vector(s tenants.Scope, chunk int, angle float64) corpus.Vector {
	return corpus.Vector{
		ID: corpus.VectorID(s, sp.doc, 1, chunk), Values: sp.values(angle),
		Metadata: corpus.Metadata{
			DocID: sp.doc, Generation: 1, Chunk: chunk, Start: 10 * chunk, End: 10*chunk + 9, Text: fmt.Sprintf("água %d", chunk),
			Heading: "A > B", Source: "suite", Meta: map[string]any{"year": 2026.0, "tags": []any{"x", "y"}},
		},
	}
}

func (sp *space) upsert(s tenants.Scope, vs ...corpus.Vector) {
	sp.t.Helper()
	require.NoError(sp.t, sp.x.Upsert(sp.t.Context(), s, sp.model.Name, vs))
	sp.settle()
}

// settle waits until what was written is visible. Processed may be the time of the last write that is visible, which
// stays before now until somebody writes again; so something is written, beside what the test looks at, until then.
func (sp *space) settle() {
	sp.t.Helper()
	written := time.Now()
	acme, _ := tenantstest.Two(sp.t)
	mark := sp.vector(acme, -1, math.Pi)
	mark.Metadata.DocID += "-mark"
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		require.NoError(sp.t, sp.x.Upsert(sp.t.Context(), acme, sp.model.Name, []corpus.Vector{mark}))
		at, err := sp.x.Processed(sp.t.Context(), sp.model.Name)
		require.NoError(sp.t, err)
		if !at.Before(written) {
			return
		}
		select {
		case <-tick.C:
		case <-sp.t.Context().Done():
			sp.t.Fatal("the writes never became visible")
		}
	}
}

func (sp *space) query(s tenants.Scope, angle float64, topK int) []corpus.Match {
	sp.t.Helper()
	return sp.filtered(s, angle, topK, `{}`)
}

// filtered queries the test's own document with more conditions.
func (sp *space) filtered(s tenants.Scope, angle float64, topK int, filter string) []corpus.Match {
	sp.t.Helper()
	conditions := map[string]any{}
	require.NoError(sp.t, json.Unmarshal([]byte(filter), &conditions))
	conditions["docId"] = sp.doc
	raw, err := json.Marshal(conditions)
	require.NoError(sp.t, err)
	got, err := sp.x.Query(sp.t.Context(), s, sp.model.Name, corpus.VectorQuery{Values: sp.values(angle), TopK: topK, Filter: raw})
	require.NoError(sp.t, err)
	return got
}

func chunks(ms []corpus.Match) []int {
	out := []int{}
	for _, m := range ms {
		out = append(out, m.Metadata.Chunk)
	}
	return out
}
