package main

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/reembed"
)

// The ledger as the suite of a change of the embedding model asks it.

func (x ledger) Spaces(ctx context.Context, s tenants.Scope) (reembed.Spaces, error) {
	return x.port.Spaces(x.in(ctx), s)
}

func (x ledger) Missing(ctx context.Context, s tenants.Scope, model, cursor string) (reembed.Missing, error) {
	return x.port.Missing(x.in(ctx), s, model, cursor)
}

func (x ledger) OpenMove(ctx context.Context, s tenants.Scope, r reembed.Request) (corpus.Receipt, error) {
	return x.port.OpenMove(x.in(ctx), s, r)
}

func (x ledger) TakeWorks(ctx context.Context, s tenants.Scope, a reembed.Asked) (reembed.Batch, error) {
	return x.port.TakeWorks(x.in(ctx), s, a)
}

func (x ledger) Filled(ctx context.Context, s tenants.Scope, jobID string, ds []reembed.Done) ([]corpus.Verdict, error) {
	return x.port.Filled(x.in(ctx), s, jobID, ds)
}

func (x ledger) Turn(ctx context.Context, s tenants.Scope, jobID string) error {
	return x.port.Turn(x.in(ctx), s, jobID)
}

func (x ledger) Switch(ctx context.Context, s tenants.Scope, jobID string) error {
	return x.port.Switch(x.in(ctx), s, jobID)
}

func (x ledger) Late(ctx context.Context, s tenants.Scope, jobID string) (int, error) {
	return x.port.Late(x.in(ctx), s, jobID)
}

func (x ledger) EndMove(ctx context.Context, s tenants.Scope, jobID string, failed *job.Problem) (job.Job, error) {
	return x.port.EndMove(x.in(ctx), s, jobID, failed)
}
