package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
	"levada.dev/events/meter/metertest"
	"levada.dev/infra/cloudflare/analytics"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// testAnalytics checks what is written to a dataset of Analytics Engine. What the platform makes of it cannot be read here.
func testAnalytics(t *testing.T, ev event) {
	acme, _ := tenantstest.Two(t)
	dataset := analytics.Open("ANALYTICS")
	var large meter.Set
	for i := range 200 {
		large.Count(meter.Of(meter.DeadLetters, fmt.Sprint("q", i)), 1)
	}
	t.Run("an event has room for so many points", func(t *testing.T) {
		sink := port.NewAnalyst(dataset, "suite")
		require.NoError(t, sink.Add(ev.in(t.Context()), acme, meter.Batch{Writer: "w", Number: 1, Set: &large}))
		require.NoError(t, sink.Add(ev.in(t.Context()), acme, meter.Batch{Writer: "w", Number: 2}), "spans alone")
		assert.ErrorContains(t, sink.Add(ev.in(t.Context()), acme, meter.Batch{Writer: "w", Number: 3, Set: &large}), "no room for 150 of 200 series")
	})
	t.Run("what it has no room for is kept all the same", func(t *testing.T) {
		id := tenantstest.Fresh(t, "")
		s := tenantstest.Scope(t, "a-"+id[len(id)-12:])
		kept := port.NewMeters(object.Open("METERS"))
		sink := port.Beside(kept, "suite")
		require.NotEqual(t, meter.Sink(kept), sink, "a dataset is bound")
		for n := range int64(2) {
			require.NoError(t, sink.Add(ev.in(t.Context()), s, meter.Batch{Writer: "w", Number: n + 1, Set: &large}))
		}
		slots, err := kept.Read(ev.in(t.Context()), s, meter.Query{Step: meter.Ever})
		require.NoError(t, err)
		require.Len(t, slots, 1)
		for _, c := range slots[0].Set.All() {
			assert.EqualValues(t, 2, c.Sum)
		}
	})
	t.Run("a dataset that is not bound is an error", func(t *testing.T) {
		sink := port.NewAnalyst(analytics.Open("NOWHERE"), "suite")
		assert.ErrorContains(t, sink.Add(ev.in(t.Context()), acme, meter.Batch{Writer: "w", Number: 1, Set: metertest.Set(1)}), "no binding NOWHERE")
	})
	t.Run("nobody's counts and those of no event are refused", func(t *testing.T) {
		sink := port.NewAnalyst(dataset, "suite")
		b := meter.Batch{Writer: "w", Number: 1, Set: metertest.Set(1)}
		assert.ErrorIs(t, sink.Add(ev.in(t.Context()), tenants.Scope{}, b), tenants.ErrNoScope)
		assert.ErrorIs(t, sink.Add(context.Background(), acme, b), isolate.ErrNoTask)
	})
}
