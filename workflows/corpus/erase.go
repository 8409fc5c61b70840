package corpus

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"levada.dev/events"
	"levada.dev/tenants"
)

// Retirement is a retired generation of a document, of which everything is to be removed.
type Retirement struct {
	DocID string
	Retired
}

// Stores are all that keep something of a document's content.
type Stores struct {
	Texts   Texts
	Vectors Vectors
	Lexicon Lexicon
}

// Erase removes the vectors, passages and texts of retired generations, of as many documents of a tenant as are given, and confirms that
// to the ledger. It may run again, alone or beside itself: what is gone stays gone, and until the ledger has taken
// the confirmation it names the generation in its verdicts again.
func Erase(ctx context.Context, s tenants.Scope, in Stores, l Ledger, rs []Retirement) error {
	if len(rs) == 0 {
		return nil
	}
	ids := map[string][]string{} // by model
	var keys, strays []string
	refs := make([]Generation, len(rs))
	confirm := make([]Progress, len(rs))
	for i, r := range rs {
		for chunk := range r.Chunks {
			id := VectorID(s, r.DocID, r.Generation, chunk)
			ids[r.Model] = append(ids[r.Model], id)
			for _, model := range r.Also {
				ids[model] = append(ids[model], id)
			}
		}
		refs[i] = Generation{DocID: r.DocID, Generation: r.Generation}
		keys = append(keys, r.Texts...)
		if r.Stray && !slices.Contains(strays, r.DocID) {
			strays = append(strays, r.DocID)
		}
		confirm[i] = Progress{DocumentRef: events.DocumentRef{DocID: r.DocID, Generation: r.Generation}, Stage: StageRetire}
	}
	if err := DeleteVectors(ctx, s, in.Vectors, ids); err != nil {
		return err
	}
	if err := RemovePassages(ctx, s, in.Lexicon, refs); err != nil {
		return err
	}
	if err := deleteTexts(ctx, s, in.Texts, keys); err != nil {
		return err
	}
	if err := Tidy(ctx, s, in.Texts, l, strays); err != nil {
		return err
	}
	if _, err := l.Advance(ctx, s, confirm); err != nil {
		return fmt.Errorf("confirm the removal of retired generations: %w", err)
	}
	return nil
}

// RemovePassages removes the passages of generations, in as few calls as the index allows.
func RemovePassages(ctx context.Context, s tenants.Scope, words Lexicon, refs []Generation) error {
	for part := range slices.Chunk(refs, MaxWrite) {
		if err := words.Remove(ctx, s, part); err != nil {
			return fmt.Errorf("remove the passages of %d generations: %w", len(part), err)
		}
	}
	return nil
}

// DeleteVectors removes vectors by id, given for each model, in as few calls as the index allows.
func DeleteVectors(ctx context.Context, s tenants.Scope, vs Vectors, ids map[string][]string) error {
	for model, all := range ids {
		for part := range slices.Chunk(all, MaxWrite) {
			if err := vs.Delete(ctx, s, model, part); err != nil {
				return fmt.Errorf("remove %d vectors: %w", len(part), err)
			}
		}
	}
	return nil
}

const (
	// maxTidied is how many texts of a document Tidy looks at. There are few: two of each generation that is kept, and what was left.
	maxTidied = 1000
	// tidyAtOnce is how many documents it looks at, at a time.
	tidyAtOnce = 5
)

// Tidy removes those texts of documents that no generation has or will have: what a writer has left that died before it could
// tell the ledger, or that came late. What belongs to a submission of which the ledger has not heard stays. It may run again, alone or
// beside itself.
func Tidy(ctx context.Context, s tenants.Scope, ts Texts, l Ledger, docIDs []string) error {
	if len(docIDs) == 0 {
		return nil
	}
	ask := make([]Progress, len(docIDs))
	g, listing := errgroup.WithContext(ctx)
	g.SetLimit(tidyAtOnce)
	for i, id := range docIDs {
		g.Go(func() error {
			found, err := ts.List(listing, s, TextPrefix(id), maxTidied)
			ask[i] = Progress{DocumentRef: events.DocumentRef{DocID: id}, Stage: StageRetire, Left: &Left{Texts: found}}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("look for texts: %w", err)
	}
	verdicts, err := l.Advance(ctx, s, ask)
	if err != nil {
		return fmt.Errorf("ask which texts are needed: %w", err)
	}
	var keys []string
	for _, v := range verdicts {
		keys = append(keys, v.Texts...)
	}
	return deleteTexts(ctx, s, ts, keys)
}

func deleteTexts(ctx context.Context, s tenants.Scope, ts Texts, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	if err := ts.Delete(ctx, s, keys...); err != nil {
		return fmt.Errorf("remove %d texts: %w", len(keys), err)
	}
	return nil
}
