package chunk

import (
	"context"
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// maxDerived is how many texts derived from one are looked at: one each time it was taken out differently.
const maxDerived = 100

// excuse is what remains of an error: nothing, when a document's text is gone because nobody waits for its chunks any more. It was
// deleted, and erased, while its event was on the way. What an earlier run has taken out of the text, and told nobody of, goes
// as well.
func (b *batch) excuse(ctx context.Context, d delivery, err error) error {
	if fault.As(err).Code != "text_not_found" {
		return err
	}
	ask := corpus.Progress{DocumentRef: d.Fact.DocumentRef, Stage: corpus.StageSubmit} // says nothing, and is answered
	verdicts, unknown := b.ledger.Advance(ctx, b.scope, []corpus.Progress{ask})
	if unknown != nil {
		return unknown
	}
	if !verdicts[0].Stale {
		return err
	}
	return b.removeDerived(ctx, b.scope, d.Fact.TextKey)
}

func (c *Consumer) removeDerived(ctx context.Context, s tenants.Scope, textKey string) error {
	if textKey == "" {
		return nil
	}
	keys, err := c.texts.List(ctx, s, corpus.DerivedKey(textKey, ""), maxDerived)
	if err != nil {
		return fmt.Errorf("look for what was taken out of the text: %w", err)
	}
	for _, key := range keys {
		if err := c.texts.Delete(ctx, s, key); err != nil {
			return fmt.Errorf("remove a text: %w", err)
		}
	}
	return nil
}
