package consumers

import (
	"context"
	"fmt"

	"levada.dev/events/trace"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
)

// Starts makes the handler that starts a run of a flow for each fact: with an id, so that a fact that is told twice starts one, and an order.
func Starts[F any](runs flow.Runs, k flow.Kind, run func(Of[F]) (id string, order any)) func(context.Context, tenants.Scope, []Of[F]) []error {
	return func(ctx context.Context, s tenants.Scope, ds []Of[F]) []error {
		errs := make([]error, len(ds))
		for i, d := range ds {
			id, order := run(d)
			within := ctx
			if cause, err := trace.Parse(d.Event.TraceParent); err == nil {
				within = trace.With(ctx, cause)
			}
			if err := runs.Start(within, s, k, id, order); err != nil {
				errs[i] = fmt.Errorf("start %s %s: %w", k, id, err)
			}
		}
		return errs
	}
}
