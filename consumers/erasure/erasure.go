package erasure

import (
	"context"
	"fmt"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/flow"
)

// Consumer starts the erasures of tenants.
type Consumer struct{ runs flow.Runs }

// New makes the consumer.
func New(runs flow.Runs) *Consumer { return &Consumer{runs} }

// Route takes tenant.erasure.requested.
func (c *Consumer) Route() consumers.Route {
	return consumers.Route{Type: events.TypeTenantErasureRequested, Name: "tenant-erase", Handle: consumers.Facts(c.Start)}
}

// Start starts the flow of each erasure. Its id is the job's, so one that is told twice runs once.
func (c *Consumer) Start(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.TenantErasureRequested]) []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		order := erasure.Order{Cause: d.Event.Cause()}
		if err := c.runs.Start(ctx, s, erasure.Kind, d.Fact.JobID, order); err != nil {
			errs[i] = fmt.Errorf("start the erasure %s: %w", d.Fact.JobID, err)
		}
	}
	return errs
}
