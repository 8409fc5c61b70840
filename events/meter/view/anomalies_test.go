package view_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/meter"
	"levada.dev/events/meter/view"
)

// The scores are worked out by hand from the formula of the book.
func TestScore(t *testing.T) {
	eight := []float64{8, 1, 3, 2, 7, 5, 4, 6} // median 4.5; distances 0.5, 0.5, 1.5, 1.5, 2.5, 2.5, 3.5, 3.5: MAD 2
	most := []float64{5, 5, 5, 13, 5, 5, 5, 5} // median 5, MAD 0; MeanAD 8/8
	flat := []float64{2, 2, 2}
	for _, c := range []struct {
		x      float64
		others []float64
		want   float64
	}{
		{15, eight, 0.6745 * 10.5 / 2}, // 3.541
		{14.8, eight, 0.6745 * 10.3 / 2},
		{-6, eight, -0.6745 * 10.5 / 2},
		{4.5, eight, 0},
		{10, most, 3.9894232}, // 5 / 1.253314
		{5, most, 0},
		{2, flat, 0},
		{2.1, flat, math.Inf(1)},
		{1.9, flat, math.Inf(-1)},
		{7, []float64{1, 3, 100}, 0.6745 * 4 / 2}, // median 3; distances 0, 2, 97
	} {
		if math.IsInf(c.want, 0) {
			assert.Equal(t, c.want, view.Score(c.x, c.others))
			continue
		}
		assert.InDelta(t, c.want, view.Score(c.x, c.others), 1e-6, "%v among %v", c.x, c.others)
	}
}

// checks are those of a window whose whole steps had these numbers of requests, the last of which is looked at.
func checks(t *testing.T, counts []int, also func(i int, s *meter.Set)) (view.Anomalies, map[string]view.Check) {
	t.Helper()
	w := look(t, view.Day)
	var slots []meter.Slot
	for i, n := range counts {
		slots = append(slots, slot(w, len(counts)-i, func(s *meter.Set) {
			requests(s, "GET", "/jobs", "200", n, 500)
			if also != nil {
				also(i, s)
			}
		}))
	}
	slots = append(slots, slot(w, 0, func(s *meter.Set) { requests(s, "GET", "/jobs", "500", 1e4, 1) })) // is not over, so nobody looks
	got := view.AnomaliesOf(w, slots)
	all := map[string]view.Check{}
	for _, c := range got.Checks {
		all[c.Metric] = c
	}
	assert.Equal(t, w.To.Truncate(w.Step()).Add(-w.Step()), got.Step)
	assert.Len(t, all, 6)
	return got, all
}

func TestAnomalies(t *testing.T) {
	steady := []int{100, 102, 98, 101, 99, 103, 97, 100, 101, 99} // median 100; distances 0, 2, 2, 1, 1, 3, 3, 0, 1, 1: MAD 1
	with := func(n int) []int { return append(append([]int(nil), steady...), n) }
	for _, c := range []struct {
		name      string
		counts    []int
		value     *float64
		median    *float64
		score     *float64
		unusual   bool
		direction string
		silent    view.Silence
	}{
		{"a spike", with(200), value(200), value(100), value(67.45), true, "above", ""},
		{"a fall to nothing", with(0), value(0), value(100), value(-67.45), true, "below", ""},
		{"below the boundary", with(105), value(105), value(100), value(3.3725), false, "", ""},
		{"as always", with(100), value(100), value(100), value(0), false, "", ""},
		{"seven steps before", append(append([]int(nil), steady[:7]...), 500), value(500), nil, nil, false, "", view.FewSteps},
		{"nothing at all", nil, value(0), nil, nil, false, "", view.FewSteps},
		{"flat, and the same", []int{50, 50, 50, 50, 50, 50, 50, 50, 50}, value(50), value(50), value(0), false, "", ""},
		{"flat, and another", []int{50, 50, 50, 50, 50, 50, 50, 50, 51}, value(51), value(50), nil, true, "above", ""},
		{"nearly flat", []int{50, 50, 50, 58, 50, 50, 50, 50, 55}, value(55), value(50), value(3.989423), true, "above", ""},
		{"too few to say", []int{1, 0, 2, 0, 1, 0, 0, 1, 19}, value(19), value(0.5), nil, false, "", view.FewObservations},
		{"few before, and many now", []int{1, 0, 2, 0, 1, 0, 0, 1, 20}, value(20), value(0.5), value(26.3055), true, "above", ""},
	} {
		got, all := checks(t, c.counts, nil)
		r := all["requests"]
		assert.Equal(t, []any{c.value, c.median, c.score, c.unusual, c.direction, c.silent}, []any{r.Value, r.Median, r.Score, r.Unusual, r.Direction, r.Silent}, c.name)
		n := 0
		for _, check := range got.Checks {
			if check.Unusual {
				n++
			}
		}
		assert.Equal(t, n, got.Unusual, c.name)
	}
}

// A rate of few requests is no rate: one of two that fails is not half of all.
func TestRatesNeedObservations(t *testing.T) {
	failing := func(i int, s *meter.Set) {
		if i == 9 {
			requests(s, "GET", "/jobs", "500", 1, 500)
		}
	}
	_, few := checks(t, []int{100, 100, 100, 100, 100, 100, 100, 100, 100, 1}, failing)
	assert.Equal(t, view.FewObservations, few["failure_rate"].Silent)
	_, thin := checks(t, []int{19, 19, 100, 100, 100, 100, 100, 100, 100, 100}, failing)
	assert.Equal(t, []any{view.FewSteps, false}, []any{thin["failure_rate"].Silent, thin["failure_rate"].Unusual}, "seven steps have a rate, two have none")
	_, many := checks(t, []int{100, 100, 100, 100, 100, 100, 100, 100, 100, 99}, failing)
	assert.Equal(t, []any{true, value(0.01), value(0), "above"}, []any{many["failure_rate"].Unusual, many["failure_rate"].Value, many["failure_rate"].Median, many["failure_rate"].Direction})
	assert.False(t, many["latency_p95"].Unusual)

	letters := func(n int64) func(int, *meter.Set) {
		return func(i int, s *meter.Set) {
			s.Count(meter.Of(meter.Events, "chunk", "ok"), 30)
			s.Count(meter.Of(meter.ModelCalls, "m", "chat", "ok"), 30)
			if i == 9 {
				s.Count(meter.Of(meter.DeadLetters, "ingest"), n)
				s.Count(meter.Of(meter.ModelCost, "m", "chat"), n*1e9)
			}
		}
	}
	_, dead := checks(t, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, letters(1))
	assert.Equal(t, []any{true, value(1), (*float64)(nil)}, []any{dead["dead_letters"].Unusual, dead["dead_letters"].Value, dead["dead_letters"].Score}, "never one, and now one")
	assert.Equal(t, []any{true, value(1)}, []any{dead["cost_usd"].Unusual, dead["cost_usd"].Value})
	_, none := checks(t, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, letters(0))
	assert.Equal(t, []any{false, view.Silence("")}, []any{none["dead_letters"].Unusual, none["dead_letters"].Silent})
}

// A tenant that is new is compared with what there was of it.
func TestTheTimeBeforeTheFirstCountSaysNothing(t *testing.T) {
	got, all := checks(t, []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 100, 100}, nil)
	assert.Equal(t, 2, got.Steps)
	assert.Equal(t, view.FewSteps, all["requests"].Silent)
}

func TestEachMeasureHasItsOwnName(t *testing.T) {
	var names []string
	for _, m := range view.Measures() {
		names = append(names, m.Name)
		found, ok := view.MeasureNamed(m.Name)
		assert.True(t, ok && found.Unit == m.Unit && m.Unit != "")
		v, n, known := m.Of(&view.Sum{})
		assert.Equal(t, []any{0.0, int64(0), m.Sum}, []any{v, n, known}, "where nothing was counted %s is 0, or nothing at all", m.Name)
	}
	assert.Equal(t, []string{
		"requests", "failures", "failure_rate", "latency_p50", "latency_p95", "latency_p99", "first_token_p95", "events_failed", "event_wait_p95", "dead_letters", "tokens", "cost_usd",
	}, names)
	_, ok := view.MeasureNamed("")
	assert.False(t, ok)
}
