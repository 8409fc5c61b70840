package sync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// Pool knows the tenants; *tenants.CachedDirectory does.
type Pool interface {
	Tenants(ctx context.Context) ([]tenants.ID, error)
	Config(ctx context.Context, id tenants.ID) (*tenants.Config, error)
}

// Opener opens imports; imports.Ledger does.
type Opener interface {
	OpenImport(ctx context.Context, s tenants.Scope, im imports.Import) (job.Job, error)
}

// Syncer opens the imports of sources whose time has come. It is safe for concurrent use.
type Syncer struct {
	pool  Pool
	opens Opener
	log   *slog.Logger
}

// New makes a syncer. It logs what it opens.
func New(pool Pool, opens Opener, log *slog.Logger) *Syncer { return &Syncer{pool, opens, log} }

// Sync opens what is due at a time. It may be called as often as one likes, and late: an import is opened once in its slot. A tenant whose sources
// cannot be imported does not hold up the others; the error names it.
func (y *Syncer) Sync(ctx context.Context, at time.Time) error {
	ids, err := y.pool.Tenants(ctx)
	if err != nil {
		return fmt.Errorf("list the tenants: %w", err)
	}
	var errs []error
	for _, id := range ids {
		if err := y.tenant(ctx, id, at); err != nil {
			errs = append(errs, fmt.Errorf("tenant %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (y *Syncer) tenant(ctx context.Context, id tenants.ID, at time.Time) error {
	c, err := y.pool.Config(ctx, id)
	if err != nil {
		return err
	}
	s, err := tenants.Resume(string(id))
	if err != nil {
		return err
	}
	var errs []error
	for _, source := range c.Sources {
		if source.Sync == nil {
			continue
		}
		due, open := slotAt(id, source.ID, time.Duration(source.Sync.EveryMinutes)*time.Minute, at)
		if !open {
			continue
		}
		if err := y.open(ctx, s, source, due); err != nil {
			errs = append(errs, fmt.Errorf("source %s: %w", source.ID, err))
		}
	}
	return errors.Join(errs...)
}

// open opens the import of a slot. When too much waits, the next call within the window tries again, or the next slot does.
func (y *Syncer) open(ctx context.Context, s tenants.Scope, source tenants.Source, due slot) error {
	id := due.id()
	origin := imports.Origin{URLs: source.Sync.URLs, Sitemap: source.Sync.Sitemap, Prefix: source.Sync.Prefix}
	j, err := y.opens.OpenImport(ctx, s, imports.Import{
		ID: id, Origin: origin, Source: source.ID, Entries: len(origin.URLs), Cause: events.Cause{ID: id},
	})
	if fault.Is(err, fault.Limited) {
		y.log.WarnContext(ctx, "sync put off", "tenantId", s.Tenant(), "source", source.ID, "code", fault.As(err).Code)
		return nil
	}
	if err != nil {
		return err
	}
	y.log.InfoContext(ctx, "sync", "tenantId", s.Tenant(), "source", source.ID, "jobId", j.ID, "state", j.State)
	return nil
}
