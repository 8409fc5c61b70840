package consumers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
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

// Trace makes what a handler does a span of the trace that its event belongs to, or of a new one. The span's id
// derives from the event and the handler, so that a second run tells the same events.
func Trace() Middleware {
	return func(r Route, next Handler) Handler {
		return func(ctx context.Context, s tenants.Scope, ds []Delivery) []error {
			spans := make([]Delivery, len(ds))
			for i, d := range ds {
				d.Event.TraceParent = span(d.Event.TraceParent, d.Event.ID+"\x00"+r.Name)
				spans[i] = d
			}
			return next(ctx, s, spans)
		}
	}
}

func span(traceparent, name string) string {
	seed := sha256.Sum256([]byte(name))
	source := bytes.NewReader(seed[:])
	parent, err := trace.Parse(traceparent)
	if err == nil {
		parent, err = parent.Child(source)
	} else {
		parent, err = trace.New(source)
	}
	if err != nil {
		return traceparent
	}
	return parent.String()
}

// Log writes a line for each call of a handler and one for each event that it did not do. Never what the event says.
func Log(log *slog.Logger, now func() time.Time) Middleware {
	return func(r Route, next Handler) Handler {
		return func(ctx context.Context, s tenants.Scope, ds []Delivery) []error {
			start := now()
			errs := next(ctx, s, ds)
			failed := 0
			for i, err := range errs {
				if err == nil {
					continue
				}
				failed++
				e := ds[i].Event
				log.WarnContext(ctx, "event not handled", "tenantId", s.Tenant(), "handler", r.Name, "eventId", e.ID, "type", e.Type,
					"subject", e.Subject, "traceId", traceID(e.TraceParent), "attempt", ds[i].Attempt,
					"code", fault.As(err).Code, "error", err.Error())
			}
			log.InfoContext(ctx, "events handled", "tenantId", s.Tenant(), "handler", r.Name, "type", r.Type,
				"events", len(ds), "failed", failed, "latencyMs", now().Sub(start).Milliseconds(), "traceIds", traceIDs(ds))
			return errs
		}
	}
}

// maxTraceIDs is how many traces the line of a batch names.
const maxTraceIDs = 10

// traceIDs are the distinct traces of a batch, the first of them.
func traceIDs(ds []Delivery) []string {
	var ids []string
	for _, d := range ds {
		id := traceID(d.Event.TraceParent)
		if id != "" && len(ids) < maxTraceIDs && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func traceID(traceparent string) string {
	p, err := trace.Parse(traceparent)
	if err != nil {
		return ""
	}
	return p.TraceID()
}
