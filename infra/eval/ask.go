package eval

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Modes are the ways to search that are compared.
var Modes = []string{"keyword", "vector", "hybrid"}

// Depth is how many sources a question asks for: the most that a search gives.
const Depth = 50

// Asker answers a question with the documents of its sources, best first, a document as often as it has passages. cached says that an
// equal search had found them.
type Asker func(ctx context.Context, mode, question string) (documents []string, cached bool, err error)

// Measured is how a mode did on a collection.
type Measured struct {
	Score
	Searched   Latency `json:"searched"`   // by searches that were made
	Remembered Latency `json:"remembered"` // by equal ones right after them
}

// Latency is how long searches took, as a client sees it.
type Latency struct {
	N   int           `json:"n"`
	P50 time.Duration `json:"p50Ns"`
	P95 time.Duration `json:"p95Ns"`
	P99 time.Duration `json:"p99Ns"`
}

// round is how many questions are asked before they are asked again: few, as right after an ingest results are kept for ten seconds.
const round = 25

// Ask asks all questions of a collection, one after the other, so that each is timed alone, and each once more, to be answered from the
// cache. asked is told after each question.
func Ask(ctx context.Context, c Collection, mode string, ask Asker, asked func()) (Measured, error) {
	var scores []Score
	var searched, remembered []time.Duration
	one := func(q Question) ([]string, error) {
		began := time.Now()
		found, cached, err := ask(ctx, mode, q.Text)
		if err != nil {
			return nil, fmt.Errorf("%s, question %s, %s: %w", c.Name, q.ID, mode, err)
		}
		if took := time.Since(began); cached {
			remembered = append(remembered, took)
		} else {
			searched = append(searched, took)
		}
		return found, nil
	}
	for some := range slices.Chunk(c.Questions, round) {
		for _, q := range some {
			found, err := one(q)
			if err != nil {
				return Measured{}, err
			}
			scores = append(scores, Of(once(found), q.Answers))
			asked()
		}
		for _, q := range some {
			if _, err := one(q); err != nil {
				return Measured{}, err
			}
		}
	}
	return Measured{Mean(scores), latency(searched), latency(remembered)}, nil
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

func latency(all []time.Duration) Latency {
	slices.Sort(all)
	return Latency{len(all), quantile(all, 0.50), quantile(all, 0.95), quantile(all, 0.99)}
}

// quantile is a duration that the part q of all, which are in order, is not above.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return all[min(len(all)-1, int(q*float64(len(all))))]
}
