package meter

import (
	"context"
	"log/slog"

	"levada.dev/tenants"
)

// Both is a sink that keeps what it is told, and another beside it that is told what the first has taken. What the second does not take is lost there, and said in the log.
// It is told each batch once at most, unless whoever tells it has not heard that the first took it.
func Both(keeps, beside Sink) Sink { return both{keeps, beside} }

type both struct{ keeps, beside Sink }

// Add implements Sink.
func (b both) Add(ctx context.Context, s tenants.Scope, in Batch) error {
	if err := b.keeps.Add(ctx, s, in); err != nil {
		return err
	}
	if err := b.beside.Add(ctx, s, in); err != nil {
		slog.WarnContext(ctx, "counts are not written beside", "tenantId", s.Tenant(), "error", err)
	}
	return nil
}
