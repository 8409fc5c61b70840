package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon"
)

// Lexicon is a lexical index that looks at every passage.
type Lexicon struct {
	Hooks
	Options lexicon.Options // set before it is used

	mu       sync.Mutex
	passages map[tenants.ID]map[corpus.Place]passage
}

var _ corpus.Lexicon = (*Lexicon)(nil)

// passage is one as the index keeps it.
type passage struct {
	metadata []byte // JSON
	terms    map[string]bool
	forward  lexicon.Forward
}

// NewLexicon makes an empty index.
func NewLexicon() *Lexicon {
	return &Lexicon{passages: map[tenants.ID]map[corpus.Place]passage{}}
}

// Put implements corpus.Lexicon.
func (x *Lexicon) Put(ctx context.Context, s tenants.Scope, ps []corpus.Passage) error {
	return x.call(ctx, s, "put", func(all map[corpus.Place]passage) error {
		if err := lexicon.CheckCount(len(ps)); err != nil {
			return err
		}
		for i, p := range ps {
			if err := lexicon.CheckPassage(p); err != nil {
				return fmt.Errorf("passage %d: %w", i, err)
			}
		}
		for _, p := range ps {
			meta, err := json.Marshal(p.Metadata)
			if err != nil {
				return fault.New(fault.Invalid, "metadata_invalid", "not JSON", err)
			}
			kept := passage{metadata: meta, terms: map[string]bool{}, forward: lexicon.Of(p)}
			for _, t := range slices.Concat(p.Head, p.Body) {
				kept.terms[lexicon.Clip(t)] = true
			}
			all[lexicon.PlaceOf(p.Metadata)] = kept
		}
		return nil
	})
}

// call runs one call of a tenant on what it has.
func (x *Lexicon) call(ctx context.Context, s tenants.Scope, op string, effect func(map[corpus.Place]passage) error) error {
	if err := ctx.Err(); err != nil {
		return fault.Unavailablef(err, "lexicon_unreachable", "the lexical index was not reached")
	}
	return x.do(s, op, func() error {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.passages[s.Tenant()] == nil {
			x.passages[s.Tenant()] = map[corpus.Place]passage{}
		}
		return effect(x.passages[s.Tenant()])
	})
}

// Remove implements corpus.Lexicon.
func (x *Lexicon) Remove(ctx context.Context, s tenants.Scope, refs []corpus.Generation) error {
	return x.call(ctx, s, "remove", func(all map[corpus.Place]passage) error {
		if err := lexicon.CheckCount(len(refs)); err != nil {
			return err
		}
		for _, ref := range refs {
			if err := lexicon.CheckGeneration(ref); err != nil {
				return err
			}
		}
		maps.DeleteFunc(all, func(at corpus.Place, _ passage) bool { return slices.Contains(refs, at.Generation) })
		return nil
	})
}

// Find implements corpus.Lexicon.
func (x *Lexicon) Find(ctx context.Context, s tenants.Scope, q corpus.LexicalQuery) (found corpus.Found, err error) {
	err = x.call(ctx, s, "find", func(all map[corpus.Place]passage) error {
		if err := lexicon.CheckQuery(q); err != nil {
			return err
		}
		if _, err := lexicon.ReadFilter(q.Filter); err != nil { // what else the index refuses
			return err
		}
		f, err := parseFilter(q.Filter)
		if err != nil {
			return err
		}
		found, err = x.find(all, q, f)
		return err
	})
	return found, err
}

func (x *Lexicon) find(all map[corpus.Place]passage, q corpus.LexicalQuery, f filter) (found corpus.Found, err error) {
	scorer := x.scorer(all, q.Terms)
	found.Most = scorer.Most()
	for _, p := range all {
		if !slices.ContainsFunc(q.Terms, func(t corpus.Term) bool { return p.terms[lexicon.Clip(t.Text)] }) {
			continue
		}
		var m corpus.Metadata
		var fields map[string]any
		if err := errorsOf(json.Unmarshal(p.metadata, &m), json.Unmarshal(p.metadata, &fields)); err != nil {
			return found, err
		}
		if f.matches(fields) {
			found.Hits = append(found.Hits, corpus.Hit{Passage: corpus.Passage{Metadata: m}, Score: scorer.Score(p.forward), Matched: scorer.Matched(p.forward)})
		}
	}
	slices.SortFunc(found.Hits, func(a, b corpus.Hit) int {
		p, o := a.Passage, b.Passage
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(p.DocID, o.DocID), cmp.Compare(p.Generation, o.Generation), cmp.Compare(p.Chunk, o.Chunk))
	})
	found.Hits = found.Hits[:min(q.TopK, len(found.Hits))]
	return found, nil
}

// scorer is what scores passages among all there are.
func (x *Lexicon) scorer(all map[corpus.Place]passage, terms []corpus.Term) *lexicon.Scorer {
	c := lexicon.Corpus{Passages: len(all)}
	have := make([]int, len(terms))
	for _, p := range all {
		head, body := p.forward.Lengths()
		c.Head, c.Body = c.Head+head, c.Body+body
		for i, t := range terms {
			if p.terms[lexicon.Clip(t.Text)] {
				have[i]++
			}
		}
	}
	return lexicon.NewScorer(x.Options, c, terms, have)
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return fault.New(fault.Internal, "metadata_stored", "not JSON", err)
		}
	}
	return nil
}

// Passages implements corpus.Lexicon.
func (x *Lexicon) Passages(ctx context.Context, s tenants.Scope, at []corpus.Place) (ps []corpus.Passage, err error) {
	err = x.call(ctx, s, "passages", func(all map[corpus.Place]passage) error {
		if err := lexicon.CheckCount(len(at)); err != nil {
			return err
		}
		for _, place := range at {
			if err := lexicon.CheckPlace(place); err != nil {
				return err
			}
			kept, ok := all[place]
			if !ok {
				continue
			}
			var p corpus.Passage
			if err := errorsOf(json.Unmarshal(kept.metadata, &p.Metadata)); err != nil {
				return err
			}
			ps = append(ps, p)
		}
		return nil
	})
	return ps, err
}

// Stored implements corpus.Lexicon.
func (x *Lexicon) Stored(ctx context.Context, s tenants.Scope, ref corpus.Generation) (n int, err error) {
	err = x.call(ctx, s, "stored", func(all map[corpus.Place]passage) error {
		if err := lexicon.CheckGeneration(ref); err != nil {
			return err
		}
		for at := range all {
			if at.DocID == ref.DocID && at.Generation.Generation <= ref.Generation {
				n++
			}
		}
		return nil
	})
	return n, err
}

// Clear removes any passages of the tenant, so many at most, and says how many.
func (x *Lexicon) Clear(ctx context.Context, s tenants.Scope, limit int) (removed int, err error) {
	err = x.call(ctx, s, "clear", func(all map[corpus.Place]passage) error {
		for at := range all {
			if removed == limit {
				break
			}
			delete(all, at)
			removed++
		}
		return nil
	})
	return removed, err
}

// Count is how many passages the tenant has.
func (x *Lexicon) Count(ctx context.Context, s tenants.Scope) (n int, err error) {
	err = x.call(ctx, s, "count", func(all map[corpus.Place]passage) error {
		n = len(all)
		return nil
	})
	return n, err
}

// IDs is every passage of a tenant, in order, by the id that its vector has.
func (x *Lexicon) IDs(s tenants.Scope) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var ids []string
	for at := range x.passages[s.Tenant()] {
		ids = append(ids, corpus.VectorID(s, at.DocID, at.Generation.Generation, at.Chunk))
	}
	slices.Sort(ids)
	return ids
}
