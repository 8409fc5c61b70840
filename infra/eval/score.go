package eval

import (
	"math"
	"slices"
)

// Score is how good rankings are, the mean over questions.
type Score struct {
	NDCG   float64 `json:"ndcg@10"`
	MRR    float64 `json:"mrr@10"`
	Recall float64 `json:"recall@10"`
	Deep   float64 `json:"recall@50"` // of as many as a search gives
}

// cutoff is how many documents a person looks at.
const cutoff = 10

// Of scores one ranking of documents, best first, each once.
func Of(ranking []string, answers map[string]int) (s Score) {
	gain, found, deep := 0.0, 0, 0
	for i, d := range ranking[:min(len(ranking), Depth)] {
		grade := answers[d]
		if grade == 0 {
			continue
		}
		deep++
		if i >= cutoff {
			continue
		}
		if found++; found == 1 {
			s.MRR = 1 / float64(i+1)
		}
		gain += float64(grade) / math.Log2(float64(i)+2)
	}
	s.NDCG = gain / ideal(answers)
	s.Recall = float64(found) / float64(len(answers))
	s.Deep = float64(deep) / float64(len(answers))
	return s
}

// ideal is the gain of the best ranking there can be.
func ideal(answers map[string]int) float64 {
	grades := make([]int, 0, len(answers))
	for _, g := range answers {
		grades = append(grades, g)
	}
	slices.Sort(grades)
	slices.Reverse(grades)
	sum := 0.0
	for i, g := range grades[:min(len(grades), cutoff)] {
		sum += float64(g) / math.Log2(float64(i)+2)
	}
	return sum
}

// Mean is that of scores.
func Mean(scores []Score) (m Score) {
	n := float64(max(1, len(scores)))
	for _, s := range scores {
		m.NDCG += s.NDCG / n
		m.MRR += s.MRR / n
		m.Recall += s.Recall / n
		m.Deep += s.Deep / n
	}
	return m
}
