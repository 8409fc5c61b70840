package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/tally"
)

// ran is what a tool did.
type ran struct {
	data          json.RawMessage
	err           error
	cause         error // why its context ended, while it ran
	tokens, nanos int64
}

// run runs the tool in a goroutine of its own, and waits for it or for the end of its context.
func (x *execution) run(ctx, caller context.Context) (out ran) {
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	own, stop := context.WithTimeoutCause(own, x.tool.timeout()-x.waited, errTime)
	defer stop()
	defer context.AfterFunc(caller, func() {
		if x.order.Key == "" {
			cancel(errLeft)
			return
		}
		time.AfterFunc(x.r.opts.Linger, func() { cancel(errTime) })
	})()

	c := &Call{
		ID: x.id, Once: x.once(), Scope: x.scope, Config: x.caller.Config, Input: x.canonical, User: x.caller.User,
		RequestID: x.caller.RequestID, Cause: x.caller.Cause, stay: x.stay, report: x.order.Progress,
	}
	done := make(chan ran, 1)
	err := x.r.opts.Background(ctx, func(context.Context) { done <- x.guarded(own, c) })
	if err != nil {
		return ran{err: fault.Unavailablef(err, "call_cut_off", "the tool was not begun")}
	}
	select {
	case out = <-done:
	case <-own.Done():
		select {
		case out = <-done:
		default:
			out.err = context.Cause(own)
		}
	}
	out.cause = context.Cause(own)
	out.tokens, out.nanos = c.close()
	return out
}

// guarded is the tool's Run, of which a panic is an error.
func (x *execution) guarded(ctx context.Context, c *Call) (out ran) {
	defer func() {
		if p := recover(); p != nil {
			x.r.opts.Log.ErrorContext(ctx, "a tool panicked", "tenantId", x.scope.Tenant(), "tool", x.tool.Name, "callId", x.id,
				"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			out = ran{err: fault.New(fault.Internal, "tool_panicked", "the tool broke down", nil)}
		}
	}()
	data, err := x.tool.Run(ctx, c)
	return ran{data: data, err: err}
}

// judge says how the call ended, and what its caller is told. What a tool has done in time counts, also when its time is over since.
func (x *execution) judge(out ran) (events.Outcome, error) {
	if out.err == nil {
		out.err = x.check(out.data)
		if out.err == nil {
			return events.OutcomeSucceeded, nil
		}
		return events.OutcomeFailed, fault.New(fault.Unavailable, CodeFailed, fault.As(out.err).Message, out.err)
	}
	switch {
	case errors.Is(out.cause, errTime):
		return events.OutcomeTimeout, fault.New(fault.Unavailable, CodeTimeout, fmt.Sprintf("%s took longer than it may (%v)", x.tool.Name, x.tool.timeout()), nil)
	case errors.Is(out.cause, errLeft):
		return events.OutcomeCancelled, fault.New(fault.Unavailable, "caller_left", "the caller left", context.Canceled)
	}
	own := fault.As(out.err)
	switch own.Kind {
	case fault.Limited:
		return events.OutcomeFailed, out.err
	case fault.Invalid:
		return events.OutcomeFailed, fault.Invalidf(within("params", own.Field), CodeInvalid, "%s", own.Message).WithHint(own.Hint)
	}
	return events.OutcomeFailed, fault.New(fault.Unavailable, CodeFailed, own.Message, out.err).WithHint(own.Hint).WithRetryAfter(own.RetryAfter)
}

// check holds a result to what the tool promises.
func (x *execution) check(data json.RawMessage) error {
	if len(data) > MaxResultBytes {
		return fault.New(fault.Internal, "result_too_large", fmt.Sprintf("the result has %d bytes, above %d", len(data), MaxResultBytes), nil)
	}
	most := MaxResultValues
	if x.tool.Cost == Outside {
		most = MaxValues
	}
	if tally.Check(data, "result", most) != nil { // its error has names of the result in it
		return fault.New(fault.Internal, "result_too_large", fmt.Sprintf("the result holds more than %d values, or is nested too deep", most), nil)
	}
	if err := x.tool.Output.checkResult(data, "result", "result_invalid"); err != nil {
		return fault.New(fault.Internal, "result_invalid", "the result is not what the tool promises", err)
	}
	return nil
}

// within is a place below another.
func within(at, field string) string {
	switch {
	case field == "":
		return at
	case strings.HasPrefix(field, "["):
		return at + field
	}
	return at + "." + field
}
