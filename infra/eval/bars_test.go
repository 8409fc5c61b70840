package eval_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/eval"
)

// halves is a collection on which BM25 and vectors have one nDCG each, and hybrid search another.
func halves(name string, bm25, vectors, hybrid float64) eval.Result {
	of := func(x float64) eval.Measured { return eval.Measured{Score: eval.Score{NDCG: x}} }
	return eval.Result{Name: name, BM25: of(bm25), Modes: map[string]eval.Measured{"keyword": of(bm25), "vector": of(vectors), "hybrid": of(hybrid)}}
}

func TestWhatFallsShortIsNamed(t *testing.T) {
	few := halves("few", 0.5, 0.5, 0.1)
	delete(few.Modes, "vector")
	for name, tc := range map[string]struct {
		results []eval.Result
		want    []string
	}{
		"as asked":                 {[]eval.Result{halves("a", 0.5, 0.4, 0.495), halves("b", 0.4, 0.5, 0.54)}, nil},
		"a little less on one":     {[]eval.Result{halves("a", 0.5, 0.4, 0.4949), halves("b", 0.4, 0.5, 0.55)}, []string{"a: hybrid is 0.9898 of the better of BM25 and vectors, and 0.99 are asked"}},
		"than the other half":      {[]eval.Result{halves("a", 0.4, 0.5, 0.45)}, []string{"a: hybrid is 0.9000"}},
		"on the mean":              {[]eval.Result{halves("a", 0.5, 0.4, 0.5), halves("b", 0.5, 0.4, 0.529)}, []string{"the mean of 2 collections: hybrid is 1.0290 of the better of BM25 and vectors, and 1.03 are asked"}},
		"all of it":                {[]eval.Result{halves("a", 0.5, 0.4, 0.4), halves("b", 0.5, 0.4, 0.3)}, []string{"a: hybrid is 0.8000", "b: hybrid is 0.6000", "the mean of 2"}},
		"where nothing is found":   {[]eval.Result{{Name: "a", BM25: eval.Measured{Score: eval.Score{NDCG: 0.5}}, Modes: map[string]eval.Measured{"keyword": {}, "vector": {}, "hybrid": {}}}}, []string{"a: hybrid is 0.0000"}},
		"one has no mean":          {[]eval.Result{halves("a", 0.5, 0.4, 0.5)}, nil},
		"not searched in all ways": {[]eval.Result{few}, nil},
		"nothing":                  {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			short := eval.Report{Results: tc.results}.Short()
			assert.Len(t, short, len(tc.want), "%v", short)
			for i := range min(len(short), len(tc.want)) {
				assert.Contains(t, short[i], tc.want[i])
			}
		})
	}
}
