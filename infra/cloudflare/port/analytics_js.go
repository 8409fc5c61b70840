package port

import (
	"context"
	"fmt"
	"syscall/js"

	"levada.dev/events/meter"
	"levada.dev/infra/cloudflare/analytics"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// analyst writes what is counted to Analytics Engine: one point for each series of a batch.
type analyst struct {
	worker  string
	dataset analytics.Dataset
	room    room // goroutines of an isolate take turns, and nobody waits in between
}

var _ meter.Sink = (*analyst)(nil)

// Beside is a sink that keeps what the Worker of a role counts, with Analytics Engine beside it where a dataset is bound.
func Beside(keeps meter.Sink, worker string) meter.Sink {
	if isolate.EnvValue().Get(stack.AnalyticsBinding).Type() == js.TypeUndefined {
		return keeps
	}
	return meter.Both(keeps, NewAnalyst(analytics.Open(stack.AnalyticsBinding), worker))
}

// NewAnalyst is the sink that is a dataset, for the Worker of a role. What an event has no room for is lost.
func NewAnalyst(dataset analytics.Dataset, worker string) meter.Sink {
	return &analyst{worker: worker, dataset: dataset}
}

// Add implements meter.Sink.
func (a *analyst) Add(ctx context.Context, s tenants.Scope, b meter.Batch) error {
	if err := s.Check(); err != nil {
		return err
	}
	event := isolate.From(ctx)
	if event == nil {
		return isolate.ErrNoTask
	}
	if b.Set == nil {
		return nil
	}
	points := Points(a.worker, s, b.Set)
	n := a.room.take(event.Home(), len(points))
	for _, p := range points[:n] {
		if err := a.dataset.Write(ctx, analytics.Point{Indexes: []string{p.Index}, Blobs: p.Blobs, Doubles: p.Doubles}); err != nil {
			return err
		}
	}
	if n < len(points) {
		return fmt.Errorf("analytics: no room for %d of %d series", len(points)-n, len(points))
	}
	return nil
}
