package consumers_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/events/watch/watchtest"
	"levada.dev/tenants"
)

const aTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// Each event is a span of its own trace, below what told it; what it causes is below that span; a model that is asked for all of them is below the first.
func TestEventsAreNoticedInTheirTraces(t *testing.T) {
	w, seen := watchtest.New("consumers", nil)
	var caused []string
	now := time.Now()
	r := router(&parish{}, consumers.Options{Watch: w, Now: func() time.Time { return now }}, func(ctx context.Context, s tenants.Scope, ds []consumers.Delivery) []error {
		for _, d := range ds {
			if s.Tenant() != "acme" {
				break // they are handled beside each other
			}
			caused = append(caused, d.Event.TraceParent)
		}
		in, span := watch.Start(ctx, trace.Model, "@cf/a/b")
		watch.Of(in).Spent(trace.Use{Prompt: 7})
		span.End(in, nil)
		errs := make([]error, len(ds))
		if len(ds) > 1 {
			errs[1] = fault.New(fault.Unavailable, "model_busy", "out of capacity", nil)
		}
		return errs
	})
	first, second, other := message(t, "acme", "a", 1), message(t, "acme", "b", 1), message(t, "globex", "a", 1)
	first.Body = []byte(traced(string(first.Body)))
	r.Handle(t.Context(), "ingest", []consumers.Message{first, second, other})

	spans := seen.Spans("acme", trace.Event)
	require.Len(t, spans, 2)
	a, b := spans[0], spans[1]
	assert.Equal(t, []any{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "test", trace.OK, "documents/a"}, []any{a.Trace, a.Parent, a.Name, a.Outcome, a.Subject})
	assert.Equal(t, []any{"", trace.Failed, "model_busy"}, []any{b.Parent, b.Outcome, b.Code})
	assert.Equal(t, []string{"00-" + a.Trace + "-" + a.ID + "-01", "00-" + b.Trace + "-" + b.ID + "-03"}, caused[:2])
	assert.Equal(t, int64(7), a.Prompt)
	models := seen.Spans("acme", trace.Model)
	require.Len(t, models, 1)
	assert.Equal(t, []any{a.Trace, a.ID}, []any{models[0].Trace, models[0].Parent})
	assert.Empty(t, seen.Spans("acme", trace.Batch), "its events say it")
	sums := seen.Sums("acme")
	for name, n := range map[string]int64{
		"levada_events [test ok]": 1, "levada_events [test failed]": 1, "levada_batch_duration_seconds [test]": 1, "levada_event_wait_seconds [test]": 2, "levada_model_calls [@cf/a/b  ok]": 1,
	} {
		assert.Equal(t, n, sums[name], name)
	}
	assert.Len(t, seen.Spans("globex", trace.Event), 1)
	assert.Equal(t, int64(1), seen.Sums("globex")["levada_events [test ok]"])

	// It comes again: what it causes has the same place, and the attempt a span of its own.
	second.Attempts = 2
	r.Handle(t.Context(), "ingest", []consumers.Message{second})
	spans = seen.Spans("acme", trace.Event)
	require.Len(t, spans, 3)
	assert.Equal(t, caused[1], caused[len(caused)-1])
	assert.NotEqual(t, b.ID, spans[2].ID)
	assert.Equal(t, []any{b.Trace, 2, trace.OK}, []any{spans[2].Trace, spans[2].Attempt, spans[2].Outcome})
}

// traced puts an event into a trace.
func traced(body string) string { return body[:len(body)-1] + `,"traceparent":"` + aTrace + `"}` }

func TestDeadLettersAreCounted(t *testing.T) {
	for name, tc := range map[string]struct {
		buries error
		want   int64
	}{"kept": {nil, 1}, "not kept": {errors.New("the box is away"), 0}} {
		t.Run(name, func(t *testing.T) {
			w, seen := watchtest.New("consumers", nil)
			r := router(&parish{err: tc.buries}, consumers.Options{Watch: w}, func(_ context.Context, _ tenants.Scope, ds []consumers.Delivery) []error {
				return []error{fault.Invalidf("", "bad", "never")}
			})
			r.Handle(t.Context(), "ingest", []consumers.Message{message(t, "acme", "a", 1)})
			assert.Equal(t, tc.want, seen.Sums("acme")["levada_dead_letters [ingest]"])
			assert.Empty(t, seen.Sums("globex"))
		})
	}
}
