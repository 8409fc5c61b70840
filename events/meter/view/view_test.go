package view_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/meter/view"
)

// noon is on a Monday, half a minute after a step has begun.
var noon = time.Date(2026, 11, 23, 12, 0, 30, 0, time.UTC)

func look(t *testing.T, p view.Period) view.Window {
	t.Helper()
	w, err := view.Look(p, noon)
	require.NoError(t, err)
	return w
}

// slot is that of the step which begins so many before the one that is not over.
func slot(w view.Window, ago int, fill func(*meter.Set)) meter.Slot {
	var set meter.Set
	fill(&set)
	return meter.Slot{Start: w.To.Truncate(w.Step()).Add(-time.Duration(ago) * w.Step()), Set: &set}
}

// requests puts so many of a route and status into a set, each of which took so long.
func requests(set *meter.Set, method, route, status string, n int, took time.Duration) {
	for range n {
		set.Count(meter.Of(meter.Requests, route, method, status), 1)
		set.Observe(meter.Of(meter.RequestDuration, route, method), took.Microseconds())
	}
}

func value(v float64) *float64 { return &v }

func TestWindowsBeginAtWholeSteps(t *testing.T) {
	for _, c := range []struct {
		period view.Period
		from   string
		until  string
		step   time.Duration
	}{
		{"1h", "2026-11-23T11:01:00Z", "2026-11-23T12:01:00Z", time.Minute},
		{"24h", "2026-11-22T13:00:00Z", "2026-11-23T13:00:00Z", time.Hour},
		{"", "2026-11-22T13:00:00Z", "2026-11-23T13:00:00Z", time.Hour},
		{"7d", "2026-11-16T13:00:00Z", "2026-11-23T13:00:00Z", time.Hour},
	} {
		w, err := view.Look(c.period, noon.In(time.FixedZone("", 3600)))
		require.NoError(t, err)
		q := w.Query()
		assert.Equal(t, []any{c.from, c.until, c.step, noon}, []any{q.From.Format(time.RFC3339), q.To.Format(time.RFC3339), q.Step, w.To}, "%q", c.period)
	}
	_, err := view.Look("2h", noon)
	f := fault.As(err)
	assert.Equal(t, []any{fault.Invalid, "invalid_query", "period", "periods are 1h, 24h, 7d"}, []any{f.Kind, f.Code, f.Field, f.Hint})
}

func TestOverview(t *testing.T) {
	w := look(t, view.Hour)
	got := view.OverviewOf(w, []meter.Slot{
		slot(w, 60, func(s *meter.Set) { requests(s, "GET", "/jobs", "200", 1000, time.Second) }), // before the window
		slot(w, 59, func(s *meter.Set) {
			requests(s, "GET", "/jobs", "200", 3, 400*time.Microsecond)
			requests(s, "GET", "/jobs", "503", 1, 400*time.Microsecond)
			requests(s, "GET", "/jobs", "404", 2, 400*time.Microsecond)
		}),
		slot(w, 0, func(s *meter.Set) {
			requests(s, "POST", "/chat", meter.Broken, 2, 400*time.Microsecond)
			s.Count(meter.Of(meter.Events, "chunk", "ok"), 7)
			s.Count(meter.Of(meter.Events, "chunk", "failed"), 2)
			s.Count(meter.Of(meter.DeadLetters, "ingest"), 1)
			s.Count(meter.Of(meter.ModelCalls, "m", "chat", "ok"), 4)
			s.Count(meter.Of(meter.ModelTokens, "m", "chat", "prompt"), 900)
			s.Count(meter.Of(meter.ModelTokens, "m", "chat", "completion"), 99)
			s.Count(meter.Of(meter.ModelCost, "m", "chat"), 123_456_789)
		}),
		slot(w, -1, func(s *meter.Set) { requests(s, "GET", "/jobs", "200", 1000, time.Second) }), // after it: a clock that is ahead
	})
	line := func(first, last int64) []int64 {
		all := make([]int64, 60)
		all[0], all[59] = first, last
		return all
	}
	figures := func(v float64) view.Figure {
		all := make([]*float64, 60)
		all[0], all[59] = value(v), value(v)
		return view.Figure{Value: value(v), Line: all}
	}
	assert.Equal(t, view.Overview{
		Window: w, Requests: view.Total{Total: 8, Line: line(6, 2)}, Failures: view.Total{Total: 3, Line: line(1, 2)},
		Latency: view.Latency{P50: figures(0.25), P95: figures(0.475), P99: figures(0.495)}, // as if they lay evenly in the first half of a millisecond
		Events:  view.Total{Total: 9, Line: line(0, 9)}, DeadLetters: view.Total{Total: 1, Line: line(0, 1)},
		ModelCalls: view.Total{Total: 4, Line: line(0, 4)}, Tokens: view.Total{Total: 999, Line: line(0, 999)}, Nanos: view.Total{Total: 123_456_789, Line: line(0, 123_456_789)},
	}, got)

	empty := view.OverviewOf(look(t, view.Week), nil)
	assert.Len(t, empty.Requests.Line, 168)
	assert.Nil(t, empty.Latency.P99.Value, "of nothing there is no quantile")
}

func TestSLIs(t *testing.T) {
	w := look(t, view.Day)
	o := view.Objectives{Availability: 0.995, P95: 100 * time.Millisecond, Routes: map[string]time.Duration{"POST /chat": 0, "GET /slow": 400 * time.Microsecond}}
	got := view.SLIsOf(w, []meter.Slot{
		slot(w, 5, func(s *meter.Set) {
			requests(s, "GET", "/jobs", "200", 996, 400*time.Microsecond)
			requests(s, "GET", "/jobs", "500", 2, 400*time.Microsecond)
			requests(s, "GET", "/jobs", "429", 50, 400*time.Microsecond)
		}),
		slot(w, 0, func(s *meter.Set) {
			requests(s, "GET", "/jobs", "503", 2, 400*time.Microsecond)
			requests(s, "POST", "/chat", "200", 99, 30*time.Second)
			requests(s, "POST", "/chat", meter.Broken, 1, 30*time.Second)
			s.Observe(meter.Of(meter.FirstToken, "/chat"), 400)
			requests(s, "GET", "/slow", "200", 1, 400*time.Microsecond)
			requests(s, "GET", "/secret", "403", 3, 400*time.Microsecond)
			requests(s, "DELETE", "/jobs", "499", 1, 400*time.Microsecond)
		}),
	}, o)

	rows := map[string]view.SLI{}
	var order []string
	for _, r := range got.Routes {
		rows[r.Method+" "+r.Route] = r
		order = append(order, r.Method+" "+r.Route)
	}
	assert.Equal(t, []string{"POST /chat", "DELETE /jobs", "GET /jobs", "GET /secret", "GET /slow"}, order)

	type said struct {
		requests, refused, failed int64
		available, used           *float64
		met                       bool
	}
	for name, want := range map[string]said{
		"GET /jobs":    {1050, 50, 4, value(0.996), value(0.8), true}, // four of five that may fail of a thousand
		"POST /chat":   {100, 0, 1, value(0.99), value(2), false},
		"GET /slow":    {1, 0, 0, value(1), value(0), false}, // its p95 is read as 475 µs
		"GET /secret":  {3, 3, 0, nil, nil, true},
		"DELETE /jobs": {1, 1, 0, nil, nil, true},
	} {
		r := rows[name]
		if name == "GET /slow" {
			assert.Equal(t, []*float64{value(0.25), value(0.475), value(0.495), value(0.4)}, []*float64{r.P50, r.P95, r.P99, r.Objective.P95})
		}
		assert.Equal(t, want, said{r.Requests, r.Refused, r.Failed, r.Available, r.Used, r.Met}, name)
	}
	assert.Equal(t, value(0.475), rows["POST /chat"].FirstToken)
	assert.Nil(t, rows["POST /chat"].Objective.P95, "who follows is answered when it ends")
	assert.Equal(t, value(100), rows["GET /jobs"].Objective.P95)
	a := got.All
	assert.Equal(t, []any{int64(1155), int64(54), int64(5), 0.995459, 0.908265, true}, []any{a.Requests, a.Refused, a.Failed, *a.Available, *a.Used, a.Met})
}

func TestCacheAndTools(t *testing.T) {
	w := look(t, view.Day)
	slots := []meter.Slot{
		slot(w, 1, func(s *meter.Set) {
			s.Count(meter.Of(meter.Searches, "hit"), 3)
			s.Count(meter.Of(meter.Searches, "miss"), 1)
			s.Observe(meter.Of(meter.SearchTime, "hit"), 500)
			s.Observe(meter.Of(meter.SearchDuration, "vectors"), 500)
			s.Count(meter.Of(meter.ToolCalls, "calculator", "ok"), 5)
			s.Count(meter.Of(meter.ToolCalls, "calculator", "failed"), 2)
			s.Count(meter.Of(meter.ToolCalls, "calculator", "refused"), 1)
			s.Observe(meter.Of(meter.ToolDuration, "calculator"), 500)
			s.Count(meter.Of(meter.ToolCalls, "wiki", "left"), 8)
			s.Count(meter.Of(meter.ToolCalls, "weather", "ok"), 9)
		}),
		slot(w, 0, func(s *meter.Set) { s.Count(meter.Of(meter.Searches, "miss"), 4) }),
	}
	got := view.CacheOf(w, slots)
	rates, counts := make([]*float64, 24), make([]int64, 24)
	rates[22], rates[23], counts[22], counts[23] = value(0.75), value(0), 4, 4
	assert.Equal(t, view.Cache{
		Window: w, Searches: view.Total{Total: 8, Line: counts}, HitRate: view.Figure{Value: value(0.375), Line: rates},
		Sources: []view.Source{{"hit", 3, value(0.25), value(0.475)}, {"miss", 5, nil, nil}},
		Parts:   []view.SearchPart{{"vectors", 1, value(0.25), value(0.475)}},
	}, got)
	assert.Equal(t, view.Tools{Window: w, Tools: []view.Tool{
		{"weather", 9, 0, 0, nil, nil}, {"calculator", 8, 2, 1, value(0.25), value(0.475)}, {"wiki", 8, 0, 0, nil, nil},
	}}, view.ToolsOf(w, slots))

	assert.Nil(t, view.CacheOf(w, nil).HitRate.Value)
	assert.Equal(t, []view.Tool{}, view.ToolsOf(w, nil).Tools)
}

// What nobody has a name for is a row as others are, and no sum is wrong.
func TestWhatThereIsNoRoomForIsARow(t *testing.T) {
	w := look(t, view.Hour)
	got := view.SLIsOf(w, []meter.Slot{slot(w, 0, func(s *meter.Set) {
		for i := range 2 * meter.MaxSeries {
			requests(s, "GET", "/"+strconv.Itoa(i), "200", 1, time.Millisecond)
		}
	})}, view.Standard)
	assert.Equal(t, int64(2*meter.MaxSeries), got.All.Requests)
	sum := int64(0)
	for _, r := range got.Routes {
		sum += r.Requests
	}
	assert.Equal(t, int64(2*meter.MaxSeries), sum)
}

// What failed is seen as what failed, however many series came before it, and whoever made them.
func TestFailuresAreSeenWhereThereIsNoRoom(t *testing.T) {
	w := look(t, view.Hour)
	slots := []meter.Slot{slot(w, 1, func(s *meter.Set) {
		for i := range 2 * meter.MaxSeries {
			s.Count(meter.Of(meter.Requests, "/"+strconv.Itoa(i), "GET", "401"), 1)
		}
		requests(s, "POST", "/search", "200", 15, time.Millisecond)
		requests(s, "POST", "/search", "503", 3, time.Millisecond)
		requests(s, "POST", "/chat", meter.Broken, 2, time.Millisecond)
	})}
	var all view.Sum
	all.Add(slots[0].Set)
	assert.Equal(t, []int64{2*meter.MaxSeries + 20, 2 * meter.MaxSeries, 5, 20}, []int64{all.Requests, all.Refused, all.Failed, all.Served()})
	rate, _ := view.MeasureNamed("failure_rate")
	value, behind, known := rate.Of(&all)
	assert.Equal(t, []any{0.25, int64(20), true}, []any{value, behind, known}, "of what was not refused, as availability is")
	assert.Equal(t, int64(5), view.OverviewOf(w, slots).Failures.Total)
	slis := view.SLIsOf(w, slots, view.Standard)
	assert.Equal(t, []any{int64(5), 0.75}, []any{slis.All.Failed, *slis.All.Available})

	var refused view.Sum
	var set meter.Set
	set.Count(meter.Of(meter.Requests, "/search", "POST", "429"), 30)
	refused.Add(&set)
	_, _, known = rate.Of(&refused)
	assert.False(t, known, "of nothing there is no rate")
}

// Whoever follows something is answered when it ends: that is in the latency of its route, and in no other.
func TestWhatIsFollowedIsNoLatency(t *testing.T) {
	w := look(t, view.Hour)
	var with, without []meter.Slot
	for ago := range 20 {
		usual := func(s *meter.Set) { requests(s, "GET", "/jobs", "200", 30, 400*time.Microsecond) }
		without = append(without, slot(w, ago, usual))
		with = append(with, slot(w, ago, func(s *meter.Set) {
			usual(s)
			if ago < 2 {
				requests(s, "GET", "/jobs/{id}/events", "200", 30, time.Minute)
				requests(s, "GET", "/chat/streams/{streamId}", "200", 30, time.Minute)
			}
		}))
	}
	assert.Equal(t, view.OverviewOf(w, without).Latency, view.OverviewOf(w, with).Latency)
	var sum view.Sum
	for _, s := range with {
		sum.Add(s.Set)
	}
	for _, name := range []string{"latency_p50", "latency_p95", "latency_p99"} {
		m, _ := view.MeasureNamed(name)
		v, behind, _ := m.Of(&sum)
		assert.Less(t, v, 0.5, name)
		assert.Equal(t, int64(600), behind, name)
	}
	for _, c := range view.AnomaliesOf(w, with).Checks {
		if c.Metric == "latency_p95" {
			assert.Equal(t, []any{false, value(0.475)}, []any{c.Unusual, c.Value})
		}
	}
	slis := view.SLIsOf(w, with, view.Standard)
	assert.Less(t, *slis.All.P99, 0.5)
	assert.Equal(t, "/jobs/{id}/events", slis.Routes[2].Route)
	assert.Greater(t, *slis.Routes[2].P95, 40_000.0, "where somebody looks for it, it is")
	assert.True(t, slis.Routes[2].Met)
}
