package metertest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/trace"
	"levada.dev/tenants"
)

// traceID is one that begins in a way of its own.
func traceID(name string) string { return name + strings.Repeat("0", 32-len(name)) }

func spanID(n int) string { return fmt.Sprintf("%016x", n) }

// span is the n-th of a trace, with a parent or "".
func span(of string, n int, parent string, start time.Time) trace.Span {
	return trace.Span{
		Trace: traceID(of), ID: spanID(n), Parent: parent, Kind: trace.Request, Name: "POST /search", Worker: "api",
		Start: start.UTC().Truncate(time.Microsecond), Took: 20 * time.Millisecond, Facts: trace.Facts{Outcome: trace.OK, Status: 200},
	}
}

// Fill keeps the tenant's n-th thing, for suites of erasures: a trace.
func Fill(ctx context.Context, m meter.Sink, s tenants.Scope, n int) error {
	return m.Add(ctx, s, meter.Batch{Writer: fmt.Sprint("fill", n), Number: 1, Spans: []trace.Span{span(fmt.Sprintf("f%03d", n), 1, "", time.Now())}})
}

// one is the only trace of acme's list.
func (x desk) one() meter.Trace {
	x.Helper()
	all := x.list(x.acme, meter.TraceQuery{Limit: 10})
	require.Len(x, all, 1)
	return all[0]
}

func (x desk) list(s tenants.Scope, q meter.TraceQuery) []meter.Trace {
	x.Helper()
	all, err := x.meters.Traces(x.Context(), s, q)
	require.NoError(x, err)
	return all
}

// story is a trace that goes through three Workers: a request that submits, the batch that cuts, the step that embeds.
func story(start time.Time) []trace.Span {
	request := span("5", 1, "", start)
	request.Name = "POST /ingest"
	object := span("5", 2, spanID(1), start.Add(time.Millisecond))
	object.Kind, object.Name = trace.Object, "Ledger.submit"
	event := span("5", 3, spanID(2), start.Add(time.Second))
	event.Kind, event.Name, event.Worker, event.Subject = trace.Event, "chunk", "consumers", "documents/7"
	model := span("5", 4, spanID(3), start.Add(1100*time.Millisecond))
	model.Kind, model.Name, model.Worker, model.Outcome, model.Code = trace.Model, "@cf/baai/bge-m3", "consumers", trace.Failed, "model_busy"
	model.Use = trace.Use{Prompt: 12, Nanos: 345}
	step := span("5", 5, spanID(3), start.Add(1200*time.Millisecond))
	step.Kind, step.Name, step.Worker, step.Flow = trace.Step, "embed", "workflows", "reembed"
	return []trace.Span{request, object, event, model, step}
}

// together tells the spans of three Workers in every order.
func together(t *testing.T, x desk) {
	all := story(x.began.Add(-time.Minute))
	parts := map[string][]trace.Span{"api": all[:2], "consumers": all[2:4], "workflows": all[4:]}
	for i, order := range [][]string{
		{"api", "consumers", "workflows"}, {"api", "workflows", "consumers"}, {"consumers", "api", "workflows"},
		{"consumers", "workflows", "api"}, {"workflows", "api", "consumers"}, {"workflows", "consumers", "api"},
	} {
		for _, worker := range order {
			x.add(x.acme, fmt.Sprint(worker, i), 1, nil, parts[worker]...)
		}
		spans, err := x.meters.Trace(t.Context(), x.acme, traceID("5"))
		require.NoError(t, err)
		assert.Equal(t, all, spans, order)
		assert.Equal(t, meter.Trace{
			ID: traceID("5"), Kind: trace.Request, Name: "POST /ingest", Start: all[0].Start, Took: 20 * time.Millisecond,
			Spans: 5, Failed: 1, Outcome: trace.OK,
		}, x.one(), order)
		_, err = x.meters.Clear(t.Context(), x.acme, 100)
		require.NoError(t, err)
	}
}

func beginningLast(t *testing.T, x desk) {
	all := story(x.began.Add(-time.Minute))
	x.add(x.acme, "w", 1, nil, all[4])
	assert.Equal(t, "embed", x.one().Name)
	x.add(x.acme, "w", 2, nil, all[3], all[2])
	assert.Equal(t, "chunk", x.one().Name, "what began first, as long as the beginning is not there")
	early := all[1]
	early.Start = all[0].Start.Add(-time.Second) // a clock that is late
	x.add(x.acme, "w", 3, nil, all[0])
	x.add(x.acme, "w", 4, nil, early)
	assert.Equal(t, []any{"POST /ingest", all[0].Start, 5}, []any{x.one().Name, x.one().Start, x.one().Spans}, "what nothing caused is the beginning")
	spans, err := x.meters.Trace(t.Context(), x.acme, traceID("5"))
	require.NoError(t, err)
	assert.Len(t, spans, 5)
	n, err := x.meters.Count(t.Context(), x.acme, 10)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}

func listed(t *testing.T, x desk) {
	names := func(all []meter.Trace) string {
		var b strings.Builder
		for _, tr := range all {
			b.WriteString(tr.ID[:1])
		}
		return b.String()
	}
	for i, id := range []string{"a", "b", "c", "d", "e"} {
		s := span(id, 1, "", x.began.Add(time.Duration(i-10)*time.Second))
		if id == "b" || id == "d" {
			s.Name = "POST /chat"
		}
		part := span(id, 2, spanID(1), s.Start)
		if id == "d" || id == "e" {
			part.Outcome = trace.Failed
		}
		x.add(x.acme, "w", int64(i+1), nil, s, part)
	}
	future := span("f", 1, "", x.began.Add(time.Hour))
	x.add(x.acme, "w", 9, nil, future)
	assert.Equal(t, "fedcba", names(x.list(x.acme, meter.TraceQuery{Limit: 100})), "newest first")
	assert.False(t, x.list(x.acme, meter.TraceQuery{Limit: 1})[0].Start.After(time.Now()), "no trace begins later than now")
	assert.Equal(t, "db", names(x.list(x.acme, meter.TraceQuery{Limit: 100, Name: "POST /chat"})))
	assert.Equal(t, "ed", names(x.list(x.acme, meter.TraceQuery{Limit: 100, Failed: true})))
	assert.Equal(t, "d", names(x.list(x.acme, meter.TraceQuery{Limit: 100, Failed: true, Name: "POST /chat"})))
	seen, q := "", meter.TraceQuery{Limit: 2}
	for range 4 {
		page := x.list(x.acme, q)
		if seen += names(page); len(page) > 0 {
			q.Before = page[len(page)-1].Start
		}
	}
	assert.Equal(t, "fedcba", seen, "page by page")
	assert.Empty(t, x.list(x.globex, meter.TraceQuery{Limit: 100}))

	at := x.began.Add(-time.Minute).Truncate(time.Microsecond) // all at once, of two tenants
	for i, id := range []string{"a", "b", "c", "d", "e"} {
		x.add(x.globex, "w", int64(i+1), nil, span(id, 1, "", at.Add(time.Duration(i/4)*time.Microsecond)))
		x.add(x.acme, "w", int64(i+10), nil, span("1"+id, 1, "", at))
	}
	for limit := range 6 {
		seen, q := "", meter.TraceQuery{Limit: limit + 1}
		for page := x.list(x.globex, q); len(page) > 0; page = x.list(x.globex, q) {
			last := page[len(page)-1]
			seen, q.Before, q.ID = seen+names(page), last.Start, last.ID
		}
		assert.Equal(t, "edcba", seen, "each once, by pages of %d", limit+1)
	}
	assert.Empty(t, x.list(x.globex, meter.TraceQuery{Limit: 9, Before: at}), "without an id those that began at that time are not meant")
}

func manySpans(t *testing.T, x desk) {
	const batches = meter.MaxTraceSpans/meter.MaxSpans + 1
	for b := range batches {
		spans := make([]trace.Span, meter.MaxSpans)
		for i := range spans {
			spans[i] = span("7", 1+b*meter.MaxSpans+i, "", x.began)
		}
		x.add(x.acme, "w", int64(b+1), nil, spans...)
	}
	spans, err := x.meters.Trace(t.Context(), x.acme, traceID("7"))
	require.NoError(t, err)
	assert.Len(t, spans, meter.MaxTraceSpans)
	assert.Equal(t, batches*meter.MaxSpans, x.one().Spans, "it is known how many there were")
}

func manyTraces(t *testing.T, x desk) {
	for b := range meter.MaxTraces/meter.MaxSpans + 1 {
		spans := make([]trace.Span, meter.MaxSpans)
		for i := range spans {
			n := b*meter.MaxSpans + i
			spans[i] = span(fmt.Sprintf("%04x", n), 1, "", x.began.Add(time.Duration(n)*time.Microsecond))
		}
		if b == meter.MaxTraces/meter.MaxSpans {
			spans = spans[:1]
		}
		x.add(x.acme, "w", int64(b+1), nil, spans...)
	}
	n, err := x.meters.Count(t.Context(), x.acme, 2*meter.MaxTraces)
	require.NoError(t, err)
	assert.Equal(t, meter.MaxTraces, n)
	_, err = x.meters.Trace(t.Context(), x.acme, traceID("0000"))
	assert.Equal(t, "trace_not_found", fault.As(err).Code, "the oldest has gone")
	for _, stays := range []string{"0001", fmt.Sprintf("%04x", meter.MaxTraces)} {
		_, err = x.meters.Trace(t.Context(), x.acme, traceID(stays))
		assert.NoError(t, err, stays)
	}
}

func noSpans(t *testing.T, x desk) {
	x.add(x.acme, "w", 1, Set(1))
	assert.Empty(t, x.list(x.acme, meter.TraceQuery{Limit: 1}))
	x.has(x.acme, Set(1))
}
