package reembed

import (
	"context"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/erasure"
)

const (
	// sweeps is how often it is looked whether something is left.
	sweeps = 200
	// unseen is how long a removal may take to be seen.
	unseen = 5 * time.Second
)

// errRemains is why a removal fails that found something each time it looked.
var errRemains = fault.New(fault.Conflict, "space_not_empty", "the index still showed something, however often it was removed", nil)

// sweep removes what the index shows of the space: what the ledger does not know of, and, until it is seen that they are gone, those that were removed.
func (x *moving) sweep(ctx context.Context) error {
	space := erasure.NewSpace(x.Stores.Vectors, x.model)
	for n := range sweeps {
		left, err := try(ctx, x, fmt.Sprintf("left %d", n), func(ctx context.Context) (int, error) { return space.Left(ctx, x.scope) })
		if err != nil || left == 0 && n > 0 {
			return err
		}
		if n > 0 { // and not only because the removals are not seen yet
			if _, err := try(ctx, x, fmt.Sprintf("sweep %d", n), func(ctx context.Context) (int, error) {
				if _, err := x.Ledger.Late(ctx, x.scope, x.id); err != nil { // everything was erased, and what is there has come since
					return 0, err
				}
				removed, _, err := space.Sweep(ctx, x.scope, 0)
				return removed, err
			}); err != nil {
				return err
			}
		}
		if err := x.run.Sleep(ctx, fmt.Sprintf("swept %d", n), unseen); err != nil {
			return err
		}
	}
	return errRemains
}
