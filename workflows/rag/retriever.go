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
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// MaxTopK is how many sources one search may ask for: what an index gives in one query.
const MaxTopK = corpus.MaxTopK

// Mode says which of the two indexes answer.
type Mode string

// The modes. Hybrid asks both.
const (
	Hybrid  Mode = "hybrid"
	Vector  Mode = "vector"
	Keyword Mode = "keyword"
)

// Modes are all of them, the default first.
var Modes = []Mode{Hybrid, Vector, Keyword}

// Query is one question to a tenant's documents.
type Query struct {
	Text    string
	TopK    int             // 1 to MaxTopK
	Mode    Mode            // "" is Hybrid
	Filter  json.RawMessage // in the public filter language, see ParseFilter; nil for none
	Model   string          // the embedding model of the tenant's configuration, whose space is read where Space and the ledger say of none
	Fields  Fields          // what the filter may name
	Boosts  []tenants.Boost
	Expand  int      // how many neighbours of each source, on each side, come with it: 0 to MaxExpand
	Rerank  bool     // the best candidates are read by a reranker
	Rewrite *Rewrite // nil: the question is asked as it is
	// Space is the embedding model whose space is read, and no other; "" is the one that the ledger says (corpus.Edition).
	Space string
	// KeepDuplicates shows what says the same as a better source, too.
	KeepDuplicates bool
	RequestID      string // for the gateway's record
	// Purpose is what embedding the question is booked under; "" is llm.ForQuery.
	Purpose llm.Purpose
	// Cache is for how long an equal query may have the same result (NewCached); 0 is never.
	Cache time.Duration

	edition *corpus.Edition // which Cached has heard of, for this query
}

// check finds what no search can be made of.
func (q Query) check() error {
	switch {
	case strings.TrimSpace(q.Text) == "":
		return fault.Invalidf("query", "field_required", "is required")
	case q.TopK < 1 || q.TopK > MaxTopK:
		return fault.Invalidf("topK", "value_out_of_range", "%d is not between 1 and %d", q.TopK, MaxTopK)
	case q.Expand < 0 || q.Expand > MaxExpand:
		return fault.Invalidf("expand", "value_out_of_range", "%d is not between 0 and %d", q.Expand, MaxExpand)
	case !slices.Contains(Modes, q.Mode):
		return fault.Invalidf("mode", "invalid_value", "%.40q is not a mode", q.Mode).WithHint("one of hybrid, vector, keyword")
	}
	return nil
}

// Ports are what a Retriever asks. Reranker and Generator are for queries that ask for them.
type Ports struct {
	Embedder  llm.Embedder
	Vectors   corpus.Vectors
	Lexicon   corpus.Lexicon
	Ledger    corpus.Ledger
	Reranker  llm.Reranker
	Generator llm.Generator
}

// Retriever searches the documents of tenants. Safe for concurrent use.
type Retriever struct {
	ports   Ports
	opts    Options
	guesses guesses
	known   known
}

// Options tunes a Retriever.
type Options struct {
	// OverFetch is how many times TopK an index that is asked alone is asked for, so that enough is left when chunks of earlier
	// generations are dropped. Default 3. Together they are asked for FuseWindow.
	OverFetch int
	// Patience is how long a search waits for its slower half when the other has answered. Default 3 s.
	Patience time.Duration
	// Fuse are the parameters of fusion. Its Vector is that of the model whose space is read, unless it is set.
	Fuse *FuseOptions
	// Weight is what the vectors of an embedding model weigh in fusion. Default what the catalogue of models says.
	Weight func(model string) float64
	// KnownBytes is about how much of what the ledger has said of documents is in memory, 4 MiB.
	KnownBytes int
	// Now is the clock that stages are timed with and the ages of documents are told by. Default time.Now.
	Now func() time.Time
}

// New makes a Retriever.
func New(ports Ports, opts *Options) *Retriever {
	r := &Retriever{ports: ports}
	if opts != nil {
		r.opts = *opts
	}
	if r.opts.OverFetch < 1 {
		r.opts.OverFetch = 3
	}
	if r.opts.Patience <= 0 {
		r.opts.Patience = 3 * time.Second
	}
	if r.opts.Now == nil {
		r.opts.Now = time.Now
	}
	r.known.most = cmp.Or(r.opts.KnownBytes, knownBytes)
	if r.opts.Weight == nil {
		r.opts.Weight = weightOf
	}
	return r
}

// Search answers with at most q.TopK sources of the scope's tenant, best first. It shows only chunks of the
// generation that the ledger says is searchable, so a document that was replaced is found by its new text
// alone. A mistake in the query is fault.Invalid with the path of the field.
//
// A half of a hybrid search that is fault.Unavailable, or takes longer than Options.Patience beyond the other, is left out, and so
// is what comes after the halves: the result names each in Degraded. Any other fault is the search's, as are those of both halves
// together and of the ledger.
func (r *Retriever) Search(ctx context.Context, s tenants.Scope, q Query) (Result, error) {
	if err := s.Check(); err != nil {
		return Result{}, err
	}
	q.Mode = cmp.Or(q.Mode, Hybrid)
	if err := q.check(); err != nil {
		return Result{}, err
	}
	filter, err := ParseFilter(q.Filter, q.Fields)
	if err != nil {
		return Result{}, err
	}
	start := r.opts.Now()
	out := Result{Mode: q.Mode, Intent: IntentOf(q.Text)}
	q.Text = r.rewrite(ctx, s, q, &out)
	found, err := r.candidates(ctx, s, q, filter, &out)
	if err != nil {
		return Result{}, err
	}
	out.Sources = r.best(q, found)
	if q.Rerank {
		r.rerank(ctx, s, q, &out)
	}
	out.Sources = out.Sources[:min(len(out.Sources), q.TopK)]
	if q.Expand > 0 {
		r.expand(ctx, s, q, &out)
	}
	out.Timings.Total = r.opts.Now().Sub(start)
	return out, nil
}

// candidate is a chunk that may be shown, and its document.
type candidate struct {
	Candidate
	document *shown
}

// candidates are the chunks that the halves have found and the ledger shows, best first by what the mode goes by. An index that is asked
// for less than it could give, and of which stale chunks leave too little, is asked once more, for all it gives.
func (r *Retriever) candidates(ctx context.Context, s tenants.Scope, q Query, filter json.RawMessage, out *Result) ([]candidate, error) {
	a := asker{Retriever: r, scope: s, query: q, filter: filter, window: r.window(q), out: out, edition: q.edition}
	for {
		h, err := a.ask(ctx)
		if err != nil {
			return nil, err
		}
		began := r.opts.Now()
		documents, err := r.documents(ctx, s, h, a.edition)
		if err != nil {
			return nil, err
		}
		out.Timings.Ledger += r.opts.Now().Sub(began)
		asked := a.window
		full := len(h.matches) >= asked || len(h.words.Hits) >= asked
		found := r.join(q.Mode, h, documents, r.fusion(a.space))
		if len(found) >= q.TopK || !full || asked == MaxTopK {
			return found, nil
		}
		a.window = MaxTopK
	}
}

// window is how much an index is asked for at first.
func (r *Retriever) window(q Query) int {
	if q.Mode == Hybrid || q.Rerank {
		return FuseWindow
	}
	return min(q.TopK*r.opts.OverFetch, MaxTopK)
}

// documents are what the ledger knows of the documents of both halves, by their ids: it is asked once, and not about nothing, nor about what it
// has said in this edition.
func (r *Retriever) documents(ctx context.Context, s tenants.Scope, h halves, e *corpus.Edition) (map[string]*shown, error) {
	ids := make([]string, 0, len(h.matches)+len(h.words.Hits))
	byID := make(map[string]*shown, cap(ids))
	add := func(id string) {
		if _, there := byID[id]; !there {
			byID[id] = nil
			ids = append(ids, id)
		}
	}
	for i := range h.matches {
		add(h.matches[i].Metadata.DocID)
	}
	for i := range h.words.Hits {
		add(h.words.Hits[i].Passage.DocID)
	}
	if e != nil {
		ids = r.known.find(s.Tenant(), *e, byID, ids)
	}
	if len(ids) == 0 {
		return byID, nil
	}
	ctx, span := watch.Start(ctx, trace.Search, "ledger")
	found, err := r.ports.Ledger.Shown(ctx, s, ids)
	span.End(ctx, err)
	if err != nil {
		return nil, fmt.Errorf("look up %d documents: %w", len(ids), err)
	}
	for i := range found {
		byID[found[i].ID] = newShown(&found[i])
	}
	if e != nil {
		r.known.keep(s.Tenant(), *e, byID, ids)
	}
	return byID, nil
}

// fusion is the parameters for the vectors of a space.
func (r *Retriever) fusion(space string) *FuseOptions {
	var o FuseOptions
	if r.opts.Fuse != nil {
		o = *r.opts.Fuse
	}
	if o.Vector == 0 && space != "" {
		o.Vector = r.opts.Weight(space)
	}
	return &o
}

// join drops what the ledger does not show and orders the rest.
func (r *Retriever) join(mode Mode, h halves, documents map[string]*shown, o *FuseOptions) []candidate {
	hidden := func(m *corpus.Metadata) bool {
		d := documents[m.DocID]
		return d == nil || d.generation == 0 || d.generation != m.Generation
	}
	h.matches = slices.DeleteFunc(h.matches, func(m corpus.Match) bool { return hidden(&m.Metadata) })
	h.words.Hits = slices.DeleteFunc(h.words.Hits, func(hit corpus.Hit) bool { return hidden(&hit.Passage.Metadata) })
	fused := Fuse(h.matches, h.words, o)
	for i := range fused {
		fused[i].Title = documents[fused[i].DocID].Title // one in the index is as old as the chunk
	}
	switch mode {
	case Hybrid:
		RaiseAlike(fused, o)
	case Vector:
		for i := range fused {
			fused[i].Fused = fused[i].Vector
		}
		sortCandidates(fused)
	case Keyword:
		for i := range fused {
			fused[i].Fused = fused[i].Keyword
		}
		sortCandidates(fused)
	}
	out := make([]candidate, len(fused))
	for i := range fused {
		out[i] = candidate{fused[i], documents[fused[i].DocID]}
	}
	return out
}

// best makes sources of the best candidates: boosted, and without those that say the same, unless they are wanted. When they are to be reranked it is as many as a
// reranker takes.
func (r *Retriever) best(q Query, found []candidate) []Source {
	most := q.TopK
	if q.Rerank {
		most = llm.MaxContexts
	}
	ranked := rank(found, q.Boosts, r.opts.Now())
	var once unlike
	sources := make([]Source, 0, min(most, len(ranked)))
	for i := range ranked {
		if len(sources) == most {
			break
		}
		if !q.KeepDuplicates {
			if twin, same := once.twin(&ranked[i].Candidate); same {
				sources[twin].Duplicates++
				continue
			}
		}
		sources = append(sources, ranked[i].source(q.Mode))
	}
	return sources
}
