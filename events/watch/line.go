package watch

import (
	"context"
	"log/slog"
	"strconv"

	"levada.dev/events/trace"
)

// messages are the lines that spans of a kind write; the others write none.
var messages = map[trace.Kind]string{
	trace.Request: "request",
	trace.Batch:   "events handled",
	trace.Step:    "step",
	trace.Model:   "model call",
	trace.Tool:    "tool call",
}

// fields are what a line calls the name of its span.
var fields = map[trace.Kind]string{
	trace.Request: "route", trace.Batch: "handler", trace.Step: "step", trace.Model: "model", trace.Tool: "tool",
}

// ended writes the line of a span, counts it and keeps it.
func (w *Watch) ended(ctx context.Context, s *Span, e *end) {
	message, lined := messages[e.Kind]
	if lined || e.kept { // what is only counted needs no ids
		s.identify(&e.Span)
	}
	if lined {
		w.line(ctx, message, e)
	}
	if e.scope.Check() == nil {
		w.keep(ctx, e)
	}
}

// line writes a line of the log: docs/logs.md has its fields. It is made here rather than by a Logger, which would also find out where it was called from.
func (w *Watch) line(ctx context.Context, message string, e *end) {
	s := &e.Span
	level := slog.LevelInfo
	switch {
	case s.Outcome != trace.Failed || s.Kind == trace.Batch: // events that were not done have lines of their own
	case s.Kind == trace.Request:
		level = slog.LevelError
	default:
		level = slog.LevelWarn // the whole may do well
	}
	h := w.opts.Log.Handler()
	if !h.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 20)
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	number := func(key string, n int64, always bool) {
		if n != 0 || always {
			attrs = append(attrs, slog.Int64(key, n))
		}
	}
	attrs = append(attrs, slog.String("worker", s.Worker), slog.String("tenantId", string(e.scope.Tenant())))
	text("requestId", s.RequestID)
	attrs = append(attrs, slog.String("traceId", s.Trace), slog.String("spanId", s.ID))
	text("parentSpanId", s.Parent)
	text("method", s.Method)
	attrs = append(attrs, slog.String(fields[s.Kind], s.Name))
	text("flow", s.Flow)
	text("type", s.Type)
	text("purpose", s.Purpose)
	number("events", int64(s.Events), s.Kind == trace.Batch)
	number("failed", int64(s.Failed), s.Kind == trace.Batch)
	number("attempt", int64(s.Attempt), false)
	number("status", int64(s.Status), s.Kind == trace.Request)
	attrs = append(attrs, slog.String("outcome", string(s.Outcome)), slog.Float64("latencyMs", trace.Milliseconds(s.Took)))
	if s.FirstByte > 0 {
		attrs = append(attrs, slog.Float64("firstByteMs", trace.Milliseconds(s.FirstByte)))
	}
	number("tokens", s.Prompt+s.Completion, false)
	number("characters", s.Chars, false)
	if s.Nanos != 0 {
		attrs = append(attrs, slog.String("cost", dollars(s.Nanos)))
	}
	text("cache", s.Cache)
	text("safety", s.Safety)
	text("safetyRule", s.Rule)
	text("code", s.Code)
	if len(e.along) > 0 {
		attrs = append(attrs, slog.Any("traceIds", e.along))
	}
	if e.err != nil && level > slog.LevelInfo && e.Kind != trace.Tool { // what a tenant's own server says is its own
		text("error", e.err.Error())
	}
	r := slog.NewRecord(s.Start.Add(s.Took), level, message, 0)
	r.AddAttrs(attrs...)
	_ = h.Handle(ctx, r)
}

// dollars writes an amount exactly: "0.000012".
func dollars(nanos int64) string {
	sign := ""
	if nanos < 0 {
		sign, nanos = "-", -nanos
	}
	whole, rest := nanos/1e9, strconv.FormatInt(1e9+nanos%1e9, 10)[1:]
	for len(rest) > 1 && rest[len(rest)-1] == '0' {
		rest = rest[:len(rest)-1]
	}
	return sign + strconv.FormatInt(whole, 10) + "." + rest
}
