package erasure

import (
	"context"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
)

const (
	look     = 15 * time.Second // between two looks at whether calls are in flight, at most
	maxLooks = 240              // an hour
)

// errBusy is why an erasure fails while somebody goes on calling a model.
var errBusy = fault.New(fault.Conflict, "erasure_busy", "calls of models that began before the erasure have not ended for an hour", nil)

// bar has the gate refuse what writes, and tells whether calls of models are in flight.
func (x *erasing) bar(ctx context.Context, name string) (busy bool, err error) {
	return flow.Insist(ctx, x.run, name, func(ctx context.Context) (bool, error) { return x.Gate.Bar(ctx, x.scope, x.id) })
}

// Gates are several that are barred as one.
type Gates []Gate

var _ Gate = Gates{}

// Bar implements Gate.
func (g Gates) Bar(ctx context.Context, s tenants.Scope, by string) (busy bool, err error) {
	for _, one := range g {
		b, err := one.Bar(ctx, s, by)
		if err != nil {
			return false, err
		}
		busy = busy || b
	}
	return busy, nil
}

// Unbar implements Gate.
func (g Gates) Unbar(ctx context.Context, s tenants.Scope, by string) error {
	for _, one := range g {
		if err := one.Unbar(ctx, s, by); err != nil {
			return err
		}
	}
	return nil
}

// quiet waits until whoever was let in before the gate was barred must have ended: who calls a model is known to hold money, and is
// waited for; what else there is takes no longer than Still, and if it came to a call meanwhile that is waited for, too.
func (x *erasing) quiet(ctx context.Context) error {
	still := false
	for n := range maxLooks {
		busy, err := x.bar(ctx, fmt.Sprintf("look %d", n))
		if err != nil || still && !busy {
			return err
		}
		pause := min(look, x.Settle)
		if still = !busy; still {
			pause = x.Still
		}
		if err := x.run.Sleep(ctx, fmt.Sprintf("busy %d", n), pause); err != nil {
			return err
		}
	}
	return errBusy
}
