package embed

import (
	"context"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// manySlices is from how many slices on the ledger is asked about a document before they are embedded. What is left of a large one that was
// cancelled, deleted or replaced would cost money and hold up others for minutes. A smaller one is mostly through before anybody
// could say so, and a call for each would cost more than it saves.
const manySlices = 8

// wanted says which slices are to be embedded: all but those of large documents that nobody waits for any more. What was written for these is
// removed, as the index does when it hears of one. It is there to save: where the ledger or a store does not answer, the slices go on, and
// the index looks after them.
func (c *Consumer) wanted(ctx context.Context, s tenants.Scope, ds []delivery) []bool {
	wanted := make([]bool, len(ds))
	of := map[events.DocumentRef]int{}
	var ps []corpus.Progress
	for i, d := range ds {
		wanted[i] = true
		if f := d.Fact; f.Slices >= manySlices {
			if _, known := of[f.DocumentRef]; !known {
				of[f.DocumentRef] = len(ps)
				ps = append(ps, corpus.Progress{DocumentRef: f.DocumentRef, Stage: corpus.StageSubmit}) // says nothing, and is answered
			}
		}
	}
	if len(ps) == 0 {
		return wanted
	}
	verdicts, err := c.ledger.Advance(ctx, s, ps)
	if err != nil {
		return wanted
	}
	var gone []corpus.Retirement
	for k, v := range verdicts {
		if v.Stale {
			for _, r := range v.Retired {
				gone = append(gone, corpus.Retirement{DocID: ps[k].DocID, Retired: r})
			}
		}
	}
	if err := corpus.Erase(ctx, s, c.stores, c.ledger, gone); err != nil {
		return wanted
	}
	for i, d := range ds {
		if k, asked := of[d.Fact.DocumentRef]; asked {
			wanted[i] = !verdicts[k].Stale
		}
	}
	return wanted
}
