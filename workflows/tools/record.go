package tools

import (
	"context"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
)

// patience is how long a call waits for what it tells others.
const patience = 5 * time.Second

// started puts on record that a tool that writes is about to be run.
func (x *execution) started(ctx context.Context) error {
	return x.record(ctx, events.ToolStarted{ToolCall: x.call()})
}

// executed puts on record how the call ended.
func (x *execution) executed(ctx context.Context, outcome events.Outcome, failed error, res Result) error {
	f := events.ToolExecuted{
		ToolCall: x.call(), Outcome: outcome, DurationMS: max(0, res.Duration.Milliseconds()), Tokens: max(0, res.Tokens), CostNanos: max(0, res.Nanos),
	}
	if failed != nil {
		f.Code = clip(OwnCode(failed), 64)
	}
	return x.record(ctx, f)
}

// call is what of it is told. In place of a name that no tool can have there is a question mark: the trail is not for what strangers write.
func (x *execution) call() events.ToolCall {
	name := x.order.Tool
	if !named(name) {
		name = "?"
	}
	return events.ToolCall{
		CallID: x.id, Attempt: x.attempt, Tool: name, Via: string(x.caller.Via), Actor: clip(x.caller.Actor, 128), UserID: clip(x.caller.User, 128),
		RequestID: x.caller.RequestID, Arguments: x.arguments(),
	}
}

// clip cuts a text to what a record has room for, in characters: a long name must not keep a call off the record.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// named reports whether a tool can have the name.
func named(name string) bool {
	return name != "" && len(name) <= maxName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// record puts a fact on record, also when the caller has left. The call is its cause, so that the same fact has the same id, whoever tells it.
func (x *execution) record(ctx context.Context, f events.Fact) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	cause := events.Cause{ID: x.id, TraceParent: x.caller.Cause.TraceParent}
	e, err := events.New(x.scope, x.r.opts.Worker, cause, x.r.opts.Now(), f)
	if err == nil {
		err = x.r.ports.Records.Publish(ctx, x.scope, e)
	}
	if err != nil {
		return fault.Unavailablef(err, CodeUnrecorded, "the call could not be put on record").WithHint("send the request again, with an Idempotency-Key")
	}
	return nil
}
