package eval

import "fmt"

// What is asked of hybrid search: its nDCG@10 as a multiple of the better of BM25 and vectors, on each collection and on the mean of several.
const (
	LeastOfEach = 0.99
	LeastOfMean = 1.03
)

// Short says where hybrid search falls short of what is asked of it, a line each. A collection that was not searched in all modes is held
// against nothing, and of one collection alone there is no mean.
func (r Report) Short() (lines []string) {
	held, sum := 0.0, 0.0
	for _, c := range r.Results {
		if !c.whole() {
			continue
		}
		is := c.Modes["hybrid"].NDCG / c.Better()
		held, sum = held+1, sum+is
		if is < LeastOfEach {
			lines = append(lines, fmt.Sprintf("%s: hybrid is %.4f of the better of BM25 and vectors, and %.2f are asked", c.Name, is, LeastOfEach))
		}
	}
	if mean := sum / held; held > 1 && mean < LeastOfMean {
		lines = append(lines, fmt.Sprintf("the mean of %.0f collections: hybrid is %.4f of the better of BM25 and vectors, and %.2f are asked", held, mean, LeastOfMean))
	}
	return lines
}

// whole reports whether a collection was searched in all modes, and there is anything to compare with.
func (r Result) whole() bool {
	for _, m := range Modes {
		if _, there := r.Modes[m]; !there {
			return false
		}
	}
	return r.Better() > 0
}
