package llm

import (
	"context"

	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants/quota"
)

// Metered makes a context under which spent is told of each use of a model as it is booked, for records of what something took. Who pays tells it,
// so it is what the ledger has, also of a call that failed or was cut off. It may be told by several goroutines at once.
func Metered(ctx context.Context, spent func(tokens, nanos int64)) context.Context {
	return context.WithValue(ctx, meter{}, spent)
}

type meter struct{}

// UseOf is a call of a model as it is booked, before it is known what it took.
func UseOf(ctx context.Context, c Call, model string) quota.Use {
	return quota.Use{Capability: quota.CapabilityOf(ctx, string(c.Purpose)), Purpose: string(c.Purpose), Model: model}
}

// Watched notices a call of a model, from when it is made. Whoever begins it ends it, after it has settled: Settle tells the span what the call took.
func Watched(ctx context.Context, model string, c Call) (context.Context, *watch.Span) {
	ctx, span := watch.Start(ctx, trace.Model, model)
	span.Note(func(f *trace.Facts) { f.Purpose, f.RequestID = string(c.Purpose), c.RequestID })
	return ctx, span
}

// Paying is Watched for a call that a hold pays for: done, which is called once whatever came of the call, settles the hold with what the call took and ends the span.
func Paying(ctx context.Context, hold quota.Hold, model string, c Call) (_ context.Context, span *watch.Span, done func(err error, used ...quota.Use)) {
	ctx, span = Watched(ctx, model, c)
	return ctx, span, func(err error, used ...quota.Use) {
		Settle(ctx, hold, used...)
		span.End(ctx, err)
	}
}

// logged notes the gateway's entry of a call.
func logged(span *watch.Span, id string) {
	span.Note(func(f *trace.Facts) { f.LogID = id })
}

// Settle ends a hold with what was used, and tells whoever counts.
func Settle(ctx context.Context, hold quota.Hold, used ...quota.Use) {
	hold.Settle(ctx, used...)
	for _, u := range used {
		watch.Of(ctx).Spent(trace.Use{Prompt: u.Prompt, Completion: u.Completion, Chars: u.Chars, Nanos: u.Nanos, Estimated: u.Estimated})
	}
	spent, ok := ctx.Value(meter{}).(func(tokens, nanos int64))
	if !ok {
		return
	}
	for _, u := range used {
		spent(u.Prompt+u.Completion, u.Nanos)
	}
}
