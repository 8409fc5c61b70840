package rag

import (
	"cmp"
	"math"
	"slices"

	"levada.dev/workflows/corpus/terms"
)

// RaiseAlike orders candidates again: those that are about the same as the best one rise, which stays first. It is what pseudo-relevance
// feedback does, without a second question to an index: it reads the texts of the first few, and nothing else.
//
// Which words are common is known only from many passages: of fewer than are compared likeness counts less.
//
// Candidates are those that may be shown, best first, with their titles. All scores are scaled alike, so that they stay in 0 to 1.
func RaiseAlike(cs []Candidate, opts *FuseOptions) {
	o := opts.defaults()
	near := cs[:min(len(cs), o.Compared)]
	o.Alike *= float64(len(near)) / float64(o.Compared)
	if len(near) > 2 { // of two, one is first already
		for i, like := range likeFirst(near) {
			near[i].Fused += o.Alike * like
		}
	}
	for i := range cs {
		cs[i].Fused /= 1 + o.Alike
	}
	if len(near) > 2 {
		sortCandidates(near)
	}
}

// weighed is a word of a passage: what it weighs there.
type weighed struct {
	word   uint32
	weight float64
}

// likeFirst is how much each candidate is like the first: the cosine of their words, where a word counts by how few of the
// candidates have it. So what all of them share, the subject of the question, tells nothing.
func likeFirst(cs []Candidate) []float64 {
	passages := make([][]weighed, len(cs))
	having := make(map[uint32]int, 1024)
	for i := range cs {
		passages[i] = counted(&cs[i])
		for _, w := range passages[i] {
			having[w.word]++
		}
	}
	for _, p := range passages {
		square := 0.0
		for k := range p {
			w := &p[k]
			w.weight *= math.Log(float64(len(cs)) / float64(having[w.word]))
			square += w.weight * w.weight
		}
		if square > 0 {
			for k := range p {
				p[k].weight /= math.Sqrt(square)
			}
		}
	}
	like := make([]float64, len(cs))
	like[0] = 1
	for i := 1; i < len(cs); i++ {
		like[i] = min(product(passages[0], passages[i]), 1)
	}
	return like
}

// counted is a candidate's words, each once and in order, by how often they come, which soon stops to count.
func counted(c *Candidate) []weighed {
	words := append(terms.Sketch(c.Title), terms.Sketch(c.Text)...)
	slices.Sort(words)
	out := make([]weighed, 0, len(words))
	for i := 0; i < len(words); {
		n := i + 1
		for n < len(words) && words[n] == words[i] {
			n++
		}
		times := float64(n - i)
		out = append(out, weighed{words[i], times / (times + 1)})
		i = n
	}
	return out
}

// product of two passages' weights.
func product(a, b []weighed) float64 {
	sum := 0.0
	for i, k := 0, 0; i < len(a) && k < len(b); {
		switch cmp.Compare(a[i].word, b[k].word) {
		case -1:
			i++
		case 1:
			k++
		default:
			sum += a[i].weight * b[k].weight
			i++
			k++
		}
	}
	return sum
}
