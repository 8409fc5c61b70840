package flowtest

import (
	"context"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
)

// Starts remembers which runs were started, and starts none. It refuses while it is down.
type Starts struct {
	flow.Runs
	Started map[string]any // the params, by the key that tenant, kind and id make
	Down    bool
}

// Start implements flow.Runs.
func (r *Starts) Start(_ context.Context, s tenants.Scope, k flow.Kind, id string, params any) error {
	if r.Down {
		return fault.Unavailablef(nil, "workflow_unavailable", "down")
	}
	if r.Started == nil {
		r.Started = map[string]any{}
	}
	r.Started[s.Key(string(k), id)] = params
	return nil
}
