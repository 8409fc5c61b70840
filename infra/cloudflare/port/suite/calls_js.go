package main

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/workflows/tools"
)

// calls is the port of the suite of calls, in the event.
type calls struct {
	event
	port tools.Calls
}

func (x calls) Begin(ctx context.Context, s tenants.Scope, o tools.Opening) (tools.Begun, error) {
	return x.port.Begin(x.in(ctx), s, o)
}

func (x calls) End(ctx context.Context, s tenants.Scope, key, id string, lease int, r tools.Result) error {
	return x.port.End(x.in(ctx), s, key, id, lease, r)
}

func (x calls) Lapse(ctx context.Context, s tenants.Scope, key, id string, lease int) error {
	return x.port.Lapse(x.in(ctx), s, key, id, lease)
}

func (x calls) Drop(ctx context.Context, s tenants.Scope, key, id string, lease int) error {
	return x.port.Drop(x.in(ctx), s, key, id, lease)
}
