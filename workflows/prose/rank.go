package prose

import (
	"cmp"
	"slices"
)

func (b bag) sort() {
	slices.SortFunc(b, func(x, y weighed) int { return cmp.Compare(x.term, y.term) })
}

const (
	damping = 0.85
	rounds  = 24 // after which nothing changes that is shown
)

// rank is how central each bag is among all: TextRank, where the tie between two is their cosine. The ties are never written down: what all bags
// give to one another goes through their terms, so a round takes as long as there are words.
func rank(all []bag, terms int) []float64 {
	n := len(all)
	ones, degree, r, give := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range ones {
		ones[i], r[i] = 1, 1
	}
	sums := make([]float64, terms)
	ties(all, sums, ones, degree)
	got := make([]float64, n)
	for range rounds {
		for i := range r {
			give[i] = 0
			if degree[i] > 1e-9 {
				give[i] = r[i] / degree[i]
			}
		}
		ties(all, sums, give, got)
		for i := range r {
			r[i] = 1 - damping + damping*got[i]
		}
	}
	return r
}

// ties is what each bag gets from the others, when each gives so much of itself to every other by their cosine.
func ties(all []bag, sums, give, got []float64) {
	clear(sums)
	for i, b := range all {
		for _, w := range b {
			sums[w.term] += w.weight * give[i]
		}
	}
	for i, b := range all {
		got[i] = 0
		for _, w := range b {
			got[i] += w.weight * (sums[w.term] - w.weight*give[i]) // nothing from itself
		}
	}
}
