package openmetrics_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
	"levada.dev/events/meter/openmetrics"
	"levada.dev/tenants/quota"
)

// awkward is a label that has to be escaped: a tool's name is its server's to choose.
const awkward = "a\\b\"c\nd,e}é"

// full has something of every metric, and of some of them several series.
func full() *meter.Set {
	var set meter.Set
	for i, m := range meter.Metrics() {
		values := []string{"one", "two", "three"}[:len(m.Spec().Labels)]
		if m.Spec().Histogram {
			for _, v := range []int64{1, 500, 501, 1_234_567, math.MaxInt32 * 1000} {
				set.Observe(meter.Of(m, values...), v)
			}
			continue
		}
		set.Count(meter.Of(m, values...), int64(i)+1)
	}
	set.Count(meter.Of(meter.ToolCalls, awkward, "ok"), 3)
	set.Count(meter.Of(meter.ToolCalls, "", "ok"), 4)
	set.Count(meter.Of(meter.ModelCost, "m", "chat"), 1_000_000_000_000_001)
	return &set
}

var budgets = []quota.Budget{
	{Period: "month", Unit: "nanoUSD", Limit: 50_000_000_000, Spent: 12_345_678},
	{Period: "day", Unit: "tokens", Limit: 1000, Spent: 7},
}

// series reads a text by the parser that Prometheus has for it: every sample by its name and labels.
func series(t *testing.T, f openmetrics.Format, text []byte) (samples map[string]float64, kinds map[string]string, units map[string]string) {
	t.Helper()
	symbols := labels.NewSymbolTable()
	var p textparse.Parser
	if f == openmetrics.OpenMetrics {
		p = textparse.NewOpenMetricsParser(text, symbols)
	} else {
		p = textparse.NewPromParser(text, symbols, false)
	}
	samples, kinds, units = map[string]float64{}, map[string]string{}, map[string]string{}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return samples, kinds, units
		}
		require.NoError(t, err, "%s", text)
		switch entry {
		case textparse.EntrySeries:
			var of labels.Labels
			p.Labels(&of)
			_, _, v := p.Series()
			_, twice := samples[of.String()]
			require.False(t, twice, "%s is there twice", of)
			samples[of.String()] = v
		case textparse.EntryType:
			name, kind := p.Type()
			kinds[string(name)] = string(kind)
		case textparse.EntryUnit:
			name, unit := p.Unit()
			units[string(name)] = string(unit)
		}
	}
}

func TestEveryMetricIsReadByPrometheus(t *testing.T) {
	set := full()
	for _, f := range []openmetrics.Format{openmetrics.OpenMetrics, openmetrics.Prometheus} {
		text := openmetrics.Append(nil, f, set, budgets)
		samples, kinds, units := series(t, f, text)
		want := 2 * len(budgets)
		for of, c := range set.All() {
			spec := of.Metric.Spec()
			at := func(ending string, more ...string) float64 {
				all := append([]string{"__name__", spec.Name + ending}, more...)
				for i, name := range spec.Labels {
					all = append(all, name, of.Labels[i])
				}
				v, ok := samples[labels.FromStrings(all...).String()]
				assert.True(t, ok, "%s %v %v", spec.Name+ending, of.Labels, more)
				return v
			}
			scale := map[meter.Unit]float64{meter.Micros: 1e6, meter.NanoUSD: 1e9}[spec.Unit]
			if scale == 0 {
				scale = 1
			}
			if !spec.Histogram {
				want++
				assert.Equal(t, float64(c.Sum)/scale, at("_total"))
				continue
			}
			want += len(meter.Bounds()) + 3
			assert.Equal(t, []float64{float64(c.Count), float64(c.Count), float64(c.Sum) / scale}, []float64{at("_count"), at("_bucket", "le", "+Inf"), at("_sum")})
			below, last := int64(0), 0.0
			for i, bound := range meter.Bounds() {
				below += c.Buckets[uint8(i)]
				le := fmt.Sprint(float64(bound.Microseconds()) / 1e6)
				v := at("_bucket", "le", le)
				assert.Equal(t, float64(below), v, "%s le %s", spec.Name, le)
				assert.GreaterOrEqual(t, v, last)
				last = v
			}
		}
		assert.Len(t, samples, want, "and nothing else")
		for _, m := range meter.Metrics() {
			spec := m.Spec()
			name, kind := spec.Name, "histogram"
			if !spec.Histogram {
				kind = "counter"
				if f == openmetrics.Prometheus {
					name += "_total"
				}
			}
			assert.Equal(t, kind, kinds[name], name)
			unit := map[meter.Unit]string{meter.Micros: "seconds", meter.NanoUSD: "usd", meter.Tokens: "tokens", meter.Chars: "characters"}[spec.Unit]
			if f == openmetrics.OpenMetrics {
				assert.Equal(t, unit, units[name], name)
				assert.True(t, strings.HasSuffix(name, unit), "%s ends with its unit", name)
			}
		}
		assert.Equal(t, 0.012345678, samples[`{__name__="levada_budget_used", period="month", unit="usd"}`])
		assert.Equal(t, 50.0, samples[`{__name__="levada_budget_limit", period="month", unit="usd"}`])
		assert.Equal(t, 7.0, samples[`{__name__="levada_budget_used", period="day", unit="tokens"}`])
	}
}

// The linter of Prometheus, and the parser that most other tools use, read the older format.
func TestTheOlderFormatIsClean(t *testing.T) {
	text := openmetrics.Append(nil, openmetrics.Prometheus, full(), budgets)
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	require.NoError(t, err)
	assert.Empty(t, problems)

	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	require.NoError(t, err)
	assert.Len(t, families, len(meter.Metrics())+2)
	var tools []string
	for _, m := range families["levada_tool_calls_total"].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == "tool" {
				tools = append(tools, l.GetValue())
			}
		}
	}
	assert.ElementsMatch(t, []string{"one", awkward, ""}, tools)
}

func TestNumbersAreExact(t *testing.T) {
	var set meter.Set
	set.Count(meter.Of(meter.ModelCost, "m", "chat"), 9_007_199_254_740_993) // which no float64 has
	for range 3 {
		set.Observe(meter.Of(meter.BatchDuration, "chunk"), 100_000) // three tenths of a second
	}
	text := string(openmetrics.Append(nil, openmetrics.OpenMetrics, &set, nil))
	for _, line := range []string{
		"# TYPE levada_model_cost_usd counter\n# UNIT levada_model_cost_usd usd\n# HELP levada_model_cost_usd What calls of models cost, as it was booked.\n" +
			`levada_model_cost_usd_total{model="m",purpose="chat"} 9007199.254740993` + "\n",
		`levada_batch_duration_seconds_bucket{handler="chunk",le="0.0005"} 0` + "\n",
		`levada_batch_duration_seconds_sum{handler="chunk"} 0.3` + "\n" + `levada_batch_duration_seconds_count{handler="chunk"} 3` + "\n",
	} {
		assert.Contains(t, text, line)
	}
	assert.True(t, strings.HasSuffix(text, "\n# EOF\n"))
	assert.NotContains(t, text, "budget")
}

func TestTheSameCountsAreTheSameText(t *testing.T) {
	first := string(openmetrics.Append(nil, openmetrics.OpenMetrics, full(), budgets))
	for range 20 {
		require.Equal(t, first, string(openmetrics.Append(nil, openmetrics.OpenMetrics, full(), budgets)))
	}
	assert.Equal(t, "# EOF\n", string(openmetrics.Append(nil, openmetrics.OpenMetrics, &meter.Set{}, nil)))
	assert.Empty(t, openmetrics.Append(nil, openmetrics.Prometheus, &meter.Set{}, nil))
}

func TestAccepted(t *testing.T) {
	for accept, want := range map[string]openmetrics.Format{
		"":                                     openmetrics.OpenMetrics,
		"*/*":                                  openmetrics.OpenMetrics,
		"application/json":                     openmetrics.OpenMetrics,
		"text/plain":                           openmetrics.Prometheus,
		"Text/Plain; version=0.0.4, */*;q=0.1": openmetrics.Prometheus,
		"text/*;q=0.5, application/*;q=0.4":    openmetrics.Prometheus,
		"text/html, text/plain;q=0.2, application/openmetrics-text; q=0.3":                                                                           openmetrics.OpenMetrics,
		"application/openmetrics-text;q=0, text/plain;q=0.1":                                                                                         openmetrics.Prometheus,
		"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2": openmetrics.OpenMetrics,
		"text/plain;q=nonsense":                                   openmetrics.Prometheus,
		"application/openmetrics-text;q=0.2,text/plain;q=0.9,;;=": openmetrics.Prometheus,
	} {
		assert.Equal(t, want, openmetrics.Accepted(accept), "%q", accept)
	}
	assert.Equal(t, "application/openmetrics-text; version=1.0.0; charset=utf-8", openmetrics.OpenMetrics.ContentType())
	assert.Equal(t, "text/plain; version=0.0.4; charset=utf-8", openmetrics.Prometheus.ContentType())
}

func ExampleAppend() {
	var set meter.Set
	set.Count(meter.Of(meter.DeadLetters, "ingest"), 2)
	fmt.Print(string(openmetrics.Append(nil, openmetrics.OpenMetrics, &set, nil)))
	// Output:
	// # TYPE levada_dead_letters counter
	// # HELP levada_dead_letters Events that were given up.
	// levada_dead_letters_total{queue="ingest"} 2
	// # EOF
}
