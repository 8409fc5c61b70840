package localvec

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/devtest"
)

// TestSketchesChangeNoAnswer compares search, which reads few vectors' numbers, with
// the scores of all of them: the same ids in the same order with the same bits, for
// vectors chosen to break it. Rows come, change and go, in two namespaces.
func TestSketchesChangeNoAnswer(t *testing.T) {
	for _, metric := range []Metric{Cosine, Euclidean, DotProduct} {
		for _, dimensions := range []int{1, 3, 32, 33, 100, 1536} {
			t.Run(fmt.Sprint(metric, dimensions), func(t *testing.T) {
				c := open(t, devtest.Dir(t), Options{Indexes: map[string]Index{"docs": {
					Dimensions: dimensions, Metric: metric, Properties: map[string]Kind{"n": Number}}}})
				source := rand.New(rand.NewPCG(uint64(dimensions), 5))
				total := 3000
				if dimensions > 100 {
					total = 1200
				}
				vectors := adversarial(source, total, dimensions)
				for from := 0; from < total; from += 500 {
					var items []item
					for i, v := range vectors[from:min(from+500, total)] {
						n := from + i
						items = append(items, item{id: fmt.Sprint(n * 7 % 1000), namespace: fmt.Sprint("of", n%2), metadata: map[string]any{"n": n % 3}, values: v})
					}
					c.write("upsert", items...)
					c.remove(fmt.Sprint(from%1000+1), fmt.Sprint(from%1000+8))
				}
				ix := c.store.indexes["docs"]
				for _, v := range adversarial(source, 20, dimensions) {
					for _, topK := range []int{1, 10, 100} {
						sameAsPlain(t, ix, query{vector: v, topK: topK})
						sameAsPlain(t, ix, query{vector: v, topK: topK, namespace: "of1"})
						sameAsPlain(t, ix, query{vector: v, topK: topK, namespace: "of0", tests: []test{{operator: "$eq", values: []value{{kind: Number, number: 2}}}}})
					}
				}
			})
		}
	}
}

// sameAsPlain also checks every vector's bound: an answer alone shows few of them.
func sameAsPlain(t testing.TB, ix *index, q query) {
	score, probe := ix.scorer(q.vector), ix.probe(q.vector)
	var hits []hit
	for name, s := range ix.spaces {
		for slot, r := range s.rows {
			if (q.namespace == "" || q.namespace == name) && passes(q.tests, r.indexed) {
				h := hit{score(s.vector(slot), s.sketches[slot].inverse), s, slot}
				hits = append(hits, h)
				for kernel, product := range map[string]func([]int8, []int16) int32{"chosen": product, "portable": portable} {
					ceiling := probe.ceiling(&s.sketches[slot], product(s.codes(slot), probe.codes))
					require.False(t, ceiling < float64(h.score), "%s kernel: the bound of %v and %v is %v, the score %v", kernel, q.vector, s.vector(slot), ceiling, h.score)
				}
			}
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id(), b.id()))
	})
	got := ix.search(q)
	require.Len(t, got, min(q.topK, len(hits)))
	for i, m := range got {
		want := ix.match(hits[i], q)
		require.Equal(t, want.ID, m.ID, "match %d of %v", i, q.vector)
		require.Equal(t, math.Float64bits(want.Score), math.Float64bits(m.Score), "match %d of %v", i, q.vector)
	}
}

// adversarial answers vectors of kinds that bounds fail on, in a random order: many
// equal or nearly so, zeros, single spikes, the largest and smallest numbers there
// are, numbers that code to nothing beside a large one.
func adversarial(source *rand.Rand, n, dimensions int) [][]float32 {
	normal := func(scale float64) []float32 {
		v := make([]float32, dimensions)
		for i := range v {
			v[i] = float32(scale * source.NormFloat64())
		}
		return v
	}
	base := random(1, 1, dimensions)[0]
	out := make([][]float32, n)
	for i := range out {
		v := normal(1)
		switch source.IntN(12) {
		case 0:
			copy(v, base)
		case 1: // nearly the base: scores that differ in the last bits
			copy(v, base)
			j := source.IntN(dimensions)
			v[j] = math.Nextafter32(v[j], float32(source.NormFloat64()))
		case 2:
			for j := range v {
				v[j] = base[j] * float32(math.Ldexp(1, source.IntN(4)))
			}
		case 3:
			clear(v)
		case 4:
			clear(v)
			v[source.IntN(dimensions)] = float32(source.IntN(3) - 1)
		case 5: // up to where squares overflow, and down to where they vanish
			v = normal(math.Pow(10, float64(source.IntN(70)-40)))
		case 6:
			for j := range v {
				v[j] = float32(math.Copysign(math.MaxFloat32, source.NormFloat64()))
			}
		case 7:
			for j := range v {
				v[j] = math.SmallestNonzeroFloat32 * float32(source.IntN(5)-2)
			}
		case 8: // one number hides the others
			v[source.IntN(dimensions)] = 1e4
		case 9: // all codes at their most
			for j := range v {
				v[j] = float32(math.Copysign(3, source.NormFloat64()))
			}
		case 10: // halfway between two codes
			for j := range v {
				v[j] = float32(source.IntN(254)-127) + 0.5
			}
			v[0] = 127
		}
		out[i] = v
	}
	return out
}

// FuzzSketchesChangeNoAnswer reads a dozen small vectors and a query from bytes.
func FuzzSketchesChangeNoAnswer(f *testing.F) {
	f.Add(uint8(0), []byte("any bytes are numbers, and any numbers are vectors"))
	f.Add(uint8(1), []byte{0, 0, 0x80, 0x3f, 0xff, 0xff, 0x7f, 0x7f, 1, 0, 0, 0, 0, 0, 0, 0x80})
	f.Add(uint8(2), []byte{0x5f, 0x70, 0x89, 0x2b, 0x60, 0x70, 0x89, 0x2b, 0xa5, 0xd4, 0x68, 0x53})
	f.Fuzz(func(t *testing.T, kind uint8, raw []byte) {
		const dimensions = 5
		numbers := readFloats(raw)
		if !finite(numbers) {
			return
		}
		metric := []Metric{Cosine, Euclidean, DotProduct}[kind%3]
		ix := &index{config: Index{Dimensions: dimensions, Metric: metric}, spaces: map[string]*space{}, places: map[string]place{}}
		vector0 := make([]float32, dimensions)
		copy(vector0, numbers)
		for n := 0; n < len(numbers); n++ {
			values := make([]float32, dimensions)
			copy(values, numbers[n:])
			ix.put(vector{id: fmt.Sprint(n), values: values})
		}
		for k := 1; k <= 3; k++ {
			sameAsPlain(t, ix, query{vector: vector0, topK: k})
		}
	})
}

// TestKernelsAgree: the codes' product is a whole number, the same everywhere.
func TestKernelsAgree(t *testing.T) {
	source := rand.New(rand.NewPCG(7, 7))
	for _, n := range []int{32, 64, 1024, 1536} {
		most := min(math.MaxInt16, math.MaxInt32/(codeMost*n))
		for _, spread := range []int{1, codeMost} {
			codes, query := make([]int8, n), make([]int16, n)
			for i := range codes {
				codes[i], query[i] = int8(spread), int16(most)
				if spread == 1 {
					codes[i], query[i] = int8(source.IntN(255)-127), int16(source.IntN(2*most+1)-most)
				}
			}
			want := 0
			for i, c := range codes {
				want += int(c) * int(query[i])
			}
			assert.Equal(t, want, int(product(codes, query)))
			assert.Equal(t, want, int(portable(codes, query)))
		}
	}
}
