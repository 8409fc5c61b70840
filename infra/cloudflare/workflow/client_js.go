package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/infra/cloudflare/isolate"
)

// patience is how long a call may take.
const patience = 15 * time.Second

// Workflow is the binding of a workflow. It may be shared by all goroutines.
type Workflow struct{ binding string }

// Open returns the workflow bound under the name. A missing binding shows at the first call.
func Open(binding string) Workflow { return Workflow{binding} }

// Create starts a run. The id must be new: an existing one is an error, so an id that
// derives from an event makes starting idempotent. An empty id is chosen by the platform.
func (w Workflow) Create(ctx context.Context, id string, params any) (Instance, error) {
	var p any
	if params != nil {
		b, err := json.Marshal(params)
		if err != nil {
			return Instance{}, fmt.Errorf("workflow: params: %w", err)
		}
		p = json.RawMessage(b)
	}
	r, err := isolate.CallWithin(ctx, patience, "workflow.create", w.binding, id, p)
	if err != nil {
		return Instance{}, fmt.Errorf("workflow: create: %w", err)
	}
	return Instance{w.binding, r.String()}, r.Err()
}

// Get returns the run of the id. Whether there is one shows at the first call.
func (w Workflow) Get(id string) Instance { return Instance{w.binding, id} }

// Instance is a run.
type Instance struct{ binding, ID string }

// Status is the state of a run.
type Status struct {
	Status string // queued, running, paused, errored, terminated, complete, waiting, waitingForPause, rollingBack, unknown
	Error  struct{ Name, Message string }
	Output json.RawMessage // of a complete run
}

// Status returns the state of the run.
func (i Instance) Status(ctx context.Context) (*Status, error) {
	b, err := i.do(ctx, "status", nil)
	if err != nil {
		return nil, err
	}
	var s struct {
		Status
		Error json.RawMessage // an object, a string or null, by the platform's version
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("workflow: status: %w", err)
	}
	if json.Unmarshal(s.Error, &s.Status.Error) != nil {
		_ = json.Unmarshal(s.Error, &s.Status.Error.Message)
	}
	return &s.Status, nil
}

// SendEvent sends an event to a run that waits for it, or will.
func (i Instance) SendEvent(ctx context.Context, eventType string, payload any) error {
	p, err := json.Marshal(map[string]any{"type": eventType, "payload": payload})
	if err != nil {
		return fmt.Errorf("workflow: event: %w", err)
	}
	_, err = i.do(ctx, "sendEvent", json.RawMessage(p))
	return err
}

// Pause stops the run after its present step.
func (i Instance) Pause(ctx context.Context) error { _, err := i.do(ctx, "pause", nil); return err }

// Resume continues a paused run.
func (i Instance) Resume(ctx context.Context) error { _, err := i.do(ctx, "resume", nil); return err }

// Restart begins the run anew, without the results it had.
func (i Instance) Restart(ctx context.Context) error { _, err := i.do(ctx, "restart", nil); return err }

// Terminate ends the run.
func (i Instance) Terminate(ctx context.Context) error {
	_, err := i.do(ctx, "terminate", nil)
	return err
}

func (i Instance) do(ctx context.Context, method string, argument any) ([]byte, error) {
	r, err := isolate.CallWithin(ctx, patience, "workflow.do", i.binding, i.ID, method, argument)
	if err != nil {
		return nil, fmt.Errorf("workflow: %s: %w", method, err)
	}
	b := r.Bytes()
	return b, r.Err()
}
