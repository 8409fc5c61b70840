package memory

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
)

// Runs runs flows, each in a goroutine, until Stop. They live as long as the process.
type Runs struct {
	Hooks
	Flows map[flow.Kind]flow.Flow
	// Pause is how a run waits; nil is by the system's clock.
	Pause func(ctx context.Context, d time.Duration) error

	mu     sync.Mutex
	runs   map[string]*flow.Mailbox // of those that have not ended; nil of those that have
	errs   map[string]error
	ctx    context.Context
	cancel context.CancelFunc
	busy   sync.WaitGroup
}

var _ flow.Runs = (*Runs)(nil)

// NewRuns makes runs of flows.
func NewRuns(flows map[flow.Kind]flow.Flow) *Runs {
	r := &Runs{Flows: flows, runs: map[string]*flow.Mailbox{}, errs: map[string]error{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Start implements flow.Runs.
func (r *Runs) Start(ctx context.Context, s tenants.Scope, k flow.Kind, id string, params any) error {
	return r.do(s, "start", func() error {
		f := r.Flows[k]
		if f == nil {
			return fault.New(fault.Internal, "flow_unknown", "there is no flow "+string(k), nil)
		}
		raw, err := json.Marshal(params)
		if err != nil {
			return fault.New(fault.Internal, "flow_params", "the parameters do not encode", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		key := runKey(s, k, id)
		if _, known := r.runs[key]; known {
			return nil
		}
		mail, cause := &flow.Mailbox{}, flow.Cause(ctx)
		r.runs[key] = mail
		r.busy.Go(func() {
			err := flow.Inline(trace.With(r.ctx, cause), s, f, id, json.RawMessage(raw), &flow.InlineOptions{Pause: r.Pause, Mail: mail})
			r.mu.Lock()
			defer r.mu.Unlock()
			r.runs[key], r.errs[key] = nil, err
		})
		return nil
	})
}

// Signal implements flow.Runs.
func (r *Runs) Signal(_ context.Context, s tenants.Scope, k flow.Kind, id, signal string, payload any) error {
	return r.do(s, "signal", func() error {
		raw, err := json.Marshal(payload)
		if err != nil {
			return fault.New(fault.Internal, "signal_payload", "the payload does not encode", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		mail := r.runs[runKey(s, k, id)]
		if mail == nil {
			return fault.Missing("run_not_found", "there is no such run, or it has ended")
		}
		mail.Put(signal, raw)
		return nil
	})
}

// Ended reports whether a run has ended, and with what.
func (r *Runs) Ended(s tenants.Scope, k flow.Kind, id string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err, ended := r.errs[runKey(s, k, id)]
	return ended, err
}

// Stop ends all runs where they are and waits for that.
func (r *Runs) Stop() {
	r.cancel()
	r.busy.Wait()
}

func runKey(s tenants.Scope, k flow.Kind, id string) string { return s.Key("runs", string(k), id) }
