// Package zipf is passages of made-up words and questions about them. As in a real language few words are very common and most are very
// rare (Zipf). They are the same each time.
package zipf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"

	"levada.dev/workflows/corpus"
)

const (
	vocabulary   = 100_000
	passageTerms = 100
	headTerms    = 8
	inDocument   = 50 // passages
)

// Language draws words by their rank: the n-th is 1/n^1.05 as frequent as the first, or nearly so.
type Language []float64

// New makes the language.
func New() Language {
	l := make(Language, vocabulary)
	sum := 0.0
	for i := range l {
		sum += 1 / math.Pow(float64(i)+2.7, 1.05)
		l[i] = sum
	}
	for i := range l {
		l[i] /= sum
	}
	return l
}

// Draw is the rank of a word, from 0.
func (l Language) Draw(r *rand.Rand) int { return min(sort.SearchFloat64s(l, r.Float64()), len(l)-1) }

func word(rank int) string { return fmt.Sprintf("w%d", rank) }

// Passage is the n-th passage, always the same.
func (l Language) Passage(n int) corpus.Passage {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	p := corpus.Passage{Metadata: corpus.Metadata{
		DocID: fmt.Sprintf("doc-%d", n/inDocument), Generation: 1, Chunk: n % inDocument, Heading: "Guide > Install", Source: fmt.Sprintf("source-%d", n%7),
		Meta: map[string]any{"year": 2000 + n%26},
	}}
	for range headTerms {
		p.Head = append(p.Head, word(l.Draw(r)))
	}
	for range passageTerms {
		p.Body = append(p.Body, word(l.Draw(r)))
	}
	p.Text = strings.Join(p.Body, " ")
	p.End = len(p.Text)
	return p
}

// Question is the n-th question: 2 to 12 words, half of them as frequent as in the passages, half rarer.
func (l Language) Question(n, topK int) corpus.LexicalQuery {
	r := rand.New(rand.NewPCG(2, uint64(n)))
	q := corpus.LexicalQuery{TopK: topK}
	seen := map[int]bool{}
	for want := 2 + r.IntN(11); len(q.Terms) < want; {
		rank := 100 + r.IntN(20_000)
		if r.IntN(2) == 0 {
			rank = l.Draw(r)
		}
		if !seen[rank] {
			seen[rank] = true
			q.Terms = append(q.Terms, corpus.Term{Text: word(rank), Weight: 1})
		}
	}
	return q
}

// Number is which passage it is.
func Number(m corpus.Metadata) int {
	doc, err := strconv.Atoi(strings.TrimPrefix(m.DocID, "doc-"))
	if err != nil {
		return -1
	}
	return doc*inDocument + m.Chunk
}
