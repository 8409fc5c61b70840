package erasure

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/llm"
)

// vectors is the tenant's namespaces in the indexes of models.
type vectors struct {
	index  corpus.Vectors
	models []llm.EmbeddingModel
}

// NewVectors is the store of the tenant's vectors. It asks the indexes what they have and not the ledger, so it finds what nobody knows of.
func NewVectors(index corpus.Vectors) Store { return vectors{index, llm.EmbeddingModels()} }

// NewSpace is the store of the tenant's vectors in the index of one model.
func NewSpace(index corpus.Vectors, m llm.EmbeddingModel) Store {
	return vectors{index, []llm.EmbeddingModel{m}}
}

// Name implements Store.
func (v vectors) Name() string { return "vectors" }

// looks is in how many directions a sweep looks. What it finds is less than a step takes, so that the index has time to get to its removal: until then
// the same ones are shown.
const looks = 9

// Sweep implements Store. It removes what it sees of the first model that has some, whatever the limit: a query shows no more than corpus.MaxTopK, those of other
// directions others.
func (v vectors) Sweep(ctx context.Context, s tenants.Scope, _ int) (removed int, more bool, err error) {
	for _, m := range v.models {
		found := map[string]bool{}
		for look := range looks {
			ids, err := v.any(ctx, s, m, look)
			if err != nil && len(found) == 0 {
				return 0, false, err
			}
			for _, id := range ids {
				found[id] = true
			}
			if len(ids) < corpus.MaxTopK { // that was all, or all that it said
				break
			}
		}
		if len(found) > 0 {
			return len(found), true, v.index.Delete(ctx, s, m.Name, slices.Sorted(maps.Keys(found)))
		}
	}
	return 0, false, nil
}

// Left implements Store.
func (v vectors) Left(ctx context.Context, s tenants.Scope) (n int, err error) {
	for _, m := range v.models {
		ids, err := v.any(ctx, s, m, 0)
		if err != nil {
			return 0, err
		}
		n += len(ids)
	}
	return n, nil
}

// any is some of a namespace's vectors: those nearest to one that means nothing. There is such a one for each look.
func (v vectors) any(ctx context.Context, s tenants.Scope, m llm.EmbeddingModel, look int) ([]string, error) {
	values, random := make([]float32, m.Dimensions), rand.New(rand.NewPCG(uint64(look), 0)) // the same ones each time
	for i := range values {
		if values[i] = 1; look > 0 {
			values[i] = float32(random.NormFloat64())
		}
	}
	found, err := v.index.Query(ctx, s, m.Name, corpus.VectorQuery{Values: values, TopK: corpus.MaxTopK})
	ids := make([]string, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	return ids, err
}

// Lexicon is what an erasure needs of the lexical index.
type Lexicon interface {
	// Clear removes any of the tenant's passages, so many at most, and says how many.
	Clear(ctx context.Context, s tenants.Scope, limit int) (int, error)
	// Count is how many passages the tenant has.
	Count(ctx context.Context, s tenants.Scope) (int, error)
}

type lexicon struct{ index Lexicon }

// NewLexicon is the store of the tenant's passages, in every shard.
func NewLexicon(l Lexicon) Store { return lexicon{l} }

// Name implements Store.
func (lexicon) Name() string { return "passages" }

// Sweep implements Store.
func (l lexicon) Sweep(ctx context.Context, s tenants.Scope, limit int) (removed int, more bool, err error) {
	removed, err = l.index.Clear(ctx, s, limit)
	return removed, removed == limit, err
}

// Left implements Store.
func (l lexicon) Left(ctx context.Context, s tenants.Scope) (int, error) {
	return l.index.Count(ctx, s)
}

// Letters is what an erasure needs of the box of dead letters.
type Letters interface {
	Clear(ctx context.Context, s tenants.Scope, limit int) (int, error)
	Count(ctx context.Context, s tenants.Scope, q letters.Query) (letters.Count, error)
}

type box struct{ letters Letters }

// NewLetters is the store of the tenant's dead letters.
func NewLetters(l Letters) Store { return box{l} }

// Name implements Store.
func (b box) Name() string { return "letters" }

// Sweep implements Store.
func (b box) Sweep(ctx context.Context, s tenants.Scope, limit int) (int, bool, error) {
	return inTransactions(limit, func(n int) (int, error) { return b.letters.Clear(ctx, s, n) })
}

// clearAtOnce is how many letters, calls, jobs or traces one transaction forgets; each has some five rows.
const clearAtOnce = 100

// inTransactions clears in pieces, limit in all, and says how many and whether there may be more.
func inTransactions(limit int, clearSome func(n int) (int, error)) (removed int, more bool, err error) {
	for removed < limit {
		ask := min(clearAtOnce, limit-removed)
		n, err := clearSome(ask)
		removed += n
		if err != nil || n < ask {
			return removed, false, err
		}
	}
	return removed, true, nil
}

// Left implements Store.
func (b box) Left(ctx context.Context, s tenants.Scope) (int, error) {
	n, err := b.letters.Count(ctx, s, letters.Query{})
	return n.Total, err
}

// Clearer is what an erasure needs of what the tenant has in rows: the calls of tools that have a key, the jobs that speak, what is counted.
type Clearer interface {
	// Clear forgets any of the tenant's, so many at most, and says how many.
	Clear(ctx context.Context, s tenants.Scope, limit int) (int, error)
	// Count is how many there are, as far as the limit.
	Count(ctx context.Context, s tenants.Scope, limit int) (int, error)
}

type counted struct {
	name string
	in   Clearer
}

// NewCalls is the store of what the tenant's tools were called for under a key.
func NewCalls(c Clearer) Store { return counted{"calls", c} }

// NewSpeech is the store of the tenant's jobs that speak, with the texts of those that have not ended. What was spoken is among the objects.
func NewSpeech(jobs Clearer) Store { return counted{"speech jobs", jobs} }

// NewMeters is the store of what was counted for the tenant, stretches of time and traces. What is noticed while it is swept is kept out by its being a Gate, too.
func NewMeters(m Clearer) Store { return counted{"meters", m} }

// Name implements Store.
func (x counted) Name() string { return x.name }

// Sweep implements Store.
func (x counted) Sweep(ctx context.Context, s tenants.Scope, limit int) (int, bool, error) {
	return inTransactions(limit, func(n int) (int, error) { return x.in.Clear(ctx, s, n) })
}

// Left implements Store.
func (x counted) Left(ctx context.Context, s tenants.Scope) (int, error) {
	return x.in.Count(ctx, s, 1_000)
}
