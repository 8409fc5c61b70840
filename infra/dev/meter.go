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
	return m, p.child.ask(ctx, "read", map[string]any{"worker": string(role)}, &m)
}
