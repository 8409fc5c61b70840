package reembed

import (
	"context"
	"fmt"

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
	errs := make([]error, len(ds))
	for i, d := range ds {
		order := reembed.Order{Model: d.Fact.Model, Stay: d.Fact.Stay, Drop: d.Fact.Drop, Cause: d.Event.Cause()}
		if err := c.runs.Start(ctx, s, reembed.Kind, d.Fact.JobID, order); err != nil {
			errs[i] = fmt.Errorf("start the move %s: %w", d.Fact.JobID, err)
		}
	}
	return errs
}
