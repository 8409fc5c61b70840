package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Kind names a flow; its value is the name of the Workflow in the stack.
type Kind string

// Run is one run of a flow. Names are unique within it, but for those of steps that are called again with the same
// effect. Its methods are called one after the other. An error of a method ends the flow, unless it is one of those that
// the method names.
type Run interface {
	// ID is the run's id: the one it was started with.
	ID() string
	// Step runs f until it has succeeded once, and returns what it returned then, for ever. A retryable fault is tried
	// again after a growing delay, five times; any other is returned.
	Step(ctx context.Context, name string, f func(ctx context.Context) ([]byte, error)) ([]byte, error)
	// Sleep waits; nothing is occupied meanwhile.
	Sleep(ctx context.Context, name string, d time.Duration) error
	// Wait waits for a signal to the run, which may have come before, and returns its payload. When none comes in time it
	// fails with ErrTimeout.
	Wait(ctx context.Context, name, signal string, timeout time.Duration) ([]byte, error)
}

// ErrTimeout is what Wait returns when no signal came.
var ErrTimeout = fault.New(fault.Unavailable, "signal_timeout", "no signal came in time", nil)

// Do is Step with a result of a type, which is kept as JSON, of at most 1 MiB.
// https://developers.cloudflare.com/workflows/reference/limits/
func Do[T any](ctx context.Context, r Run, name string, f func(ctx context.Context) (T, error)) (v T, err error) {
	kept, err := r.Step(ctx, name, func(ctx context.Context) ([]byte, error) {
		v, err := f(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(v)
	})
	if err != nil {
		return v, fmt.Errorf("step %s: %w", name, err)
	}
	if err := json.Unmarshal(kept, &v); err != nil {
		return v, fault.New(fault.Internal, "step_result", name, err)
	}
	return v, nil
}

// Runs starts flows and speaks to them.
//
// A run belongs to a tenant, and its id is unique within tenant and kind: Start with the id of a run that exists does
// nothing, so whoever is told twice to start one may. Signal of a run that does not exist, or has ended, is
// fault.NotFound, code run_not_found. A signal is kept until the run waits for it. What causes a run (Cause) is in the context of its
// flow, as trace.From has it, however often the run wakes up. Safe for concurrent use.
type Runs interface {
	Start(ctx context.Context, s tenants.Scope, k Kind, id string, params any) error
	Signal(ctx context.Context, s tenants.Scope, k Kind, id, signal string, payload any) error
}

// Flow is the code of a kind. Its params are the JSON that it was started with.
type Flow func(ctx context.Context, s tenants.Scope, r Run, params []byte) error
