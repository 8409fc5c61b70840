package rag_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// model is the smallest there is.
const model = "@cf/baai/bge-small-en-v1.5"

// place is the vector of a number from 0 to 10: the nearer two numbers, the nearer their vectors.
func place(x float64) []float32 {
	v := make([]float32, 384)
	v[0], v[1] = float32(math.Cos(x/10)), float32(math.Sin(x/10))
	return v
}

// embedder embeds a text by the number it begins with, as its place; one without a number is at 0.
type embedder struct {
	mu    sync.Mutex
	calls []llm.Call
	err   error
	late  bool // waits for its context
}

func (e *embedder) Embed(ctx context.Context, _ tenants.Scope, c llm.Call, texts []string) (llm.Embedded, error) {
	e.mu.Lock()
	e.calls = append(e.calls, c)
	e.mu.Unlock()
	if e.late {
		<-ctx.Done()
		return llm.Embedded{}, ctx.Err()
	}
	out := llm.Embedded{}
	for _, t := range texts {
		var x float64
		_, _ = fmt.Sscan(t, &x)
		m, err := llm.FindEmbedding(c.Model)
		if err != nil {
			return out, err
		}
		out.Vectors = append(out.Vectors, append(place(x), make([]float32, m.Dimensions-384)...))
	}
	return out, e.err
}

// index is the index in memory, with what it was asked.
type index struct {
	*memory.Vectors
	queries []corpus.VectorQuery
}

func (x *index) Query(ctx context.Context, s tenants.Scope, model string, q corpus.VectorQuery) ([]corpus.Match, error) {
	x.queries = append(x.queries, q)
	return x.Vectors.Query(ctx, s, model, q)
}

// words is the lexical index in memory, with what it was asked.
type words struct {
	*memory.Lexicon
	late     bool // waits for its context
	mu       sync.Mutex
	queries  []corpus.LexicalQuery
	passages [][]corpus.Place
}

func (x *words) Find(ctx context.Context, s tenants.Scope, q corpus.LexicalQuery) (corpus.Found, error) {
	x.mu.Lock()
	x.queries = append(x.queries, q)
	x.mu.Unlock()
	if x.late {
		<-ctx.Done()
		return corpus.Found{}, ctx.Err()
	}
	return x.Lexicon.Find(ctx, s, q)
}

func (x *words) Passages(ctx context.Context, s tenants.Scope, at []corpus.Place) ([]corpus.Passage, error) {
	x.passages = append(x.passages, at)
	return x.Lexicon.Passages(ctx, s, at)
}

// ledger knows nothing but documents: which generation searches show is what these tests decide.
type ledger struct {
	corpus.Ledger
	documents map[string]corpus.Document
	asked     [][]string
	err       error

	edition func(ctx context.Context) (corpus.Edition, error) // nil: it names no space, and counts the changes
	changes int64
}

func (l *ledger) Edition(ctx context.Context, _ tenants.Scope) (corpus.Edition, error) {
	if l.edition == nil {
		return corpus.Edition{Number: l.changes}, nil
	}
	return l.edition(ctx)
}

func (l *ledger) Shown(_ context.Context, s tenants.Scope, ids []string) ([]corpus.Document, error) {
	l.asked = append(l.asked, ids)
	var found []corpus.Document
	for _, id := range ids {
		if d, ok := l.documents[s.Key(id)]; ok {
			found = append(found, d)
		}
	}
	return found, l.err
}

func (l *ledger) set(s tenants.Scope, id string, searchable int) {
	d := corpus.Document{ID: id, Searchable: searchable}
	d.Title, d.Source = strings.ToUpper(id), "wiki"
	l.documents[s.Key(id)] = d
	l.changes++
}
