package port

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/workflow"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
)

// RegisterFlow makes a flow the code of a Workflow class. Its steps wait delay before they are tried again, flow.RetryDelay if that is 0.
func RegisterFlow(class string, f flow.Flow, delay time.Duration) {
	if delay == 0 {
		delay = flow.RetryDelay
	}
	retries := &workflow.Config{Retries: flow.Retries, Delay: delay, Backoff: workflow.Exponential}
	workflow.Register(class, func(ctx context.Context, ev *workflow.Event, step workflow.Step) (any, error) {
		var p runParams
		if err := json.Unmarshal(ev.Payload, &p); err != nil {
			return nil, workflow.NonRetryable(err)
		}
		s, err := tenants.Resume(p.Tenant)
		if err != nil {
			return nil, workflow.NonRetryable(err)
		}
		if cause, err := trace.Parse(p.Trace); err == nil {
			ctx = trace.With(ctx, cause)
		}
		return nil, f(ctx, s, run{p.ID, step, retries}, p.Params)
	})
}

// run is a run of a Workflow.
type run struct {
	id      string
	step    workflow.Step
	retries *workflow.Config
}

var _ flow.Run = run{}

// ID implements flow.Run.
func (r run) ID() string { return r.id }

// Step implements flow.Run.
func (r run) Step(_ context.Context, name string, f func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	var k kept
	err := r.step.Do(name, r.retries, &k, func(ctx context.Context) (any, error) {
		result, err := f(ctx)
		switch {
		case err == nil:
			return keep(result), nil
		case fault.Retryable(err):
			return nil, stepError{err}
		}
		return kept{Fault: fault.As(err)}, nil
	})
	if err != nil {
		return nil, faultOf(err)
	}
	return k.outcome()
}

// Sleep implements flow.Run.
func (r run) Sleep(_ context.Context, name string, d time.Duration) error {
	if err := r.step.Sleep(name, d); err != nil {
		return faultOf(err)
	}
	return nil
}

// Wait implements flow.Run.
func (r run) Wait(_ context.Context, name, signal string, timeout time.Duration) (payload []byte, err error) {
	var raw json.RawMessage
	err = r.step.WaitForEvent(name, signal, timeout, &raw)
	switch {
	case err == nil:
		return raw, nil
	case timedOut(err):
		return nil, flow.ErrTimeout
	}
	return nil, faultOf(err)
}

// Runs is the Workflows that a Worker may start, by kind.
type Runs struct {
	of map[flow.Kind]workflow.Workflow
}

var _ flow.Runs = Runs{}

// NewRuns starts runs of the Workflows.
func NewRuns(of map[flow.Kind]workflow.Workflow) Runs { return Runs{of} }

// Start implements flow.Runs. The platform forgets a run some time after its end (30 days, or 3 where Workers are free), and its id may
// then be used again: https://developers.cloudflare.com/workflows/reference/limits/.
func (r Runs) Start(ctx context.Context, s tenants.Scope, k flow.Kind, id string, params any) error {
	w, err := r.workflow(s, k)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(params)
	if err != nil {
		return fault.New(fault.Internal, "flow_params", "the parameters do not encode", err)
	}
	instance := instanceID(s, id)
	_, err = w.Create(ctx, instance, runParams{Tenant: string(s.Tenant()), ID: id, Params: raw, Trace: flow.Cause(ctx).String()})
	if err == nil || thrown(err, "already_exists") || thrown(err, "already exists") {
		return nil
	}
	return fault.Unavailablef(err, "workflow_unavailable", "the run could not be started")
}

// Signal implements flow.Runs.
func (r Runs) Signal(ctx context.Context, s tenants.Scope, k flow.Kind, id, signal string, payload any) error {
	w, err := r.workflow(s, k)
	if err != nil {
		return err
	}
	instance := w.Get(instanceID(s, id))
	status, err := instance.Status(ctx)
	switch {
	case err != nil && thrown(err, "not_found"):
		return errNoRun(err)
	case err != nil:
		return fault.Unavailablef(err, "workflow_unavailable", "the run could not be asked")
	case over(status.Status):
		return errNoRun(nil)
	}
	if err := instance.SendEvent(ctx, signal, payload); err != nil {
		return fault.Unavailablef(err, "workflow_unavailable", "the run could not be told")
	}
	return nil
}

func (r Runs) workflow(s tenants.Scope, k flow.Kind) (workflow.Workflow, error) {
	if err := s.Check(); err != nil {
		return workflow.Workflow{}, err
	}
	w, ok := r.of[k]
	if !ok {
		return w, errFlow(k)
	}
	return w, nil
}

// thrown reports whether the platform threw an exception with the words.
func thrown(err error, words string) bool {
	var e *isolate.JSError
	return errors.As(err, &e) && strings.Contains(e.Message, words)
}
