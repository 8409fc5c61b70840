package erasure

import (
	"context"

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
	return consumers.Starts(c.runs, erasure.Kind, func(d consumers.Of[events.TenantErasureRequested]) (string, any) {
		return d.Fact.JobID, erasure.Order{Cause: d.Event.Cause()}
	})(ctx, s, ds)
}
