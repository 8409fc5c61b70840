package alert_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/events/meter/view"
)

var sound = alert.Rule{ID: "slow-1", Name: "Too slow", Metric: "latency_p95", Comparator: ">", Threshold: 800, Period: "5m"}

func TestCheck(t *testing.T) {
	assert.NoError(t, sound.Check())
	metrics := "metrics are requests, failures, failure_rate, latency_p50, latency_p95, latency_p99, first_token_p95, events_failed, event_wait_p95, dead_letters, tokens, cost_usd"
	for _, c := range []struct {
		edit        func(*alert.Rule)
		field, code string
		hint        string
	}{
		{func(r *alert.Rule) { r.ID = "a b" }, "id", "invalid_value", ""},
		{func(r *alert.Rule) { r.ID = strings.Repeat("a", 65) }, "id", "invalid_value", ""},
		{func(r *alert.Rule) { r.Name = " \t" }, "name", "field_required", ""},
		{func(r *alert.Rule) { r.Name = strings.Repeat("ä", 101) }, "name", "value_out_of_range", ""},
		{func(r *alert.Rule) { r.Name = "two\nlines" }, "name", "invalid_value", ""},
		{func(r *alert.Rule) { r.Metric = "" }, "metric", "field_required", metrics},
		{func(r *alert.Rule) { r.Metric = "Requests" }, "metric", "invalid_value", metrics},
		{func(r *alert.Rule) { r.Comparator = "" }, "comparator", "field_required", "comparators are >, >=, < and <="},
		{func(r *alert.Rule) { r.Comparator = "==" }, "comparator", "invalid_value", "comparators are >, >=, < and <="},
		{func(r *alert.Rule) { r.Threshold = 2e15 }, "threshold", "value_out_of_range", ""},
		{func(r *alert.Rule) { r.Threshold = math.NaN() }, "threshold", "value_out_of_range", ""},
		{func(r *alert.Rule) { r.Metric, r.Threshold = "failure_rate", 5 }, "threshold", "value_out_of_range", "a rate of a twentieth is 0.05"},
		{func(r *alert.Rule) { r.Period = "" }, "period", "field_required", "periods are 5m, 15m, 1h, 24h"},
		{func(r *alert.Rule) { r.Period = "7d" }, "period", "invalid_value", "periods are 5m, 15m, 1h, 24h"},
	} {
		r := sound
		c.edit(&r)
		f := fault.As(r.Check())
		assert.Equal(t, []any{fault.Invalid, c.code, c.field, c.hint}, []any{f.Kind, f.Code, f.Field, f.Hint}, "%+v", r)
	}
	without := sound
	without.ID = ""
	assert.NoError(t, without.Check())
}

// A rule holds at its threshold as its comparator says, in the unit of its metric, and never by what was not counted.
func TestARuleHolds(t *testing.T) {
	var set meter.Set
	set.Count(meter.Of(meter.Requests, "/chat", "POST", "200"), 15)
	set.Count(meter.Of(meter.Requests, "/chat", "POST", "503"), 5)
	set.Count(meter.Of(meter.ModelCost, "m", "chat"), 100_000_000)
	set.Observe(meter.Of(meter.RequestDuration, "/chat", "POST"), 500)
	var some, none view.Sum
	some.Add(&set)
	for _, c := range []struct {
		metric     string
		comparator alert.Comparator
		threshold  float64
		value      float64
		holds      bool
	}{
		{"requests", ">", 20, 20, false}, {"requests", ">=", 20, 20, true}, {"requests", "<", 20, 20, false}, {"requests", "<=", 20, 20, true},
		{"requests", ">", 19, 20, true}, {"requests", "<", 21, 20, true},
		{"failures", ">=", 5, 5, true}, {"failure_rate", ">", 0.25, 0.25, false}, {"failure_rate", ">=", 0.25, 0.25, true},
		{"cost_usd", ">=", 0.1, 0.1, true}, {"cost_usd", ">", 0.1, 0.1, false},
		{"latency_p50", ">", 0.25, 0.25, false}, {"latency_p50", ">=", 0.25, 0.25, true},
	} {
		value, holds := alert.Rule{Metric: c.metric, Comparator: c.comparator, Threshold: c.threshold}.Read(&some)
		if assert.NotNil(t, value) {
			assert.Equal(t, []any{c.value, c.holds}, []any{*value, holds}, "%+v", c)
		}
	}
	for _, m := range view.Measures() {
		value, holds := alert.Rule{Metric: m.Name, Comparator: "<", Threshold: 1}.Read(&none)
		assert.Equal(t, []any{m.Sum, m.Sum}, []any{value != nil, holds}, "where nothing was counted %s is 0 or nothing", m.Name)
	}
	value, holds := alert.Rule{Metric: "gone", Comparator: "<", Threshold: 1}.Read(&some)
	assert.Equal(t, []any{(*float64)(nil), false}, []any{value, holds}, "a metric of another version")
}

func TestAPeriodIsWhole(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 34, 2, 0, time.UTC)
	for period, want := range map[alert.Period]string{
		"5m": "12:29:00 12:35:00 1m0s", "15m": "12:19:00 12:35:00 1m0s", "1h": "11:34:00 12:35:00 1m0s", "24h": "12:00:00 13:00:00 1h0m0s", "2h": "12:34:02 12:34:02 1m0s",
	} {
		q := period.Query(now)
		assert.Equal(t, want, q.From.Format(time.TimeOnly)+" "+q.To.Format(time.TimeOnly)+" "+q.Step.String(), period)
	}
}

// What can be counted gives every measure a number.
func TestEveryMeasureIsOfWhatIsCounted(t *testing.T) {
	var all meter.Set
	for _, m := range meter.Metrics() {
		labels := []string{"a", "b", "503"}[:len(m.Spec().Labels)]
		if m == meter.Events {
			labels[1] = "failed"
		}
		if m.Spec().Histogram {
			all.Observe(meter.Of(m, labels...), 1e6)
		} else {
			all.Count(meter.Of(m, labels...), 7)
		}
	}
	var sum view.Sum
	sum.Add(&all)
	for _, m := range view.Measures() {
		value, _, known := m.Of(&sum)
		assert.True(t, known, m.Name)
		assert.NotZero(t, value, m.Name)
	}
}

func ExampleRule_Read() {
	var set meter.Set
	set.Count(meter.Of(meter.Requests, "/chat", "POST", "200"), 90)
	set.Count(meter.Of(meter.Requests, "/chat", "POST", "503"), 10)
	var sum view.Sum
	sum.Add(&set)
	rate, holds := alert.Rule{Metric: "failure_rate", Comparator: alert.Above, Threshold: 0.05}.Read(&sum)
	fmt.Println(*rate, holds)
	// Output: 0.1 true
}
