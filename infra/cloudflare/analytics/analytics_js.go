package analytics

import (
	"context"
	"fmt"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/isolate/wire"
)

// Dataset is an Analytics Engine binding. It may be shared by all goroutines.
type Dataset struct{ binding string }

// Open returns the dataset bound under the name. A missing binding shows at the first call.
func Open(binding string) Dataset { return Dataset{binding} }

// Point is one row: one index of at most 96 bytes (the sampling key), up to twenty
// texts of 16 KB in all, up to twenty numbers
// (https://developers.cloudflare.com/analytics/analytics-engine/limits/).
type Point struct {
	Indexes []string
	Blobs   []string
	Doubles []float64
}

// Write hands the point over. It does not wait: the platform writes it later, and may
// sample when there are many.
func (d Dataset) Write(ctx context.Context, p Point) error {
	doubles := make(wire.List, len(p.Doubles))
	for i, v := range p.Doubles {
		doubles[i] = v
	}
	if _, err := isolate.CallSync(ctx, "analytics.write", d.binding, p.Indexes, p.Blobs, doubles); err != nil {
		return fmt.Errorf("analytics: %w", err)
	}
	return nil
}
