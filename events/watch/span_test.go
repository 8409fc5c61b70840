package watch_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// Line, counts and span of a thing are of the same values.
func TestOneThingIsNoticedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		k := newSink(t)
		w := watch.New("api", &watch.Options{Sink: k, Log: slog.New(slog.NewJSONHandler(&log, nil)), Background: background})
		acme := tenantstest.Scope(t, "acme")
		place, err := trace.New(rand.Reader)
		require.NoError(t, err)
		caller := trace.Parent{Trace: place.Trace, Span: [8]byte{7}, Flags: place.Flags}
		ctx, span := w.Begin(event(t.Context()), trace.Request, "", place, caller)
		span.For(acme)
		span.Named("/chat")
		within, call := watch.Start(ctx, trace.Model, "@cf/a/b")
		call.Note(func(f *trace.Facts) { f.Purpose = "chat" })
		time.Sleep(250 * time.Millisecond)
		call.First()
		span.First()
		time.Sleep(time.Second)
		call.First()
		watch.Of(within).Spent(trace.Use{Prompt: 30, Completion: 4, Nanos: 12_000})
		call.End(within, nil)
		span.Note(func(f *trace.Facts) { f.Method, f.Status, f.Cache = "POST", 200, "miss" })
		span.EndAt(ctx, time.Now(), nil)
		span.End(ctx, errors.New("the first word counts"))
		time.Sleep(time.Minute)

		got := lines(t, &log)
		require.Len(t, got, 2)
		model, request := got[0], got[1]
		for _, line := range got {
			assert.Equal(t, []any{"INFO", "api", "acme", place.TraceID(), "ok", 34.0, "0.000012", 1250.0, 250.0},
				[]any{line["level"], line["worker"], line["tenantId"], line["traceId"], line["outcome"], line["tokens"], line["cost"], line["latencyMs"], line["firstByteMs"]})
		}
		assert.Equal(t, []any{"model call", "@cf/a/b", "chat"}, []any{model["msg"], model["model"], model["purpose"]})
		assert.Equal(t, []any{"request", "/chat", "POST", 200.0, "miss"}, []any{request["msg"], request["route"], request["method"], request["status"], request["cache"]})
		assert.Equal(t, request["spanId"], model["parentSpanId"])
		assert.Equal(t, "0700000000000000", request["parentSpanId"])

		require.Len(t, k.spans["acme"], 2)
		inner, outer := k.spans["acme"][0], k.spans["acme"][1]
		assert.Equal(t, []any{outer.ID, "", "0700000000000000"}, []any{inner.Parent, inner.Code, outer.Parent})
		assert.Equal(t, trace.Use{Prompt: 30, Completion: 4, Nanos: 12_000}, outer.Use)
		assert.Equal(t, 1250*time.Millisecond, inner.Took)
		assert.Equal(t, map[string]int64{
			"levada_requests [/chat POST 200]": 1, "levada_request_duration_seconds [/chat POST]": 1_250_000, "levada_first_token_seconds [/chat]": 250_000, "levada_searches [miss]": 1, "levada_search_duration_seconds [miss]": 1_250_000,
			"levada_model_calls [@cf/a/b chat ok]": 1, "levada_model_duration_seconds [@cf/a/b chat]": 1_250_000, "levada_model_tokens [@cf/a/b chat prompt]": 30,
			"levada_model_tokens [@cf/a/b chat completion]": 4, "levada_model_cost_usd [@cf/a/b chat]": 12_000,
		}, sums(k.sets["acme"]))
	})
}

// sums is what a set has counted, by names.
func sums(set *meter.Set) map[string]int64 {
	all := map[string]int64{}
	for of, c := range set.All() {
		spec := of.Metric.Spec()
		all[fmt.Sprint(spec.Name, " ", of.Labels[:len(spec.Labels)])] = c.Sum
	}
	return all
}

func TestEachKindIsCounted(t *testing.T) {
	for _, tc := range []struct {
		kind  trace.Kind
		name  string
		facts trace.Facts
		want  map[string]int64
	}{
		{trace.Batch, "chunk", trace.Facts{Events: 5, Failed: 2}, map[string]int64{"levada_events [chunk ok]": 3, "levada_events [chunk failed]": 2, "levada_batch_duration_seconds [chunk]": 1000}},
		{trace.Batch, "chunk", trace.Facts{Events: 2, Failed: 2}, map[string]int64{"levada_events [chunk failed]": 2, "levada_batch_duration_seconds [chunk]": 1000}},
		{trace.Event, "chunk", trace.Facts{Wait: time.Second}, map[string]int64{"levada_event_wait_seconds [chunk]": 1_000_000}},
		{trace.Step, "open 1", trace.Facts{Flow: "import"}, map[string]int64{"levada_steps [import ok]": 1, "levada_step_duration_seconds [import]": 1000}},
		{trace.Tool, "calculator", trace.Facts{}, map[string]int64{"levada_tool_calls [calculator ok]": 1, "levada_tool_duration_seconds [calculator]": 1000}},
		{trace.Search, "vectors", trace.Facts{FirstByte: 1}, map[string]int64{"levada_search_part_seconds [vectors]": 1000}},
		{trace.Object, "Ledger.submit", trace.Facts{}, map[string]int64{"levada_object_duration_seconds [Ledger]": 1000}},
		{trace.Outside, "webhook", trace.Facts{}, map[string]int64{"levada_outside_duration_seconds [webhook]": 1000}},
		{trace.Model, "@cf/v", trace.Facts{Purpose: "speech", Use: trace.Use{Chars: 9}}, map[string]int64{
			"levada_model_calls [@cf/v speech ok]": 1, "levada_model_duration_seconds [@cf/v speech]": 1000, "levada_model_characters [@cf/v]": 9}},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := newSink(t)
			w := watch.New("consumers", &watch.Options{Sink: k, Background: background, Log: quiet()})
			ctx, span := w.Begin(event(t.Context()), tc.kind, tc.name, trace.Parent{Trace: [16]byte{1}, Span: [8]byte{1}}, trace.Parent{})
			span.For(tenantstest.Scope(t, "globex"))
			span.Note(func(f *trace.Facts) { *f = tc.facts })
			time.Sleep(time.Millisecond)
			span.End(ctx, nil)
			w.Count(ctx, tenants.Scope{}, meter.Of(meter.DeadLetters, "x"), 1)
			w.Count(ctx, tenantstest.Scope(t, "globex"), meter.Of(meter.DeadLetters, "embed"), 2)
			time.Sleep(time.Minute)
			tc.want["levada_dead_letters [embed]"] = 2
			assert.Equal(t, tc.want, sums(k.sets["globex"]))
			assert.Len(t, k.sets, 1, "nobody's is not counted")
		})
	}
}

func TestOutcomes(t *testing.T) {
	for _, tc := range []struct {
		err           error
		outcome, code string
		level         string
	}{
		{nil, "ok", "", "INFO"},
		{fault.Invalidf("a", "bad", "it says whisper"), "refused", "bad", "INFO"},
		{fault.New(fault.Limited, "budget_exhausted", "", nil), "refused", "budget_exhausted", "INFO"},
		{fault.Unavailablef(errors.New("reset"), "model_busy", "busy"), "failed", "model_busy", "WARN"},
		{fmt.Errorf("read: %w", context.Canceled), "left", "", "INFO"},
		{errors.New("nobody knows"), "failed", "internal", "WARN"},
	} {
		var log bytes.Buffer
		w := watch.New("api", &watch.Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})
		ctx, span := w.Begin(t.Context(), trace.Tool, "x", trace.Parent{}, trace.Parent{})
		span.End(ctx, tc.err)
		line := lines(t, &log)[0]
		code, _ := line["code"].(string)
		assert.Equal(t, []any{tc.outcome, tc.code, tc.level}, []any{line["outcome"], code, line["level"]})
		if tc.level == "INFO" {
			assert.NotContains(t, line, "error", "what was refused may repeat what was sent")
		}
	}
}

// A request inside of another, as those that a message of MCP makes, is in the log and in the trace; it is no second request.
func TestARequestInAnotherIsNoRequestOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		k := newSink(t)
		w := watch.New("api", &watch.Options{Sink: k, Background: background, Log: slog.New(slog.NewJSONHandler(&log, nil))})
		acme := tenantstest.Scope(t, "acme")
		place, err := trace.New(rand.Reader)
		require.NoError(t, err)
		ctx, outer := w.Begin(event(t.Context()), trace.Request, "/mcp", place, trace.Parent{})
		outer.For(acme)
		inner, span := w.Begin(outer.Within(event(t.Context())), trace.Request, "/tools/execute", trace.Parent{Trace: place.Trace, Span: [8]byte{9}, Flags: place.Flags}, place)
		span.For(acme)
		watch.Of(inner).Spent(trace.Use{Prompt: 5})
		span.End(inner, nil)
		outer.End(ctx, nil)
		time.Sleep(time.Minute)
		assert.Equal(t, int64(1), k.requests("acme"))
		assert.Len(t, k.spans["acme"], 2)
		assert.Equal(t, int64(5), k.spans["acme"][1].Prompt, "what a part took the whole took")
		assert.Len(t, lines(t, &log), 2)
	})
}

func TestABatchNamesTheTracesThatItIsPartOf(t *testing.T) {
	var log bytes.Buffer
	w := watch.New("consumers", &watch.Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})
	ctx, span := w.Begin(t.Context(), trace.Batch, "embed", trace.Parent{Trace: [16]byte{1}}, trace.Parent{})
	for n := range byte(20) {
		span.Along(trace.Parent{Trace: [16]byte{n / 2}, Span: [8]byte{n}})
	}
	span.Along(trace.Parent{})
	span.End(ctx, nil)
	line := lines(t, &log)[0]
	assert.Len(t, line["traceIds"], 10)
	assert.Equal(t, []any{0.0, 0.0}, []any{line["events"], line["failed"]})
}

// Where nobody watches everything goes on, and nothing happens.
func TestNobodyWatches(t *testing.T) {
	var w *watch.Watch
	place := trace.Parent{Trace: [16]byte{1}, Span: [8]byte{2}, Flags: trace.Sampled}
	ctx, span := w.Begin(t.Context(), trace.Request, "/chat", place, trace.Parent{})
	assert.Nil(t, span)
	assert.Equal(t, place, w.Begins(place))
	w.Count(ctx, tenantstest.Scope(t, "acme"), meter.Of(meter.DeadLetters, "embed"), 1)
	inner, part := watch.Start(ctx, trace.Model, "m")
	assert.Nil(t, part)
	for _, s := range []*watch.Span{span, part, watch.Of(inner)} {
		s.For(tenants.Scope{})
		s.Named("x")
		s.Note(func(*trace.Facts) { t.Error("there is nothing to note") })
		s.First()
		s.Unkept()
		s.Stranger()
		s.Along(place)
		s.Spent(trace.Use{Prompt: 1})
		assert.Equal(t, trace.Parent{}, s.Parent())
		assert.Equal(t, t.Context(), s.Within(t.Context()))
		s.End(ctx, nil)
	}
}

// BenchmarkRequest is all that is noticed of a search: the request, five parts, two objects and a model, as lines, counts and spans.
func BenchmarkRequest(b *testing.B) {
	for name, flags := range map[string]byte{"kept": trace.Sampled, "not kept": 0} {
		b.Run(name, func(b *testing.B) { benchRequest(b, flags) })
	}
}

func benchRequest(b *testing.B, flags byte) {
	w := watch.New("api", &watch.Options{Sink: none{}, Log: slog.New(discard{}), Background: func(context.Context, func(context.Context)) error { return nil }})
	acme, err := tenants.Resume("acme")
	require.NoError(b, err)
	place, err := trace.New(rand.Reader)
	require.NoError(b, err)
	place.Flags = flags
	b.ReportAllocs()
	for b.Loop() {
		ctx, span := w.Begin(b.Context(), trace.Request, "", place, trace.Parent{})
		span.For(acme)
		for _, part := range [...]string{"cache", "vectors", "words", "ledger", "rerank"} {
			_, s := watch.Start(ctx, trace.Search, part)
			s.End(ctx, nil)
		}
		for _, name := range [...]string{"Ledger.shown", "Lexicon.find"} {
			_, s := watch.Start(ctx, trace.Object, name)
			s.End(ctx, nil)
		}
		in, s := watch.Start(ctx, trace.Model, "@cf/baai/bge-m3")
		watch.Of(in).Spent(trace.Use{Prompt: 9, Nanos: 108})
		s.End(in, nil)
		span.Named("/search")
		span.Note(func(f *trace.Facts) { f.RequestID, f.Method, f.Status, f.Cache = "0f8fad5b", "POST", 200, "miss" })
		span.End(ctx, nil)
	}
}

type none struct{}

func (none) Add(context.Context, tenants.Scope, meter.Batch) error { return nil }

// discard takes every line, so that it is made.
type discard struct{ slog.Handler }

func (discard) Enabled(context.Context, slog.Level) bool  { return true }
func (discard) Handle(context.Context, slog.Record) error { return nil }
