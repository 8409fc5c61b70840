package eval

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Modes are the ways to search that are compared.
var Modes = []string{"keyword", "vector", "hybrid"}

// Depth is how many sources a question asks for: the most that a search gives. Recall at 100 is of as many.
const Depth = 50

// Asker answers a question with the documents of its sources, best first, a document as often as it has passages.
type Asker func(ctx context.Context, mode, question string) ([]string, error)

// Measured is how a mode did on a collection.
type Measured struct {
	Score
	P50 time.Duration `json:"p50Ns"`
	P95 time.Duration `json:"p95Ns"`
}

// Ask asks all questions of a collection, one after the other, so that each is timed alone. asked is told after each.
func Ask(ctx context.Context, c Collection, mode string, ask Asker, asked func()) (Measured, error) {
	var scores []Score
	var took []time.Duration
	for _, q := range c.Questions {
		began := time.Now()
		found, err := ask(ctx, mode, q.Text)
		if err != nil {
			return Measured{}, fmt.Errorf("%s, question %s, %s: %w", c.Name, q.ID, mode, err)
		}
		took = append(took, time.Since(began))
		scores = append(scores, Of(once(found), q.Answers))
		asked()
	}
	return Measured{Mean(scores), quantile(took, 0.50), quantile(took, 0.95)}, nil
}

// Reference is how BM25 does.
func Reference(c Collection) Measured {
	x := NewBM25(c.Documents)
	var scores []Score
	for _, q := range c.Questions {
		scores = append(scores, Of(x.Rank(q.Text, Depth), q.Answers))
	}
	return Measured{Score: Mean(scores)}
}

// once leaves the first of each document: a document is as good as its best passage.
func once(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		before := seen[id]
		seen[id] = true
		return before
	})
}

// quantile is a duration that the part q of all is not above.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(q*float64(len(all))))]
}
