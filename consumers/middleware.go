package consumers

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
)

// Middleware wraps the handler of a route.
type Middleware func(r Route, next Handler) Handler

// Recover turns a panic into a fault.Internal of the event that caused it. A batch that panics is handled again one by
// one, so that the others are not held up by it.
func Recover() Middleware {
	return func(r Route, next Handler) Handler {
		return func(ctx context.Context, s tenants.Scope, ds []Delivery) []error {
			errs, ok := attempt(ctx, s, r, next, ds)
			if ok || len(ds) == 1 {
				return errs
			}
			for i := range ds {
				one, _ := attempt(ctx, s, r, next, ds[i:i+1])
				errs[i] = one[0]
			}
			return errs
		}
	}
}

func attempt(ctx context.Context, s tenants.Scope, r Route, next Handler, ds []Delivery) (errs []error, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			errs = Fail(len(ds), fault.New(fault.Internal, "handler_panicked", r.Name, fmt.Errorf("panic: %v", p)))
			ok = false
		}
	}()
	errs = next(ctx, s, ds)
	if len(errs) != len(ds) {
		panic(fmt.Sprintf("%d errors for %d events", len(errs), len(ds)))
	}
	return errs, true
}

// Watched has what a handler does noticed: as a batch, with its line and its counts, and for each event as a span of the trace that the event belongs to, or of a new
// one. What the handler does on the way, such as a call of a model for all of them, is part of the first event's span. What it tells is caused by
// a place that derives from the event and the handler, so that a second run tells the same events; it is the span of the first attempt. An event that was not done
// has a line of its own, with nothing of what the event says.
func Watched(w *watch.Watch, log *slog.Logger, now func() time.Time) Middleware {
	return func(r Route, next Handler) Handler {
		return func(ctx context.Context, s tenants.Scope, ds []Delivery) []error {
			b := begin(ctx, w, s, r, ds, now())
			errs := next(b.first, s, b.deliveries)
			b.end(errs, log)
			return errs
		}
	}
}

// noticed is a batch in the hands of a handler.
type noticed struct {
	ctx, first context.Context // of the batch, and of its first event
	scope      tenants.Scope
	route      Route
	batch      *watch.Span
	deliveries []Delivery // with the place of what they cause
	spans      []*watch.Span
}

func begin(ctx context.Context, w *watch.Watch, s tenants.Scope, r Route, ds []Delivery, now time.Time) *noticed {
	b := &noticed{scope: s, route: r, deliveries: make([]Delivery, len(ds)), spans: make([]*watch.Span, len(ds))}
	for i, d := range ds {
		parent, _ := trace.Parse(d.Event.TraceParent)
		name := d.Event.ID + "\x00" + r.Name
		causes := w.Place(parent, name)
		own := causes
		if d.Attempt > 1 {
			own = w.Place(causes, name+"\x00"+strconv.Itoa(d.Attempt))
		}
		if i == 0 {
			b.ctx, b.batch = w.Begin(ctx, trace.Batch, r.Name, own, parent)
			b.batch.For(s)
			b.batch.Unkept() // its events are: each in its own trace
		}
		b.batch.Along(own)
		within, span := w.Begin(b.ctx, trace.Event, r.Name, own, parent)
		if i == 0 {
			b.first = within
		}
		b.spans[i] = span
		b.spans[i].For(s)
		b.spans[i].Note(func(f *trace.Facts) {
			f.Type, f.Subject, f.Attempt = d.Event.Type, d.Event.Subject, d.Attempt
			f.Wait = max(now.Sub(d.Event.Time), 0)
		})
		d.Event.TraceParent = causes.String()
		b.deliveries[i] = d
	}
	return b
}

func (b *noticed) end(errs []error, log *slog.Logger) {
	failed := 0
	for i, err := range errs {
		b.spans[i].End(b.ctx, err)
		if err == nil {
			continue
		}
		failed++
		d := b.deliveries[i]
		log.WarnContext(b.ctx, "event not handled", "tenantId", b.scope.Tenant(), "handler", b.route.Name, "eventId", d.Event.ID, "type", d.Event.Type,
			"subject", d.Event.Subject, "traceId", b.spans[i].Parent().TraceID(), "attempt", d.Attempt, "code", fault.As(err).Code, "error", err.Error())
	}
	b.batch.Note(func(f *trace.Facts) {
		f.Type, f.Events, f.Failed = b.route.Type, len(errs), failed
		if failed > 0 {
			f.Outcome = trace.Failed
		}
	})
	b.batch.End(b.ctx, nil)
}
