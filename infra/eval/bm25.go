package eval

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/kljensen/snowball/english"
)

// BM25 ranks whole documents as Lucene does out of the box (k1 0.9, b 0.4, English stems and stop words, title and text as one). It
// shares nothing with the platform: it is what the platform is compared with.
type BM25 struct {
	names    []string
	postings map[string][]posting
	lengths  []float64
	average  float64
}

type posting struct {
	document int
	times    float64
}

// NewBM25 indexes documents.
func NewBM25(docs []Document) *BM25 {
	x := &BM25{postings: map[string][]posting{}}
	for i, d := range docs {
		counts := map[string]float64{}
		words := luceneTerms(d.Title + " " + d.Text)
		for _, w := range words {
			counts[w]++
		}
		for w, n := range counts {
			x.postings[w] = append(x.postings[w], posting{i, n})
		}
		x.names, x.lengths = append(x.names, d.ID), append(x.lengths, float64(len(words)))
		x.average += float64(len(words)) / float64(len(docs))
	}
	return x
}

// Rank is the best documents for a question, best first.
func (x *BM25) Rank(question string, n int) []string {
	const k1, b = 0.9, 0.4
	scores := map[int]float64{}
	for _, w := range luceneTerms(question) {
		having := x.postings[w]
		all, df := float64(len(x.names)), float64(len(having))
		idf := math.Log(1 + (all-df+0.5)/(df+0.5))
		for _, p := range having {
			scores[p.document] += idf * p.times / (p.times + k1*(1-b+b*x.lengths[p.document]/x.average))
		}
	}
	found := make([]int, 0, len(scores))
	for d := range scores {
		found = append(found, d)
	}
	slices.SortFunc(found, func(a, b int) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
	var out []string
	for _, d := range found[:min(n, len(found))] {
		out = append(out, x.names[d])
	}
	return out
}

var luceneStops = func() map[string]bool {
	stops := map[string]bool{}
	for w := range strings.FieldsSeq("a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with") {
		stops[w] = true
	}
	return stops
}()

func luceneTerms(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
	out := words[:0]
	for _, w := range words {
		if !luceneStops[w] {
			out = append(out, english.Stem(w, true))
		}
	}
	return out
}
