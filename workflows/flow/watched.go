package flow

import (
	"context"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
)

// Watched has each attempt at a step of a flow noticed, in the trace of what started the run (trace.From), or in one that is the run's own. The run itself is
// no span: it falls asleep and begins again as often as it likes.
func Watched(w *watch.Watch, k Kind, f Flow) Flow {
	return func(ctx context.Context, s tenants.Scope, r Run, params []byte) error {
		x := &watched{Run: r, watch: w, scope: s, kind: k, parent: trace.From(ctx)}
		x.within = x.parent
		if x.within == (trace.Parent{}) {
			x.within = w.Place(trace.Parent{}, string(k)+"\x00"+s.Object("runs")+"\x00"+r.ID()) // it wakes up in the same
		}
		return f(ctx, s, x, params)
	}
}

// Cause is what a run that is started in ctx is caused by: what trace.With says, or what is noticed there.
func Cause(ctx context.Context) trace.Parent {
	if p := trace.From(ctx); p != (trace.Parent{}) {
		return p
	}
	return watch.Of(ctx).Parent()
}

// watched is a run of which somebody notices the steps.
type watched struct {
	Run
	watch          *watch.Watch
	scope          tenants.Scope
	kind           Kind
	within, parent trace.Parent
}

// errCut is how a step has ended that did not say.
var errCut = fault.New(fault.Internal, "step_panicked", "the step did not end", nil)

// Step implements Run.
func (x *watched) Step(ctx context.Context, name string, f func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	attempt := 0
	return x.Run.Step(ctx, name, func(ctx context.Context) (_ []byte, err error) {
		attempt++
		ctx, span := x.watch.Begin(ctx, trace.Step, name, x.watch.Child(x.within), x.parent)
		if span != nil {
			ctx = trace.With(ctx, span.Parent()) // what the step starts
		}
		span.For(x.scope)
		span.Note(func(f *trace.Facts) { f.Flow, f.Attempt = string(x.kind), attempt })
		defer func() { span.End(ctx, err) }()
		err = errCut
		var kept []byte
		kept, err = f(ctx)
		return kept, err
	})
}
