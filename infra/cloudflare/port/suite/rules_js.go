package main

import (
	"context"

	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/events/meter/metertest"
	"levada.dev/tenants"
)

// rules is the port of the suite of alerts, in the event.
type rules struct {
	event
	port metertest.Rules
}

func (x rules) Add(ctx context.Context, s tenants.Scope, b meter.Batch) error {
	return x.port.Add(x.in(ctx), s, b)
}

func (x rules) Set(ctx context.Context, s tenants.Scope, o alert.Order) (alert.Taken, error) {
	return x.port.Set(x.in(ctx), s, o)
}

func (x rules) List(ctx context.Context, s tenants.Scope) ([]alert.Alert, error) {
	return x.port.List(x.in(ctx), s)
}

func (x rules) Drop(ctx context.Context, s tenants.Scope, id string) error {
	return x.port.Drop(x.in(ctx), s, id)
}
