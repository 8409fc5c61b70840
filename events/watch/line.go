package watch

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"levada.dev/events/trace"
	"levada.dev/tenants"
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
func (w *Watch) ended(ctx context.Context, scope tenants.Scope, done trace.Span, sampled bool, err error) {
	if message, ok := messages[done.Kind]; ok {
		w.line(ctx, message, scope, done, err)
	}
	if scope.Check() == nil {
		w.keep(ctx, scope, done, sampled)
	}
}

// line writes a line of the log: docs/logs.md has its fields. It is made here rather than by a Logger, which would also find out where it was called from.
func (w *Watch) line(ctx context.Context, message string, scope tenants.Scope, s trace.Span, err error) {
	level := slog.LevelInfo
	if s.Outcome == trace.Failed {
		level = slog.LevelError
	}
	h := w.opts.Log.Handler()
	if !h.Enabled(ctx, level) {
		return
	}
	r := slog.NewRecord(s.Start.Add(s.Took), level, message, 0)
	text := func(key, value string) {
		if value != "" {
			r.AddAttrs(slog.String(key, value))
		}
	}
	number := func(key string, n int64) {
		if n != 0 {
			r.AddAttrs(slog.Int64(key, n))
		}
	}
	r.AddAttrs(slog.String("worker", s.Worker), slog.String("tenantId", string(scope.Tenant())))
	text("requestId", s.RequestID)
	r.AddAttrs(slog.String("traceId", s.Trace), slog.String("spanId", s.ID))
	text("parentSpanId", s.Parent)
	text("method", s.Method)
	r.AddAttrs(slog.String(fields[s.Kind], s.Name))
	text("flow", s.Flow)
	text("type", s.Type)
	text("purpose", s.Purpose)
	number("events", int64(s.Events))
	number("failed", int64(s.Failed))
	number("attempt", int64(s.Attempt))
	number("status", int64(s.Status))
	r.AddAttrs(slog.String("outcome", string(s.Outcome)), slog.Float64("latencyMs", milliseconds(s.Took)))
	if s.FirstByte > 0 {
		r.AddAttrs(slog.Float64("firstByteMs", milliseconds(s.FirstByte)))
	}
	number("tokens", s.Prompt+s.Completion)
	number("characters", s.Chars)
	if s.Nanos != 0 {
		r.AddAttrs(slog.String("cost", dollars(s.Nanos)))
	}
	text("cache", s.Cache)
	text("safety", s.Safety)
	text("safetyRule", s.Rule)
	text("code", s.Code)
	if err != nil && level == slog.LevelError {
		text("error", err.Error())
	}
	_ = h.Handle(ctx, r)
}

// milliseconds are exact to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

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
