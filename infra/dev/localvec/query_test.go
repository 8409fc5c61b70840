package localvec

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/devtest"
)

// TestNamespaces: a tenant's query never sees the other's vectors, whatever else
// it asks for, and a query without a namespace sees all.
func TestNamespaces(t *testing.T) {
	c := open(t, devtest.Dir(t), Options{})
	for _, tenant := range []string{"acme", "globex"} {
		for i := range 30 {
			c.write("upsert", item{id: fmt.Sprint(tenant, i), namespace: tenant, values: []float32{1, float32(i)}, metadata: map[string]any{"kind": "doc", "owner": tenant}})
		}
	}
	for _, tenant := range []string{"acme", "globex"} {
		for _, options := range []map[string]any{
			{"topK": 100},
			{"topK": 50, "returnMetadata": "all", "returnValues": true},
			{"topK": 100, "filter": map[string]any{"kind": "doc"}},
			{"topK": 100, "vectorId": "acme1"},
		} {
			options["namespace"] = tenant
			vector := []float32{1, 0}
			if options["vectorId"] != nil {
				vector = nil
			}
			matches := c.query(vector, options)
			assert.Len(t, matches, 30)
			for _, m := range matches {
				assert.Equal(t, tenant, m.Namespace)
				assert.True(t, strings.HasPrefix(m.ID, tenant), m.ID)
			}
		}
	}
	assert.Len(t, c.query([]float32{1, 0}, map[string]any{"topK": 100}), 60)
	assert.Empty(t, c.query([]float32{1, 0}, map[string]any{"namespace": "nobody"}))

	c.write("upsert", item{id: "acme0", namespace: "globex", values: []float32{1, 0}})
	assert.Len(t, c.query([]float32{1, 0}, map[string]any{"namespace": "acme", "topK": 100}), 29, "a vector is in one namespace only")
}

// TestSearchIsExact compares with a plain loop, through inserts, replacements and
// removals over several blocks.
func TestSearchIsExact(t *testing.T) {
	const dimensions = 33
	for _, metric := range []Metric{Cosine, Euclidean, DotProduct} {
		t.Run(string(metric), func(t *testing.T) {
			c := open(t, devtest.Dir(t), Options{Indexes: map[string]Index{"docs": {Dimensions: dimensions, Metric: metric}}})
			kept := map[string][]float32{}
			for round := range 4 {
				var items []item
				for i, v := range random(uint64(round), maxBatch, dimensions) {
					id := fmt.Sprint(round*700 + i)
					items = append(items, item{id: id, values: v})
					kept[id] = v
				}
				c.write("upsert", items...)
				for i := range 50 {
					id := fmt.Sprint(round*700 + 13*i)
					c.remove(id)
					delete(kept, id)
				}
			}
			require.Equal(t, len(kept), c.describe().VectorCount)
			for _, q := range random(99, 10, dimensions) {
				want := make([]Match, 0, len(kept))
				for id, v := range kept {
					want = append(want, Match{ID: id, Score: plainScore(metric, q, v)})
				}
				slices.SortFunc(want, func(a, b Match) int {
					if metric == Cosine {
						a, b = b, a
					}
					return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.ID, b.ID))
				})
				got := c.query(q, map[string]any{"topK": 50, "returnValues": true})
				for i, m := range got {
					assert.Equal(t, want[i].ID, m.ID)
					assert.InDelta(t, want[i].Score, m.Score, 1e-4)
					assert.Equal(t, kept[m.ID], m.values)
				}
			}
		})
	}
}

func plainScore(metric Metric, a, b []float32) float64 {
	var product, aa, bb, distance float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		product, aa, bb, distance = product+x*y, aa+x*x, bb+y*y, distance+(x-y)*(x-y)
	}
	switch metric {
	case Euclidean:
		return math.Sqrt(distance)
	case DotProduct:
		return -product
	default:
		return product / math.Sqrt(aa*bb)
	}
}

func TestFilters(t *testing.T) {
	c := open(t, devtest.Dir(t), Options{})
	for id, metadata := range map[string]any{
		"a": map[string]any{"kind": "doc", "n": 1, "on": true, "deep": map[string]any{"er": "x"}},
		"b": map[string]any{"kind": "note", "n": 2, "on": false},
		"c": map[string]any{"kind": "doc", "n": 3.5},
		"d": map[string]any{"kind": 7, "n": "many"}, // of the wrong types: not indexed
		"e": nil,
		"f": map[string]any{"kind": strings.Repeat("é", 40)},
	} {
		c.write("upsert", item{id: id, values: []float32{1, 0}, metadata: metadata})
	}
	type object = map[string]any
	for name, row := range map[string]struct {
		filter object
		want   string
	}{
		"equal":             {object{"kind": "doc"}, "ac"},
		"$eq":               {object{"kind": object{"$eq": "note"}}, "b"},
		"another type":      {object{"n": "1"}, ""},
		"$ne":               {object{"kind": object{"$ne": "doc"}}, "bdef"},
		"$in":               {object{"n": object{"$in": []any{1, 2, "many"}}}, "ab"},
		"$nin":              {object{"n": object{"$nin": []any{1, 2}}}, "cdef"},
		"$lt":               {object{"n": object{"$lt": 3.5}}, "ab"},
		"$lte":              {object{"n": object{"$lte": 3.5}}, "abc"},
		"$gt":               {object{"n": object{"$gt": 1}}, "bc"},
		"range":             {object{"n": object{"$gte": 1, "$lt": 3}}, "ab"},
		"text range":        {object{"kind": object{"$gte": "e", "$lt": "p"}}, "b"},
		"boolean":           {object{"on": false}, "b"},
		"and":               {object{"kind": "doc", "on": true}, "a"},
		"nested":            {object{"deep.er": "x"}, "a"},
		"missing":           {object{"on": nil}, "cdef"},
		"present":           {object{"on": object{"$ne": nil}}, "ab"},
		"first 64 bytes":    {object{"kind": strings.Repeat("é", 32)}, "f"},
		"cut like the data": {object{"kind": strings.Repeat("é", 39)}, "f"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, row.want, strings.Join(c.ids([]float32{1, 0}, object{"topK": 100, "filter": row.filter}), ""))
		})
	}
	indexed := c.query([]float32{1, 0}, object{"topK": 100, "returnMetadata": "indexed"})
	assert.JSONEq(t, `{"kind":"doc","n":1,"on":true,"deep":{"er":"x"}}`, string(indexed[0].Metadata))
	assert.Empty(t, indexed[3].Metadata)
	assert.JSONEq(t, `{"kind":"`+strings.Repeat("é", 32)+`"}`, string(indexed[5].Metadata))
}

func TestInsertKeepsAndUpsertReplaces(t *testing.T) {
	c := open(t, devtest.Dir(t), Options{})
	c.write("insert", item{id: "a", values: []float32{1, 0}, metadata: map[string]any{"v": 1}})
	c.write("insert", item{id: "a", values: []float32{0, 1}, metadata: map[string]any{"v": 2}}, item{id: "b", values: []float32{0, 1}})
	get := func() (vectors []struct {
		ID       string
		Metadata map[string]int
	}, values []float32) {
		w := c.call("getByIds", map[string]any{"ids": []string{"b", "a", "none"}})
		require.Equal(t, http.StatusOK, w.Code)
		values = c.unframe(w.Body, &vectors)
		return
	}
	vectors, values := get()
	assert.Equal(t, []float32{0, 1, 1, 0}, values)
	assert.Equal(t, 1, vectors[1].Metadata["v"])
	c.write("upsert", item{id: "a", values: []float32{0, 1}})
	vectors, values = get()
	assert.Equal(t, []float32{0, 1, 0, 1}, values)
	assert.Empty(t, vectors[1].Metadata)
	assert.Equal(t, 2, c.describe().VectorCount)
	c.remove("a", "none")
	assert.Equal(t, []string{"b"}, c.ids([]float32{1, 1}, nil))
}

func TestZeroVectors(t *testing.T) {
	c := open(t, devtest.Dir(t), Options{})
	c.write("upsert", item{id: "zero", values: []float32{0, 0}}, item{id: "one", values: []float32{1, 0}})
	matches := c.query([]float32{1, 0}, nil)
	assert.Equal(t, "one", matches[0].ID)
	assert.Zero(t, matches[1].Score)
	w := c.call("query", json.RawMessage(`{}`), []float32{0, 0})
	assert.Equal(t, http.StatusOK, w.Code)
}
