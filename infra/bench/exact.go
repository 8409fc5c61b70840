package bench

import (
	"cmp"
	"slices"

	"levada.dev/infra/bench/zipf"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon"
)

// exact is the lexical index by hand: it looks at every passage.
type exact struct {
	language zipf.Language
	all      lexicon.Corpus
	passages []lexicon.Forward
	have     map[string]int // passages with a word
}

func newExact() *exact { return &exact{language: zipf.New(), have: map[string]int{}} }

// grow adds passages up to size.
func (x *exact) grow(size int) {
	for n := len(x.passages); n < size; n++ {
		p := x.language.Passage(n)
		x.passages = append(x.passages, lexicon.Of(p))
		x.all.Passages, x.all.Head, x.all.Body = x.all.Passages+1, x.all.Head+len(p.Head), x.all.Body+len(p.Body)
		seen := map[string]bool{}
		for _, w := range slices.Concat(p.Head, p.Body) {
			if !seen[w] {
				seen[w] = true
				x.have[w]++
			}
		}
	}
}

// best are the best passages for a question, and every one that is as good as the last of them.
func (x *exact) best(q corpus.LexicalQuery, k int) map[int]bool {
	have := make([]int, len(q.Terms))
	for i, t := range q.Terms {
		have[i] = x.have[t.Text]
	}
	s := lexicon.NewScorer(lexicon.Options{}, x.all, q.Terms, have)
	type scored struct {
		n     int
		score float64
	}
	var all []scored
	for n, f := range x.passages {
		if score := s.Score(f); score > 0 {
			all = append(all, scored{n, score})
		}
	}
	slices.SortFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	best := map[int]bool{}
	for i, p := range all {
		if i >= k && p.score < all[k-1].score {
			break
		}
		best[p.n] = true
	}
	return best
}
