package imports

import (
	"context"
	"fmt"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
)

// Consumer starts imports and ends them.
type Consumer struct{ runs flow.Runs }

// New makes the consumer.
func New(runs flow.Runs) *Consumer { return &Consumer{runs} }

// Routes take import.started and import.completed.
func (c *Consumer) Routes() []consumers.Route {
	return []consumers.Route{
		{Type: events.TypeImportStarted, Name: "imports-start", Handle: consumers.Facts(c.Start)},
		{Type: events.TypeImportCompleted, Name: "imports-complete", Handle: consumers.Facts(c.Complete)},
	}
}

// Start starts the flow of each import. Its id is the import's, so one that is told twice runs once.
func (c *Consumer) Start(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.ImportStarted]) []error {
	return consumers.Starts(c.runs, imports.Kind, func(d consumers.Of[events.ImportStarted]) (string, any) {
		f := d.Fact
		return f.ImportID, imports.Order{
			Origin: imports.Origin{Batch: f.Parts, URLs: f.URLs, Sitemap: f.Sitemap, Prefix: f.Prefix},
			Source: f.Source, Entries: f.Entries, Cause: d.Event.Cause(),
		}
	})(ctx, s, ds)
}

// Complete tells the flow of each import that it may end. One that has ended needs no telling, and one that begins later sees it by itself.
func (c *Consumer) Complete(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.ImportCompleted]) []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		err := c.runs.Signal(ctx, s, imports.Kind, d.Fact.ImportID, imports.Settled, nil)
		if err != nil && fault.As(err).Code != "run_not_found" {
			errs[i] = fmt.Errorf("settle import %s: %w", d.Fact.ImportID, err)
		}
	}
	return errs
}
