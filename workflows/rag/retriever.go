package rag

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// MaxTopK is how many sources one search may ask for: what the index gives in one query.
const MaxTopK = corpus.MaxTopK

// Query is one question to a tenant's documents.
type Query struct {
	Text      string
	TopK      int             // 1 to MaxTopK
	Filter    json.RawMessage // in the public filter language, see ParseFilter; nil for none
	Model     string          // the embedding model whose index holds the documents
	Fields    Fields          // what the filter may name
	RequestID string          // for the gateway's record
}

// Retriever searches the documents of tenants. Safe for concurrent use.
type Retriever struct {
	embedder llm.Embedder
	vectors  corpus.Vectors
	ledger   corpus.Ledger
	opts     Options
}

// Options tunes a Retriever.
type Options struct {
	// OverFetch is how many times TopK the index is asked for, so that enough is left when chunks of earlier
	// generations are dropped. Default 3.
	OverFetch int
	// Now is the clock that stages are timed with. Default time.Now.
	Now func() time.Time
}

// New makes a Retriever.
func New(embedder llm.Embedder, vectors corpus.Vectors, ledger corpus.Ledger, opts *Options) *Retriever {
	r := &Retriever{embedder: embedder, vectors: vectors, ledger: ledger}
	if opts != nil {
		r.opts = *opts
	}
	if r.opts.OverFetch < 1 {
		r.opts.OverFetch = 3
	}
	if r.opts.Now == nil {
		r.opts.Now = time.Now
	}
	return r
}

// Search answers with at most q.TopK sources of the scope's tenant, best first. It shows only chunks of the
// generation that the ledger says is searchable, so a document that was replaced is found by its new text
// alone. A mistake in the query is fault.Invalid with the path of the field.
func (r *Retriever) Search(ctx context.Context, s tenants.Scope, q Query) (Result, error) {
	if err := s.Check(); err != nil {
		return Result{}, err
	}
	if strings.TrimSpace(q.Text) == "" {
		return Result{}, fault.Invalidf("query", "field_required", "is required")
	}
	if q.TopK < 1 || q.TopK > MaxTopK {
		return Result{}, fault.Invalidf("topK", "value_out_of_range", "%d is not between 1 and %d", q.TopK, MaxTopK)
	}
	filter, err := ParseFilter(q.Filter, q.Fields)
	if err != nil {
		return Result{}, err
	}
	start := r.opts.Now()
	var t Timings
	values, err := r.embed(ctx, s, q)
	if err != nil {
		return Result{}, err
	}
	t.Embed = r.opts.Now().Sub(start)
	sources, err := r.window(ctx, s, q, corpus.VectorQuery{Values: values, Filter: filter}, &t)
	if err != nil {
		return Result{}, err
	}
	t.Total = r.opts.Now().Sub(start)
	return Result{Sources: sources, Timings: t}, nil
}

func (r *Retriever) embed(ctx context.Context, s tenants.Scope, q Query) ([]float32, error) {
	e, err := r.embedder.Embed(ctx, s, llm.Call{Model: q.Model, Purpose: llm.ForQuery, RequestID: q.RequestID}, []string{q.Text})
	if err != nil {
		return nil, fmt.Errorf("embed the query: %w", err)
	}
	if len(e.Vectors) != 1 {
		return nil, fault.New(fault.Internal, "embedding_count", fmt.Sprintf("%d vectors for one query", len(e.Vectors)), nil)
	}
	return e.Vectors[0], nil
}

// window asks for more than TopK and, when stale chunks leave too little of a full window, once more for the
// largest window the index gives.
func (r *Retriever) window(ctx context.Context, s tenants.Scope, q Query, vq corpus.VectorQuery, t *Timings) ([]Source, error) {
	vq.TopK = min(q.TopK*r.opts.OverFetch, MaxTopK)
	for {
		began := r.opts.Now()
		matches, err := r.vectors.Query(ctx, s, q.Model, vq)
		if err != nil {
			return nil, fmt.Errorf("query the vectors: %w", err)
		}
		asked := r.opts.Now()
		t.Vectors += asked.Sub(began)
		sources, err := r.searchable(ctx, s, matches)
		if err != nil {
			return nil, err
		}
		t.Ledger += r.opts.Now().Sub(asked)
		if len(sources) >= q.TopK || len(matches) < vq.TopK || vq.TopK == MaxTopK {
			return sources[:min(len(sources), q.TopK)], nil
		}
		vq.TopK = MaxTopK
	}
}

// searchable keeps the matches whose generation the ledger shows, completed with what the ledger knows of their
// documents: a title in the index is as old as the chunk.
func (r *Retriever) searchable(ctx context.Context, s tenants.Scope, matches []corpus.Match) ([]Source, error) {
	sources := make([]Source, 0, len(matches))
	if len(matches) == 0 {
		return sources, nil
	}
	documents, err := r.documents(ctx, s, matches)
	if err != nil {
		return nil, err
	}
	type place struct {
		doc   string
		chunk int
	}
	seen := make(map[place]bool, len(matches))
	for _, m := range matches {
		at := place{m.Metadata.DocID, m.Metadata.Chunk}
		d, found := documents[at.doc]
		if !found || d.Searchable == 0 || d.Searchable != m.Metadata.Generation || seen[at] {
			continue
		}
		seen[at] = true
		sources = append(sources, Source{
			DocID: d.ID, ChunkID: ChunkID(d.ID, at.chunk), Title: d.Title, Source: d.Source, URL: d.URL,
			Text: m.Metadata.Text, Start: m.Metadata.Start, End: m.Metadata.End,
			Score: m.Score, Scores: Scores{Vector: m.Score}, chunk: at.chunk,
		})
	}
	slices.SortStableFunc(sources, func(a, b Source) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.DocID, b.DocID), cmp.Compare(a.chunk, b.chunk))
	})
	return sources, nil
}

func (r *Retriever) documents(ctx context.Context, s tenants.Scope, matches []corpus.Match) (map[string]corpus.Document, error) {
	ids := make([]string, 0, len(matches))
	for _, m := range matches {
		if !slices.Contains(ids, m.Metadata.DocID) {
			ids = append(ids, m.Metadata.DocID)
		}
	}
	found, err := r.ledger.Documents(ctx, s, ids)
	if err != nil {
		return nil, fmt.Errorf("look up %d documents: %w", len(ids), err)
	}
	byID := make(map[string]corpus.Document, len(found))
	for _, d := range found {
		byID[d.ID] = d
	}
	return byID, nil
}
