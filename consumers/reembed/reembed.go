package reembed

import (
	"context"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/reembed"
)

// Consumer starts the moves of tenants from one embedding model to another.
type Consumer struct{ runs flow.Runs }

// New makes the consumer.
func New(runs flow.Runs) *Consumer { return &Consumer{runs} }

// Route takes tenant.embedding.requested.
func (c *Consumer) Route() consumers.Route {
	return consumers.Route{Type: events.TypeTenantEmbeddingRequested, Name: "tenant-reembed", Handle: consumers.Facts(c.Start)}
}

// Start starts the flow of each move. Its id is the job's, so one that is told twice runs once.
func (c *Consumer) Start(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.TenantEmbeddingRequested]) []error {
	return consumers.Starts(c.runs, reembed.Kind, func(d consumers.Of[events.TenantEmbeddingRequested]) (string, any) {
		return d.Fact.JobID, reembed.Order{Model: d.Fact.Model, Stay: d.Fact.Stay, Drop: d.Fact.Drop, Cause: d.Event.Cause()}
	})(ctx, s, ds)
}
