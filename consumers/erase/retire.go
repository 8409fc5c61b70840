package erase

import (
	"context"
	"fmt"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// Retire removes what was written for generations that nobody will ask for again. Mostly whoever made the next one searchable has
// done so long ago; the ledger knows which it has not heard of.
func (c *Consumer) Retire(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.DocumentRetired]) []error {
	ask := make([]corpus.Progress, len(ds))
	for i, d := range ds {
		ask[i] = corpus.Progress{DocumentRef: d.Fact.DocumentRef, Stage: corpus.StageRetire, Left: &corpus.Left{}, Cause: d.Event.Cause()}
	}
	errs := make([]error, len(ds))
	verdicts, err := c.ledger.Advance(ctx, s, ask)
	for i, d := range ds {
		if err != nil {
			errs[i] = fmt.Errorf("ask what is retired: %w", err)
			continue
		}
		var gone []corpus.Retirement
		for _, r := range verdicts[i].Retired {
			gone = append(gone, corpus.Retirement{DocID: d.Fact.DocID, Retired: r})
		}
		errs[i] = corpus.Erase(ctx, s, c.Stores, c.ledger, gone)
	}
	return errs
}
