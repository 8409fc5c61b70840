package answer

import (
	"math"
	"testing"
)

type example struct {
	x []float64
	y bool
	n float64 // so many: there are to be as many with an answer as without
}

// balance gives examples without an answer as much weight as those with one.
func balance(examples []example) {
	yes := 0.0
	for _, e := range examples {
		if e.y {
			yes++
		}
	}
	for i := range examples {
		if examples[i].n = 1; !examples[i].y {
			examples[i].n = yes / (float64(len(examples)) - yes)
		}
	}
}

// TestStudyOfConfidence fits the weights: for each question of the collections what was found with its answer and without.
func TestStudyOfConfidence(t *testing.T) {
	folds := [5][]example{}
	for _, name := range []string{"xquad-en", "xquad-de", "scifact"} {
		c := load(t, name)
		other := load(t, map[string]string{"xquad-en": "cranfield", "xquad-de": "xquad-en", "scifact": "xquad-en"}[name])
		step := max(1, len(c.questions)/300)
		for i := 0; i < len(c.questions); i += step {
			q := c.questions[i]
			fold := (i / step) % 5
			for kind := range 3 {
				from, without := c, map[int]bool(nil)
				switch kind {
				case 1:
					without = q.right
				case 2:
					from = other
				}
				sources := from.search(q.text, 5, without)
				y := false
				for k := range sources {
					y = y || kind == 0 && q.right[c.at[sources[k].DocID]]
				}
				f := Prepare(sources).Look(q.text)
				folds[fold] = append(folds[fold], example{[]float64{1, f.Window, f.Source, f.All, f.Margin}, y, 1})
			}
		}
	}
	report := func(w []float64, held []example, print bool) (ece, best, at float64) {
		balance(held)
		var sum, right, count [10]float64
		all := 0.0
		for _, e := range held {
			p := probability(w, e.x)
			b := min(int(p*10), 9)
			sum[b] += p * e.n
			count[b] += e.n
			all += e.n
			if e.y {
				right[b] += e.n
			}
		}
		for b := range 10 {
			if count[b] > 0 {
				ece += math.Abs(sum[b]-right[b]) / all
			}
			if count[b] > 0 {
				if print {
					t.Logf("said %.2f was %.2f (%d)", sum[b]/count[b], right[b]/count[b], int(count[b]))
				}
			}
		}
		for cut := 0.05; cut < 0.95; cut += 0.05 { // F1 of abstaining
			var tp, fp, fn float64
			for _, e := range held {
				switch abstains := probability(w, e.x) < cut; {
				case abstains && !e.y:
					tp += e.n
				case abstains:
					fp += e.n
				case !e.y:
					fn += e.n
				}
			}
			f1 := 2 * tp / (2*tp + fp + fn)
			if print {
				t.Logf("cut %.2f abstention F1 %.3f precision %.3f recall %.3f", cut, f1, tp/(tp+fp), tp/(tp+fn))
			}
			if f1 > best {
				best, at = f1, cut
			}
		}
		return ece, best, at
	}
	var all []example
	mean := 0.0
	for k := range folds {
		var train []example
		for j := range folds {
			if j != k {
				train = append(train, folds[j]...)
			}
		}
		w := fit(train)
		ece, f1, at := report(w, folds[k], false)
		mean += ece / 5
		t.Logf("fold %d: weights %.2f calibration error %.3f abstention F1 %.3f at %.2f", k, w, ece, f1, at)
		all = append(all, folds[k]...)
	}
	w := fit(all)
	t.Logf("all: %d examples, weights %.3f, mean error on held-out folds %.3f", len(all), w, mean)
	report(w, all, true)
}

func probability(w, x []float64) float64 {
	s := 0.0
	for i := range w {
		s += w[i] * x[i]
	}
	return 1 / (1 + math.Exp(-s))
}

// fit is logistic regression by gradient descent.
func fit(examples []example) []float64 {
	balance(examples)
	w := make([]float64, len(examples[0].x))
	for range 8000 {
		g := make([]float64, len(w))
		for _, e := range examples {
			d := -probability(w, e.x)
			if e.y {
				d++
			}
			for i := range g {
				g[i] += d * e.x[i] * e.n
			}
		}
		for i := range w {
			w[i] += 4 * g[i] / float64(len(examples))
		}
	}
	return w
}
