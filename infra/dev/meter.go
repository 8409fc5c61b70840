package dev

import (
	"context"

	"levada.dev/infra/stack"
)

// Meter is what the runtime of a Worker has counted since workerd was started.
type Meter struct {
	Instances   int            `json:"instances"` // of Go, one after the other
	Deaths      []string       `json:"deaths"`    // of them, why
	Memory      int64          `json:"memory"`    // bytes of the instance that is there; an instance never gives back what it has had
	RowsWritten int            `json:"rowsWritten"`
	Operations  map[string]int `json:"operations"` // on bindings and platform, by name: "object.call", "r2.put", ...
}

// Meter reads the meter of a Worker.
func (p *Platform) Meter(ctx context.Context, role stack.Role) (m Meter, err error) {
	return m, p.meters(ctx, role, "read", &m)
}

// Point is one point of a dataset of Analytics Engine, as the binding is given it.
type Point struct {
	Dataset string    `json:"dataset"` // the name of the binding
	Indexes []string  `json:"indexes"`
	Blobs   []string  `json:"blobs"`
	Doubles []float64 `json:"doubles"`
}

// Points are the last 10,000 that a Worker has written since workerd was started, the oldest first.
func (p *Platform) Points(ctx context.Context, role stack.Role) (all []Point, err error) {
	return all, p.meters(ctx, role, "points", &all)
}

// meters calls a method of the entrypoint that every Worker has here.
func (p *Platform) meters(ctx context.Context, role stack.Role, method string, out any, args ...any) error {
	return p.child.ask(ctx, "meters", map[string]any{"worker": string(role), "method": method, "args": args}, out)
}
