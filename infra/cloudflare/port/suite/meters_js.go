package main

import (
	"context"

	"levada.dev/events/meter"
	"levada.dev/events/meter/metertest"
	"levada.dev/events/trace"
	"levada.dev/tenants"
)

// meters is the port of the suite of what is counted, in the event.
type meters struct {
	event
	port metertest.Meters
}

func (x meters) Add(ctx context.Context, s tenants.Scope, b meter.Batch) error {
	return x.port.Add(x.in(ctx), s, b)
}

func (x meters) Read(ctx context.Context, s tenants.Scope, q meter.Query) ([]meter.Slot, error) {
	return x.port.Read(x.in(ctx), s, q)
}

func (x meters) Traces(ctx context.Context, s tenants.Scope, q meter.TraceQuery) ([]meter.Trace, error) {
	return x.port.Traces(x.in(ctx), s, q)
}

func (x meters) Trace(ctx context.Context, s tenants.Scope, id string) ([]trace.Span, error) {
	return x.port.Trace(x.in(ctx), s, id)
}

func (x meters) Clear(ctx context.Context, s tenants.Scope, limit int) (int, error) {
	return x.port.Clear(x.in(ctx), s, limit)
}

func (x meters) Count(ctx context.Context, s tenants.Scope, limit int) (int, error) {
	return x.port.Count(x.in(ctx), s, limit)
}

func (x meters) Bar(ctx context.Context, s tenants.Scope, by string) (bool, error) {
	return x.port.Bar(x.in(ctx), s, by)
}

func (x meters) Unbar(ctx context.Context, s tenants.Scope, by string) error {
	return x.port.Unbar(x.in(ctx), s, by)
}
