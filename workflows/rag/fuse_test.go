package rag_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/rag"
)

func passage(doc string, chunk int, text string) corpus.Metadata {
	return corpus.Metadata{DocID: doc, Generation: 1, Chunk: chunk, Text: text}
}

func near(score float64, doc string) corpus.Match {
	return corpus.Match{ID: doc, Score: score, Metadata: passage(doc, 0, doc)}
}

func hit(score float64, doc string) corpus.Hit {
	return corpus.Hit{Passage: corpus.Passage{Metadata: passage(doc, 0, doc)}, Score: score}
}

func docs(cs []rag.Candidate) []string {
	out := []string{}
	for _, c := range cs {
		out = append(out, c.DocID)
	}
	return out
}

func TestFuseAddsWhatBothHalvesSay(t *testing.T) {
	cs := rag.Fuse(
		[]corpus.Match{near(0.8, "both"), near(0.7, "meaning"), near(0.3, "far")},
		corpus.Found{Most: 10, Hits: []corpus.Hit{hit(6, "both"), hit(5, "words")}}, nil)
	assert.Equal(t, []string{"both", "words", "meaning", "far"}, docs(cs))
	both, words := cs[0], cs[1]
	assert.True(t, both.InVectors && both.InWords)
	assert.Equal(t, [2]float64{0.8, 0.6}, [2]float64{both.Vector, both.Keyword})
	ordinary := 0.3 + (1-3.0/rag.FuseWindow)/2*(0.6-0.3) // the list is short: between the last and the mean
	assert.InDelta(t, 0.3*(0.8-ordinary)+0.7*0.6, both.Fused, 1e-12)
	assert.False(t, words.InVectors)
	assert.Zero(t, words.Vector)
}

func TestFuseOfOneHalfKeepsItsOrder(t *testing.T) {
	vectors := []corpus.Match{near(0.9, "c"), near(0.5, "a"), near(0.4, "b")}
	words := corpus.Found{Most: 9, Hits: []corpus.Hit{hit(4, "c"), hit(3, "a"), hit(1, "b")}}
	assert.Equal(t, []string{"c", "a", "b"}, docs(rag.Fuse(vectors, corpus.Found{}, nil)))
	assert.Equal(t, []string{"c", "a", "b"}, docs(rag.Fuse(nil, words, nil)))
	assert.Empty(t, rag.Fuse(nil, corpus.Found{}, nil))
	assert.Equal(t, []string{"a"}, docs(rag.Fuse([]corpus.Match{near(-0.2, "a")}, corpus.Found{}, nil)))
}

func TestFuseListensToTheHalfThatIsSure(t *testing.T) {
	words := corpus.Found{Most: 20, Hits: []corpus.Hit{hit(4, "w1"), hit(3.9, "w2")}}
	flat := []corpus.Match{near(0.50, "v1"), near(0.49, "v2")}
	assert.Equal(t, "w1", rag.Fuse(flat, words, nil)[0].DocID, "meanings that are all alike decide nothing")
	sure := []corpus.Match{near(0.95, "v1"), near(0.20, "v2")}
	assert.Equal(t, "v1", rag.Fuse(sure, words, nil)[0].DocID, "a meaning that stands out does")
	certain := corpus.Found{Most: 20, Hits: []corpus.Hit{hit(17, "w1")}}
	assert.Equal(t, "w1", rag.Fuse(sure, certain, nil)[0].DocID, "and words that are all there do more")
}

func TestFuseTellsTiesByName(t *testing.T) {
	cs := rag.Fuse(nil, corpus.Found{Most: 1, Hits: []corpus.Hit{hit(0.5, "b"), hit(0.5, "a"), hit(0.5, "c")}}, nil)
	assert.Equal(t, []string{"a", "b", "c"}, docs(cs))
}

// TestFuseProperties tries random halves.
func TestFuseProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var vectors []corpus.Match
		words := corpus.Found{Most: 1 + 20*r.Float64()}
		places := map[string]bool{}
		for i, score := 0, 1.0; i < r.IntN(20); i++ {
			score -= r.Float64() / 20
			doc := fmt.Sprint(i * 2)
			vectors, places[doc] = append(vectors, near(score, doc)), true
		}
		for i, score := 0, words.Most; i < r.IntN(20); i++ {
			score *= 1 - r.Float64()/5
			doc := fmt.Sprint(i * 3)
			words.Hits, places[doc] = append(words.Hits, hit(score, doc)), true
		}
		cs := rag.Fuse(vectors, words, nil)
		require.Len(t, cs, len(places), "each place once")
		for i, c := range cs {
			require.GreaterOrEqual(t, c.Fused, 0.0)
			require.LessOrEqual(t, c.Fused, 1.0)
			require.True(t, c.InVectors || c.InWords)
			if i > 0 {
				require.GreaterOrEqual(t, cs[i-1].Fused, c.Fused)
			}
		}
		scaled := corpus.Found{Most: words.Most * 7}
		for _, h := range words.Hits {
			h.Score *= 7
			scaled.Hits = append(scaled.Hits, h)
		}
		require.Equal(t, docs(cs), docs(rag.Fuse(vectors, scaled, nil)), "the scale of words does not matter")

		before := docs(cs)
		rag.RaiseAlike(cs, nil)
		require.ElementsMatch(t, before, docs(cs))
		if len(cs) > 0 {
			require.Equal(t, before[0], cs[0].DocID, "the best one stays")
		}
		for i, c := range cs {
			require.LessOrEqual(t, c.Fused, 1.0)
			require.True(t, i == 0 || cs[i-1].Fused >= c.Fused)
		}
	}
}

func TestRaiseAlikeRaisesWhatIsAboutTheSame(t *testing.T) {
	text := map[string]string{
		"best":  "The levada carries water from the laurel forest to the banana terraces.",
		"other": "The museum shows coins and stamps of the island from three centuries.",
		"same":  "From the laurel forest a levada leads water down to terraces of bananas.",
		"third": "Ferries to the neighbouring island leave at eight and at six.",
	}
	found := corpus.Found{Most: 10, Hits: []corpus.Hit{hit(5, "best"), hit(3, "other"), hit(2.9, "same"), hit(2.8, "third")}}
	for i := range found.Hits {
		found.Hits[i].Passage.Text = text[found.Hits[i].Passage.DocID]
	}
	cs := rag.Fuse(nil, found, nil)
	require.Equal(t, []string{"best", "other", "same", "third"}, docs(cs))
	rag.RaiseAlike(cs, nil)
	assert.Equal(t, []string{"best", "same", "other", "third"}, docs(cs))

	rag.RaiseAlike(nil, nil)
	empty := make([]rag.Candidate, 3)
	rag.RaiseAlike(empty, nil)
	assert.Zero(t, empty[0].DocID)
}

func TestSignaturesTellDuplicates(t *testing.T) {
	sentences := strings.Fields(strings.Repeat("the levada carries water from north to south and feeds terraces mills gardens villages ", 1) +
		"its path is walked by many who look for shade birds and views of valleys that end in the sea far below where boats wait for " +
		"the evening wind and fishermen mend nets beside white houses with red roofs under old dragon trees")
	text := strings.Join(sentences, " ")
	edited := strings.Replace(text, "white houses", "blue houses", 1)
	for _, tc := range []struct {
		why   string
		other string
		same  bool
	}{
		{"itself", text, true},
		{"case, marks and punctuation", strings.ToUpper(strings.ReplaceAll(text, " and", ", and")), true},
		{"a word changed", edited, true},
		{"a sentence added", text + " A notice was added at the end.", true},
		{"half of it", strings.Join(sentences[:len(sentences)/2], " "), false},
		{"the same words in another order", strings.Join(reversed(sentences), " "), false},
		{"another text", "Ferries leave at eight. Coffee is served on the upper deck from seven, and breakfast until ten.", false},
		{"nothing", "", false},
	} {
		like := rag.Sign(text).Resembles(rag.Sign(tc.other))
		assert.Equal(t, tc.same, like >= rag.Duplicate, "%s: %.2f", tc.why, like)
		assert.Equal(t, like, rag.Sign(tc.other).Resembles(rag.Sign(text)), "it is the same both ways")
	}
	year := text + " It was cut in 1836."
	assert.True(t, rag.Sign(year).Twins(rag.Sign(strings.ToUpper(year))))
	assert.False(t, rag.Sign(year).Twins(rag.Sign(text+" It was cut in 1863.")), "other numbers say something else")
	assert.False(t, rag.Sign("").Twins(rag.Sign("")))
	assert.Zero(t, rag.Sign("").Resembles(rag.Sign("")))
	assert.Equal(t, 1.0, rag.Sign("one").Resembles(rag.Sign("One!")))
}

func reversed(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[len(words)-1-i] = w
	}
	return out
}

func FuzzSignature(f *testing.F) {
	f.Add("a b c d", "水渠です คลอง")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := rag.Sign(a), rag.Sign(b)
		like := x.Resembles(y)
		require.True(t, like >= 0 && like <= 1)
		require.Equal(t, like, y.Resembles(x))
		if like > 0 {
			require.Equal(t, 1.0, x.Resembles(x))
			require.True(t, x.Twins(x))
		}
	})
}

// BenchmarkRaiseAlike reads 24 passages of 2 KB.
func BenchmarkRaiseAlike(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	cs := make([]rag.Candidate, 24)
	for i := range cs {
		var text strings.Builder
		for text.Len() < 2000 {
			fmt.Fprintf(&text, "word%d ", int(r.ExpFloat64()*200))
		}
		cs[i] = rag.Candidate{Metadata: passage(fmt.Sprint(i), 0, text.String())}
	}
	b.ReportAllocs()
	for b.Loop() {
		rag.RaiseAlike(cs, nil)
	}
}

func BenchmarkSign(b *testing.B) {
	text := strings.Repeat("Each levada is a narrow channel that carries water. ", 40)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		rag.Sign(text)
	}
}
