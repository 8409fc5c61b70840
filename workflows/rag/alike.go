package rag

import (
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
	at     int32 // of the word in the tally
	weight float64
}

// likeFirst is how much each candidate is like the first: the cosine of their words, where a word counts by how few of the
// candidates have it. So what all of them share, the subject of the question, tells nothing.
func likeFirst(cs []Candidate) []float64 {
	passages, all := make([][]weighed, len(cs)), 0
	var words, spare []uint32
	for i := range cs {
		c := &cs[i]
		c.words = terms.Sketch(c.Text)
		words = append(append(words[:0], terms.Sketch(c.Title)...), c.words...)
		spare = slices.Grow(spare[:0], len(words))[:len(words)]
		sortWords(words, spare)
		passages[i] = counted(words)
		all += len(passages[i])
	}
	having := newTally(all)
	for _, p := range passages {
		for k := range p {
			p[k].at = having.add(p[k].word)
		}
	}
	rarity := make([]float64, len(cs)+1) // by how many have a word
	for n := 1; n <= len(cs); n++ {
		rarity[n] = math.Log(float64(len(cs)) / float64(n))
	}
	like := make([]float64, len(cs))
	for i, p := range passages {
		square := 0.0
		for k := range p {
			w := &p[k]
			w.weight *= rarity[having.times[w.at]]
			square += w.weight * w.weight
		}
		if i > 0 {
			like[i] = min(product(passages[0], p, root(square)), 1)
			continue
		}
		for k, r := 0, root(square); k < len(p); k++ {
			p[k].weight /= r
		}
	}
	like[0] = 1
	return like
}

// root is what the weights of a passage are divided by.
func root(square float64) float64 {
	if square == 0 {
		return 1
	}
	return math.Sqrt(square)
}

// counted is words, each once and in order, by how often they come, which soon stops to count.
func counted(words []uint32) []weighed {
	out := make([]weighed, 0, len(words))
	for i := 0; i < len(words); {
		n := i + 1
		for n < len(words) && words[n] == words[i] {
			n++
		}
		times := float64(n - i)
		out = append(out, weighed{word: words[i], weight: times / (times + 1)})
		i = n
	}
	return out
}

// product of two passages' weights, of which those of b are still to be divided.
func product(a, b []weighed, by float64) float64 {
	sum := 0.0
	for i, k := 0, 0; i < len(a) && k < len(b); {
		x, y := a[i].word, b[k].word
		if x == y {
			sum += a[i].weight * (b[k].weight / by)
		}
		if x <= y {
			i++
		}
		if y <= x {
			k++
		}
	}
	return sum
}

// tally counts words, which are hashes already: a word is looked for from the place that its last digits name.
type tally struct {
	words []uint32
	times []uint16 // 0 is a free place
}

// newTally has room for so many words, and as much again.
func newTally(words int) tally {
	n := 16
	for n < 2*words {
		n *= 2
	}
	return tally{make([]uint32, n), make([]uint16, n)}
}

// add counts a word once more and says where it is.
func (t tally) add(word uint32) (at int32) {
	last := uint32(len(t.words) - 1)
	i := word & last
	for t.times[i] > 0 && t.words[i] != word {
		i = (i + 1) & last
	}
	t.words[i] = word
	t.times[i]++
	return int32(i)
}

// sortWords sorts words digit by digit, which is a multiple as fast as comparing them. spare is as long as words.
func sortWords(words, spare []uint32) {
	if len(words) < 48 {
		slices.Sort(words)
		return
	}
	var many [4][256]int32
	for _, w := range words {
		many[0][byte(w)]++
		many[1][byte(w>>8)]++
		many[2][byte(w>>16)]++
		many[3][byte(w>>24)]++
	}
	for d := range many {
		next := int32(0)
		for b, n := range many[d] {
			many[d][b], next = next, next+n
		}
		for _, w := range words {
			at := &many[d][byte(w>>(8*d))]
			spare[*at] = w
			*at++
		}
		words, spare = spare, words // four times: it ends where it began
	}
}
