package transfer

import (
	"context"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/transfer"
)

// Consumer starts the runs that bring tenants here.
type Consumer struct{ runs flow.Runs }

// New makes the consumer.
func New(runs flow.Runs) *Consumer { return &Consumer{runs} }

// Route takes tenant.transfer.requested.
func (c *Consumer) Route() consumers.Route {
	return consumers.Route{Type: events.TypeTenantTransferRequested, Name: "tenant-transfer", Handle: consumers.Facts(c.Start)}
}

// Start starts the flow of each run. Its id is the job's, so one that is told twice runs once.
func (c *Consumer) Start(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.TenantTransferRequested]) []error {
	return consumers.Starts(c.runs, transfer.Kind, func(d consumers.Of[events.TenantTransferRequested]) (string, any) {
		return d.Fact.JobID, transfer.Order{From: d.Fact.From, Key: d.Fact.Key, Last: d.Fact.Last, Usage: d.Fact.Usage, Cause: d.Event.Cause()}
	})(ctx, s, ds)
}
