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
	"levada.dev/tenants/tenantstest"
)

// Meters is what the suite is of: what is kept, and an erasure's end of it.
type Meters interface {
	meter.Meters
	Clear(ctx context.Context, s tenants.Scope, limit int) (int, error)
	Count(ctx context.Context, s tenants.Scope, limit int) (int, error)
	Bar(ctx context.Context, s tenants.Scope, by string) (bool, error)
	Unbar(ctx context.Context, s tenants.Scope, by string) error
}

// TestMeters checks the promises of meter.Meters. Each test has two tenants of its own.
func TestMeters(t *testing.T, open func(t *testing.T) Meters) {
	for name, test := range map[string]func(*testing.T, desk){
		"what is counted adds up":                          addsUp,
		"a batch counts once":                              once,
		"writers do not know of each other":                writers,
		"a number that was passed over is gone":            late,
		"a tenant's counts are its own":                    ownCounts,
		"steps begin whole, and the last is not over":      steps,
		"what nobody counted is not there":                 gaps,
		"only what is asked for is told":                   metrics,
		"much is told whole":                               much,
		"a trace is put together":                          together,
		"a trace whose beginning comes last":               beginningLast,
		"traces are listed":                                listed,
		"a trace has so many spans":                        manySpans,
		"a tenant has so many traces":                      manyTraces,
		"spans that are not sampled leave no trace":        noSpans,
		"what is erased is gone, and the next begins anew": erased,
		"who is being erased is not counted":               barred,
		"what is no batch is refused whole":                noBatch,
		"what is no question is refused":                   noQuestion,
		"nobody's meters are refused":                      nobody,
	} {
		t.Run(name, func(t *testing.T) {
			x := desk{T: t, meters: open(t), began: time.Now()}
			id := tenantstest.Fresh(t, "")
			id = id[len(id)-12:]
			x.acme, x.globex = tenantstest.Scope(t, "m-"+id), tenantstest.Scope(t, "m-"+id+"-2")
			test(t, x)
		})
	}
}

type desk struct {
	*testing.T
	meters       Meters
	began        time.Time
	acme, globex tenants.Scope
}

// Set counts so many searches that were answered anew, and observes how long each took.
func Set(n int) *meter.Set {
	var s meter.Set
	s.Count(meter.Of(meter.Searches, "fresh"), int64(n))
	for i := range n {
		s.Observe(meter.Of(meter.SearchDuration, "vectors"), int64(1000*(i+1)))
	}
	return &s
}

func (x desk) add(s tenants.Scope, writer string, number int64, set *meter.Set, spans ...trace.Span) {
	x.Helper()
	require.NoError(x, x.meters.Add(x.Context(), s, meter.Batch{Writer: writer, Number: number, Set: set, Spans: spans}))
}

// sum is all that is told of a tenant, in steps.
func (x desk) sum(s tenants.Scope, step time.Duration) *meter.Set {
	x.Helper()
	var all meter.Set
	for _, slot := range x.slots(s, step) {
		all.Add(slot.Set)
	}
	return &all
}

func (x desk) slots(s tenants.Scope, step time.Duration) []meter.Slot {
	x.Helper()
	slots, err := x.meters.Read(x.Context(), s, meter.Query{From: x.began, To: time.Now().Add(time.Minute), Step: step})
	require.NoError(x, err)
	return slots
}

// has asserts what was counted of a tenant, whichever way it is asked.
func (x desk) has(s tenants.Scope, want *meter.Set, note ...any) {
	x.Helper()
	for _, step := range []time.Duration{meter.Minute, meter.Hour, meter.Ever} {
		assert.Equal(x, text(x, want), text(x, x.sum(s, step)), append([]any{step}, note...)...)
	}
}

func text(t require.TestingT, s *meter.Set) string {
	b, err := s.MarshalJSON()
	require.NoError(t, err)
	return string(b)
}

func addsUp(t *testing.T, x desk) {
	var want meter.Set
	for i := range int64(5) {
		x.add(x.acme, "w", i+1, Set(int(i)))
		want.Add(Set(int(i)))
	}
	x.add(x.acme, "w", 6, nil)
	x.add(x.acme, "w", 7, &meter.Set{})
	x.has(x.acme, &want)
}

func once(t *testing.T, x desk) {
	for range 3 {
		x.add(x.acme, "w", 1, Set(2), span("1", 1, "", x.began))
	}
	x.has(x.acme, Set(2))
	x.add(x.acme, "w", 2, Set(1))
	x.add(x.acme, "w", 1, Set(2), span("1", 1, "", x.began))
	var want meter.Set
	want.Add(Set(1))
	want.Add(Set(2))
	x.has(x.acme, &want)
	spans, err := x.meters.Trace(t.Context(), x.acme, traceID("1"))
	require.NoError(t, err)
	assert.Len(t, spans, 1)
}

func writers(t *testing.T, x desk) {
	for _, w := range []string{"one", "two", "one", "two"} {
		x.add(x.acme, w, 1, Set(1))
	}
	var want meter.Set
	want.Add(Set(1))
	want.Add(Set(1))
	x.has(x.acme, &want)
}

func late(t *testing.T, x desk) {
	x.add(x.acme, "w", 7, Set(1))
	x.add(x.acme, "w", 6, Set(1))
	x.has(x.acme, Set(1), "whoever writes 7 has given up 6")
}

func ownCounts(t *testing.T, x desk) {
	x.add(x.acme, "w", 1, Set(1), span("1", 1, "", x.began))
	x.add(x.globex, "w", 1, Set(3))
	x.has(x.acme, Set(1))
	x.has(x.globex, Set(3))
	_, err := x.meters.Trace(t.Context(), x.globex, traceID("1"))
	assert.Equal(t, "trace_not_found", fault.As(err).Code)
	traces, err := x.meters.Traces(t.Context(), x.globex, meter.TraceQuery{Limit: 10})
	require.NoError(t, err)
	assert.Empty(t, traces)
}

func steps(t *testing.T, x desk) {
	x.add(x.acme, "w", 1, Set(1))
	for _, step := range []time.Duration{meter.Minute, meter.Hour} {
		slots := x.slots(x.acme, step)
		require.Len(t, slots, 1, step)
		start := slots[0].Start
		assert.Equal(t, start.Truncate(step), start)
		assert.False(t, start.Before(x.began.Truncate(step)))
		assert.False(t, start.After(time.Now()))
		for name, q := range map[string]struct {
			from, to time.Time
			found    int
		}{
			"the whole step":          {start, start.Add(step), 1},
			"its first moment":        {start, start.Add(1), 1},
			"its last moment":         {start.Add(step - 1), start.Add(step), 1},
			"a moment in it":          {start.Add(step / 2), start.Add(step/2 + 1), 1},
			"from long ago":           {time.Unix(0, 0), start.Add(step), 1},
			"until long after":        {start, start.Add(100 * 24 * time.Hour), 1},
			"the step before":         {start.Add(-step), start, 0},
			"the step after":          {start.Add(step), start.Add(2 * step), 0},
			"its end before its from": {start.Add(step), start.Add(-step), 0},
			"no time at all":          {start, start, 0},
			"no from and no to":       {time.Time{}, time.Time{}, 0},
		} {
			slots, err := x.meters.Read(t.Context(), x.acme, meter.Query{From: q.from, To: q.to, Step: step})
			require.NoError(t, err)
			assert.Len(t, slots, q.found, "%s: %s", step, name)
		}
	}
	ever, err := x.meters.Read(t.Context(), x.acme, meter.Query{})
	require.NoError(t, err)
	require.Len(t, ever, 1, "for everything no time is asked")
	assert.Equal(t, ever[0].Start.Truncate(time.Minute), ever[0].Start)
	assert.WithinDuration(t, x.began, ever[0].Start, 2*time.Minute)
}

func gaps(t *testing.T, x desk) {
	for _, step := range []time.Duration{meter.Minute, meter.Hour, meter.Ever} {
		assert.Empty(t, x.slots(x.acme, step), "%s", step)
	}
	traces, err := x.meters.Traces(t.Context(), x.acme, meter.TraceQuery{Limit: 1})
	require.NoError(t, err)
	assert.Empty(t, traces)
}

func metrics(t *testing.T, x desk) {
	x.add(x.acme, "w", 1, Set(2))
	for _, step := range []time.Duration{meter.Minute, meter.Hour, meter.Ever} {
		read := func(m ...meter.Metric) string {
			slots, err := x.meters.Read(t.Context(), x.acme, meter.Query{From: x.began, To: time.Now().Add(time.Minute), Step: step, Metrics: m})
			require.NoError(t, err)
			var all meter.Set
			for _, s := range slots {
				assert.NotZero(t, s.Set.Len())
				all.Add(s.Set)
			}
			return text(t, &all)
		}
		assert.Equal(t, `[{"m":"levada_searches","l":["fresh"],"s":2}]`, read(meter.Searches), "%s", step)
		assert.Equal(t, text(t, Set(2)), read(meter.Searches, meter.SearchDuration, meter.Steps))
		assert.Equal(t, `[]`, read(meter.Steps))
	}
}

// much is more than one row has: labels and histograms as large as they get.
func much(t *testing.T, x desk) {
	var want meter.Set
	for i := range meter.MaxSeries {
		label := fmt.Sprint(strings.Repeat("≠", 30), i)
		for _, m := range meter.Metrics() {
			if labels := []string{label, label, label}; !m.Spec().Histogram {
				want.Count(meter.Of(m, labels[:len(m.Spec().Labels)]...), 1_000_000_007)
			} else if i%2 == 0 {
				for _, b := range meter.Bounds() {
					want.Observe(meter.Of(m, labels[:len(m.Spec().Labels)]...), b.Microseconds())
				}
			}
		}
	}
	require.Greater(t, len(text(t, &want)), 900_000, "what one row takes")
	x.add(x.acme, "w", 1, &want)
	x.has(x.acme, &want)
	x.add(x.acme, "w", 2, Set(1))
	want.Add(Set(1))
	x.has(x.acme, &want)
}

func erased(t *testing.T, x desk) {
	for _, s := range []tenants.Scope{x.acme, x.globex} {
		x.add(s, "w", 1, Set(1), span("1", 1, "", x.began), span("2", 1, "", x.began))
	}
	n, err := x.meters.Count(t.Context(), x.acme, 100)
	require.NoError(t, err)
	assert.Equal(t, 3, n, "a minute and two traces")
	n, err = x.meters.Count(t.Context(), x.acme, 2)
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	for _, want := range []int{1, 1, 1, 0, 0} {
		n, err := x.meters.Clear(t.Context(), x.acme, 1)
		require.NoError(t, err)
		assert.Equal(t, want, n)
	}
	x.has(x.acme, &meter.Set{})
	_, err = x.meters.Trace(t.Context(), x.acme, traceID("1"))
	assert.Equal(t, fault.NotFound, fault.KindOf(err))
	x.has(x.globex, Set(1))
	_, err = x.meters.Trace(t.Context(), x.globex, traceID("1"))
	require.NoError(t, err)
	x.add(x.acme, "w", 1, Set(2))
	x.has(x.acme, Set(2), "nothing of before is remembered")
}

func barred(t *testing.T, x desk) {
	x.add(x.acme, "w", 1, Set(1))
	for range 2 {
		busy, err := x.meters.Bar(t.Context(), x.acme, "job")
		require.NoError(t, err)
		assert.False(t, busy)
	}
	x.add(x.acme, "w", 2, Set(1), span("1", 1, "", x.began))
	x.add(x.globex, "w", 1, Set(1))
	x.has(x.acme, Set(1), "what there was is there until it is swept")
	_, err := x.meters.Clear(t.Context(), x.acme, 100)
	require.NoError(t, err)
	x.add(x.acme, "w", 3, Set(1), span("1", 1, "", x.began))
	require.NoError(t, x.meters.Unbar(t.Context(), x.acme, "another"))
	require.NoError(t, x.meters.Unbar(t.Context(), x.acme, "job"))
	x.add(x.acme, "w", 4, Set(1), span("1", 1, "", x.began))
	n, err := x.meters.Count(t.Context(), x.acme, 100)
	require.NoError(t, err)
	assert.Zero(t, n, "what is noticed of the erasure itself comes just after it")
	x.has(x.globex, Set(1))
}

func noBatch(t *testing.T, x desk) {
	x.add(x.acme, "w", 1, Set(1))
	good := span("1", 1, "", x.began)
	bad := func(change func(*trace.Span)) trace.Span {
		s := good
		change(&s)
		return s
	}
	for name, b := range map[string]meter.Batch{
		"no writer":           {Number: 2},
		"a long writer":       {Writer: strings.Repeat("w", 65), Number: 2},
		"no number":           {Writer: "w"},
		"a number below":      {Writer: "w", Number: -1},
		"too many spans":      {Writer: "w", Number: 2, Spans: make([]trace.Span, meter.MaxSpans+1)},
		"no trace":            {Writer: "w", Number: 2, Spans: []trace.Span{good, bad(func(s *trace.Span) { s.Trace = "" })}},
		"a trace of capitals": {Writer: "w", Number: 2, Spans: []trace.Span{bad(func(s *trace.Span) { s.Trace = strings.ToUpper(traceID("a")) })}},
		"a trace with a path": {Writer: "w", Number: 2, Spans: []trace.Span{bad(func(s *trace.Span) { s.Trace = traceID("1")[:30] + "/a" })}},
		"no span":             {Writer: "w", Number: 2, Spans: []trace.Span{bad(func(s *trace.Span) { s.ID = "7" })}},
	} {
		b.Set = Set(1)
		err := x.meters.Add(t.Context(), x.acme, b)
		assert.Equal(t, []any{fault.Invalid, "batch_invalid"}, []any{fault.As(err).Kind, fault.As(err).Code}, name)
	}
	x.has(x.acme, Set(1))
	x.add(x.acme, "w", 2, Set(0), good)
}

func noQuestion(t *testing.T, x desk) {
	for _, step := range []time.Duration{time.Second, 2 * time.Minute, 24 * time.Hour, -time.Minute} {
		_, err := x.meters.Read(t.Context(), x.acme, meter.Query{From: x.began, To: time.Now(), Step: step})
		assert.Equal(t, "step_invalid", fault.As(err).Code, "%s", step)
	}
	for _, limit := range []int{-1, 0, 101} {
		_, err := x.meters.Traces(t.Context(), x.acme, meter.TraceQuery{Limit: limit})
		assert.Equal(t, "limit_invalid", fault.As(err).Code, limit)
	}
	for _, id := range []string{"", "x", traceID("1"), traceID("1") + "/", "../" + traceID("1")[3:], strings.ToUpper(traceID("a"))} {
		_, err := x.meters.Trace(t.Context(), x.acme, id)
		assert.Equal(t, []any{fault.NotFound, "trace_not_found"}, []any{fault.As(err).Kind, fault.As(err).Code}, id)
	}
}

func nobody(t *testing.T, x desk) {
	none := tenants.Scope{}
	assert.ErrorIs(t, x.meters.Add(t.Context(), none, meter.Batch{Writer: "w", Number: 1, Set: Set(1)}), tenants.ErrNoScope)
	_, err := x.meters.Read(t.Context(), none, meter.Query{})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = x.meters.Traces(t.Context(), none, meter.TraceQuery{Limit: 1})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = x.meters.Trace(t.Context(), none, traceID("1"))
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = x.meters.Clear(t.Context(), none, 1)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = x.meters.Bar(t.Context(), none, "job")
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	assert.ErrorIs(t, x.meters.Unbar(t.Context(), none, "job"), tenants.ErrNoScope)
}
