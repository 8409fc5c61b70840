package erase

import (
	"context"
	"fmt"
	"slices"
	"time"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/letters"
)

// maxTexts is how many texts of a document are looked at in one delivery. The rest is found by the next.
const maxTexts = 1000

// patience is how long the stores have, after each attempt, to show what was removed.
var patience = []time.Duration{2 * time.Second, 30 * time.Second, 15 * time.Minute}

// Consumer erases documents.
type Consumer struct {
	corpus.Stores
	ledger  corpus.Ledger
	letters letters.Forgetter
}

// New makes the consumer.
func New(stores corpus.Stores, ledger corpus.Ledger, box letters.Forgetter) *Consumer {
	return &Consumer{Stores: stores, ledger: ledger, letters: box}
}

// Routes takes document.deleted and document.retired.
func (c *Consumer) Routes() []consumers.Route {
	return []consumers.Route{
		{Type: events.TypeDocumentDeleted, Name: "erase", Stage: corpus.StageErase, Handle: consumers.Facts(c.Handle)},
		{Type: events.TypeDocumentRetired, Name: "retire", Handle: consumers.Facts(c.Retire)},
	}
}

type delivery = consumers.Of[events.DocumentDeleted]

// Handle erases one document after the other. Each is many calls already: the index is asked for 20 vectors at a time.
func (c *Consumer) Handle(ctx context.Context, s tenants.Scope, ds []delivery) []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = c.erase(ctx, s, d)
	}
	return errs
}

func (c *Consumer) erase(ctx context.Context, s tenants.Scope, d delivery) error {
	if err := c.letters.Forget(ctx, s, d.Fact.DocID, d.Fact.Generation); err != nil { // dead messages have its text in them
		return fmt.Errorf("forget its letters: %w", err)
	}
	ids := vectorIDs(s, d.Fact)
	v, left, err := c.look(ctx, s, d, ids)
	if err != nil || v.Complete || v.Stale {
		return err
	}
	if err := c.remove(ctx, s, d.Fact, ids, v.Texts); err != nil {
		return err
	}
	if v, left, err = c.look(ctx, s, d, ids); err != nil || v.Complete || v.Stale {
		return err
	}
	after := patience[min(max(d.Attempt, 1), len(patience))-1]
	return fault.New(fault.Unavailable, "erasure_incomplete",
		fmt.Sprintf("the stores still show %d vectors, %d passages and %d texts, or have not caught up", left.Vectors, left.Passages, len(v.Texts)), nil).WithRetryAfter(after)
}

// look asks the stores what they have of the document, and the ledger what of it is to go.
func (c *Consumer) look(ctx context.Context, s tenants.Scope, d delivery, ids map[string][]string) (v corpus.Verdict, left corpus.Left, err error) {
	left.Settled = true
	for model, all := range ids {
		at, err := c.Vectors.Processed(ctx, model) // before the count, which is then of at least that time
		if err != nil {
			return v, left, fmt.Errorf("ask how far the index is: %w", err)
		}
		left.Settled = left.Settled && !at.Before(d.Event.Time)
		for part := range slices.Chunk(all, corpus.MaxWrite) {
			n, err := c.Vectors.Stored(ctx, s, model, part)
			if err != nil {
				return v, left, fmt.Errorf("look for %d vectors: %w", len(part), err)
			}
			left.Vectors += n
		}
	}
	if left.Passages, err = c.Lexicon.Stored(ctx, s, corpus.Generation{DocID: d.Fact.DocID, Generation: d.Fact.Generation}); err != nil {
		return v, left, fmt.Errorf("look for passages: %w", err)
	}
	if left.Texts, err = c.Texts.List(ctx, s, d.Fact.TextPrefix, maxTexts); err != nil {
		return v, left, fmt.Errorf("look for texts: %w", err)
	}
	verdicts, err := c.ledger.Advance(ctx, s, []corpus.Progress{{
		DocumentRef: d.Fact.DocumentRef, Stage: corpus.StageErase, Attempts: d.Attempt, Left: &left, Cause: d.Event.Cause(),
	}})
	if err != nil {
		return v, left, fmt.Errorf("tell what is left: %w", err)
	}
	return verdicts[0], left, nil
}

func (c *Consumer) remove(ctx context.Context, s tenants.Scope, f events.DocumentDeleted, ids map[string][]string, texts []string) error {
	if err := corpus.DeleteVectors(ctx, s, c.Vectors, ids); err != nil {
		return err
	}
	if err := corpus.RemovePassages(ctx, s, c.Lexicon, generations(f)); err != nil {
		return err
	}
	if len(texts) == 0 {
		return nil
	}
	if err := c.Texts.Delete(ctx, s, texts...); err != nil {
		return fmt.Errorf("remove %d texts: %w", len(texts), err)
	}
	return nil
}

// vectorIDs are all vectors that the document may have, by model.
func vectorIDs(s tenants.Scope, f events.DocumentDeleted) map[string][]string {
	ids := map[string][]string{}
	for _, g := range f.Generations {
		for chunk := range g.Chunks {
			id := corpus.VectorID(s, f.DocID, g.Generation, chunk)
			for _, model := range g.Models() {
				ids[model] = append(ids[model], id)
			}
		}
	}
	return ids
}

// generations are those that may have passages.
func generations(f events.DocumentDeleted) []corpus.Generation {
	refs := make([]corpus.Generation, len(f.Generations))
	for i, g := range f.Generations {
		refs[i] = corpus.Generation{DocID: f.DocID, Generation: g.Generation}
	}
	return refs
}
