package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/isolate/wire"
)

// Event is what a run was started with.
type Event struct {
	InstanceID string
	Timestamp  time.Time
	Payload    json.RawMessage
}

// NonRetryable marks an error as final: a step that returns it is not tried again.
func NonRetryable(err error) error { return &final{err} }

type final struct{ error }

func (f *final) Unwrap() error { return f.error }

// answer is how an error crosses: its text and whether it is final.
type answer struct{ error }

func (a answer) Wire() []any {
	var f *final
	return []any{a.Error(), errors.As(a.error, &f)}
}

type runFunc func(ctx context.Context, ev *Event, step Step) (any, error)

var classes = map[string]runFunc{}

// Register registers a workflow class. The result of run is kept as JSON; its error
// fails the run for good.
func Register(class string, run func(ctx context.Context, ev *Event, step Step) (any, error)) {
	if len(classes) == 0 {
		isolate.Handle("workflow.run", start)
	}
	classes[class] = run
}

func start(ctx context.Context, event *wire.Reader) ([]any, error) {
	class := event.String()
	ev := &Event{InstanceID: event.String(), Timestamp: time.UnixMilli(event.Int()), Payload: event.Bytes()}
	if err := event.Err(); err != nil {
		return nil, err
	}
	run := classes[class]
	if run == nil {
		return nil, answer{NonRetryable(errors.New("workflow: no class " + class + " is registered"))}
	}
	return encode(run(ctx, ev, Step{ctx}))
}

func encode(v any, err error) ([]any, error) {
	if err != nil {
		return nil, answer{err}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, answer{NonRetryable(fmt.Errorf("workflow: result: %w", err))}
	}
	return []any{json.RawMessage(b)}, nil
}

// Step is the durable side of a run. Its methods are called by the goroutine of the run.
type Step struct{ ctx context.Context }

// The kinds of backoff.
const (
	Constant    = "constant"
	Linear      = "linear"
	Exponential = "exponential"
)

// Config is how a step is tried. The zero value is the platform's default: five
// retries from 10 s on, exponential, ten minutes for each attempt.
type Config struct {
	Retries int // after the first attempt; negative: none
	Delay   time.Duration
	Backoff string // Constant, Linear or Exponential
	Timeout time.Duration
}

const (
	defaultRetries = 5
	defaultDelay   = 10 * time.Second
)

func (c *Config) wire() any {
	if c == nil || *c == (Config{}) {
		return nil
	}
	m := map[string]any{}
	if c.Retries != 0 || c.Delay != 0 || c.Backoff != "" {
		r := map[string]any{"limit": max(c.Retries, 0), "delay": c.Delay.Milliseconds()}
		if c.Retries == 0 {
			r["limit"] = defaultRetries
		}
		if c.Delay == 0 {
			r["delay"] = defaultDelay.Milliseconds()
		}
		if c.Backoff != "" {
			r["backoff"] = c.Backoff
		}
		m["retries"] = r
	}
	if c.Timeout > 0 {
		m["timeout"] = c.Timeout.Milliseconds()
	}
	b, _ := json.Marshal(m) // strings and numbers
	return json.RawMessage(b)
}

// Do runs f as a step: once it has succeeded, the step answers with its result for
// ever. The result is decoded into out, which may be nil. The context of f is that of
// the step; an attempt that fails or times out is repeated as cfg tells.
func (s Step) Do(name string, cfg *Config, out any, f func(ctx context.Context) (any, error)) error {
	steps++
	callback := "step:" + strconv.Itoa(steps)
	isolate.Handle(callback, func(ctx context.Context, _ *wire.Reader) ([]any, error) { return encode(f(ctx)) })
	defer isolate.Unhandle(callback)
	r, err := isolate.Call(s.ctx, "step.do", name, cfg.wire(), callback)
	if err != nil {
		return fmt.Errorf("step %s: %w", name, err)
	}
	return decode(r, out)
}

var steps int

func decode(r *wire.Reader, out any) error {
	b := r.Bytes()
	if err := r.Err(); err != nil || out == nil {
		return err
	}
	return json.Unmarshal(b, out)
}

// Sleep waits; the run does not occupy the isolate meanwhile.
func (s Step) Sleep(name string, d time.Duration) error {
	_, err := isolate.Call(s.ctx, "step.sleep", name, d.Milliseconds())
	return err
}

// SleepUntil waits until the time.
func (s Step) SleepUntil(name string, at time.Time) error {
	_, err := isolate.Call(s.ctx, "step.sleepuntil", name, at.UnixMilli())
	return err
}

// WaitForEvent waits for an event of the type, sent by [Instance.SendEvent], and decodes its
// payload into out. It returns an error when none came within the timeout.
func (s Step) WaitForEvent(name, eventType string, timeout time.Duration, out any) error {
	r, err := isolate.Call(s.ctx, "step.event", name, eventType, timeout.Milliseconds())
	if err != nil {
		return fmt.Errorf("step %s: %w", name, err)
	}
	return decode(r, out)
}
