package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// InlineOptions tunes a run in the caller. The zero value waits by the system's clock and gets no signals.
type InlineOptions struct {
	Pause func(ctx context.Context, d time.Duration) error // waits, as long as ctx lasts
	Mail  *Mailbox                                         // where its signals come to
}

// Inline runs a flow in the caller, from its beginning to its end. Nothing is kept: it is for tests, for commands, and for places
// that have nothing durable, and what it does must bear to be cut off.
func Inline(ctx context.Context, s tenants.Scope, f Flow, id string, params any, o *InlineOptions) error {
	if err := s.Check(); err != nil {
		return err
	}
	raw, err := json.Marshal(params)
	if err != nil {
		return fault.New(fault.Internal, "flow_params", "the parameters do not encode", err)
	}
	r := &inline{id: id}
	if o != nil {
		r.options = *o
	}
	if r.options.Pause == nil {
		r.options.Pause = pause
	}
	if r.options.Mail == nil {
		r.options.Mail = &Mailbox{}
	}
	return f(ctx, s, r, raw)
}

type inline struct {
	id      string
	options InlineOptions
}

var _ Run = (*inline)(nil)

func (r *inline) ID() string { return r.id }

func (r *inline) Step(ctx context.Context, name string, f func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	for n := 1; ; n++ {
		kept, err := f(ctx)
		if err == nil || !fault.Retryable(err) || n > Retries {
			return kept, err
		}
		if err := r.options.Pause(ctx, Delay(RetryDelay, n)); err != nil {
			return nil, fmt.Errorf("step %s: %w", name, err)
		}
	}
}

func (r *inline) Sleep(ctx context.Context, _ string, d time.Duration) error {
	return r.options.Pause(ctx, d)
}

func (r *inline) Wait(ctx context.Context, _, signal string, timeout time.Duration) ([]byte, error) {
	return r.options.Mail.Wait(ctx, signal, timeout)
}

// pause waits by the system's clock.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
