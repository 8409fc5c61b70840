package corpus

import (
	"context"
	"fmt"
	"slices"

	"levada.dev/events"
	"levada.dev/tenants"
)

// Retirement is a retired generation of a document, whose vectors are to be removed.
type Retirement struct {
	DocID string
	Retired
}

// Erase removes the vectors of retired generations, of as many documents of a tenant as are given, and confirms that
// to the ledger. It may run again, alone or beside itself: what is gone stays gone, and until the ledger has taken
// the confirmation it names the generation in its verdicts again.
func Erase(ctx context.Context, s tenants.Scope, vs Vectors, l Ledger, rs []Retirement) error {
	if len(rs) == 0 {
		return nil
	}
	ids := map[string][]string{} // by model
	confirm := make([]Progress, len(rs))
	for i, r := range rs {
		for chunk := range r.Chunks {
			ids[r.Model] = append(ids[r.Model], VectorID(s, r.DocID, r.Generation, chunk))
		}
		confirm[i] = Progress{DocumentRef: events.DocumentRef{DocID: r.DocID, Generation: r.Generation}, Stage: StageRetire}
	}
	if err := DeleteVectors(ctx, s, vs, ids); err != nil {
		return err
	}
	if _, err := l.Advance(ctx, s, confirm); err != nil {
		return fmt.Errorf("confirm the removal of retired vectors: %w", err)
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
