package openmetrics_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/template"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
)

// rules are those of alerts.yaml by their names, as Prometheus itself reads and checks them.
func rules(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dashboards, "alerts.yaml"))
	require.NoError(t, err)
	file, errs := rulefmt.Parse(text, false)
	require.Empty(t, errs, "https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/")
	all := map[string]rulefmt.Rule{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			require.NotContains(t, all, r.Alert, "two rules have the name")
			all[r.Alert] = r
		}
	}
	return all
}

// sampled is what a tenant has of a metric, minute by minute, in the notation of Prometheus' tests: "_x60 1x100" is nothing for an hour, and then 1.
func sampled(metric, tenant, labels, values string) string {
	return fmt.Sprintf("  levada_%s{job=\"levada\",tenant=%q,%s} %s\n", metric, tenant, labels, values)
}

func requests(tenant, labels, values string) string {
	return sampled("requests_total", tenant, labels, values)
}

func letters(tenant, values string) string {
	return sampled("dead_letters_total", tenant, `queue="embed"`, values)
}

// took is a histogram with the platform's own buckets, into which every minute one observation of each duration falls.
func took(metric, tenant, labels string, all ...time.Duration) (load string) {
	bucket := func(le string, below int) {
		load += sampled(metric+"_seconds_bucket", tenant, fmt.Sprintf("%s,le=%q", labels, le), fmt.Sprintf("0+%dx60", below))
	}
	for _, bound := range meter.Bounds() {
		below := 0
		for _, d := range all {
			if d <= bound {
				below++
			}
		}
		bucket(fmt.Sprint(bound.Seconds()), below)
	}
	bucket("+Inf", len(all))
	return load
}

// long are durations of which so many take so long, and the others a tenth of a second.
func long(d time.Duration, many, of int) []time.Duration {
	return append(slices.Repeat([]time.Duration{100 * time.Millisecond}, of-many), slices.Repeat([]time.Duration{d}, many)...)
}

// calls are those of a model, by how they ended.
func calls(tenant, model, outcome, values string) string {
	return sampled("model_calls_total", tenant, fmt.Sprintf(`model=%q,purpose="chat",outcome=%q`, model, outcome), values)
}

// budget is one of a tenant's, and what of it is used up.
func budget(tenant, period, unit, used, limit string) string {
	of := fmt.Sprintf("period=%q,unit=%q", period, unit)
	return sampled("budget_used", tenant, of, used) + sampled("budget_limit", tenant, of, limit)
}

// documents are those that a tenant sends, and what the stages of the pipeline handle.
func documents(tenant, sent, chunked, embedded, indexed string) string {
	all := requests(tenant, `route="/ingest",method="POST",status="202"`, sent)
	for handler, values := range map[string]string{"chunk": chunked, "embed": embedded, "index": indexed} {
		if values != "" {
			all += sampled("events_total", tenant, fmt.Sprintf(`handler=%q,outcome="ok"`, handler), values)
		}
	}
	return all
}

const (
	here  = "  up{job=\"levada\",tenant=\"acme\"} 1x200\n  up{job=\"levada\",tenant=\"globex\"} 1x200\n"
	first = "_x60 1x100"
)

// recorded is what Prometheus has stored, of series in the notation of its tests, a sample a minute.
type recorded []promql.Series

func record(t *testing.T, load string) (all recorded) {
	t.Helper()
	for line := range strings.Lines(load) {
		metric, values, err := parser.ParseSeriesDesc(strings.TrimSpace(line))
		require.NoError(t, err, "%s", line)
		s := promql.Series{Metric: metric}
		for minute, v := range values {
			if !v.Omitted {
				s.Floats = append(s.Floats, promql.FPoint{T: int64(minute) * time.Minute.Milliseconds(), F: v.Value})
			}
		}
		all = append(all, s)
	}
	return all
}

// Querier implements storage.Queryable.
func (r recorded) Querier(_, _ int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		found := &selected{SeriesSet: storage.EmptySeriesSet()}
		for _, s := range r {
			if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.Metric.Get(m.Name)) }) {
				found.rest = append(found.rest, s)
			}
		}
		return found
	}}, nil
}

// selected are the series that a selector finds.
type selected struct {
	storage.SeriesSet // which has nothing to tell but these
	rest              []promql.Series
	at                promql.Series
}

// Next implements storage.SeriesSet.
func (s *selected) Next() bool {
	if len(s.rest) == 0 {
		return false
	}
	s.at, s.rest = s.rest[0], s.rest[1:]
	return true
}

// At implements storage.SeriesSet.
func (s *selected) At() storage.Series { return promql.NewStorageSeries(s.at) }

// The rules fire for what they stand for, and for nothing else, and say whose it is: Prometheus' own engine evaluates them. Each is seen to fire and to be quiet.
func TestAlertRulesFireForWhatTheyStandFor(t *testing.T) {
	all := rules(t)
	fires, quiet := map[string]bool{}, map[string]bool{}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute})
	for _, c := range []struct {
		name, rule, load string
		want             map[int]int // minute: how many alerts
	}{
		{"the first letter ever", "LevadaDeadLetters", here + letters("acme", first), map[int]int{59: 0, 61: 1, 74: 1, 77: 0}},
		{"another letter", "LevadaDeadLetters", here + letters("acme", "3x60 4x100"), map[int]int{30: 0, 59: 0, 62: 1, 74: 1, 78: 0}},
		{"two tenants", "LevadaDeadLetters", here + letters("acme", first) + letters("globex", "_x60 2x100"), map[int]int{61: 2}},
		{"old letters after a gap", "LevadaDeadLetters", here + letters("acme", "5x40 _x40 5x100"), map[int]int{30: 0, 82: 0, 90: 0, 96: 0}},
		{"a letter within a gap", "LevadaDeadLetters", here + letters("acme", "5x40 _x40 6x100"), map[int]int{83: 1}},
		{"a Prometheus that is new", "LevadaDeadLetters", "  up{job=\"levada\",tenant=\"acme\"} _x20 1x100\n" + letters("acme", "_x20 5x100"), map[int]int{21: 0, 30: 0, 38: 0, 60: 0}},

		{"one of ten that were not refused", "LevadaFails", requests("acme", `status="200"`, "0+9x60") + requests("acme", `status="503"`, "0+1x60") + requests("acme", `status="401"`, "0+900x60"), map[int]int{30: 1}},
		{"one of a hundred", "LevadaFails", requests("acme", `status="200"`, "0+99x60") + requests("acme", `status="503"`, "0+1x60"), map[int]int{30: 0}},
		{"all are refused", "LevadaFails", requests("acme", `status="401"`, "0+900x60"), map[int]int{30: 0}},
		{"failures that had no series of their own", "LevadaFails", requests("acme", `route="_other",status="2xx"`, "0+9x60") + requests("acme", `route="_other",status="5xx"`, "0+1x60"), map[int]int{30: 1}},
		{"an error budget burns", "LevadaBurnsItsErrorBudget", requests("acme", `status="200"`, "0+9x90") + requests("acme", `status="broken"`, "0+1x90") + requests("acme", `status="401"`, "0+900x90"), map[int]int{80: 1}},

		{"a burst that has ended", "LevadaBurnsItsErrorBudget", requests("acme", `status="200"`, "0+9x90") + requests("acme", `status="503"`, "0+9x20 180x70"), map[int]int{15: 1, 22: 1, 40: 0}},

		{"who follows takes long", "LevadaIsSlow", took("request_duration", "acme", `route="/jobs/{id}/events"`, time.Hour) + took("request_duration", "acme", `route="/v1/audio/speech"`, 7*time.Second), map[int]int{30: 0}},
		{"a search takes long", "LevadaIsSlow", took("request_duration", "acme", `route="/search"`, 7*time.Second), map[int]int{30: 1}},

		{"two answers in twenty begin late", "LevadaSpeaksLate", took("first_token", "acme", `route="/chat"`, long(12*time.Second, 2, 20)...) + took("first_token", "globex", `route="/chat"`, long(7*time.Second, 2, 20)...), map[int]int{30: 1}},
		{"one in twenty-five does", "LevadaSpeaksLate", took("first_token", "acme", `route="/chat"`, long(12*time.Second, 1, 25)...), map[int]int{30: 0}},
		{"one of two routes is quick", "LevadaSpeaksLate", took("first_token", "acme", `route="/chat"`, long(12*time.Second, 2, 20)...) + took("first_token", "acme", `route="/v1/chat/completions"`, long(time.Second, 1, 40)...), map[int]int{30: 0}},

		{"events wait for seven minutes", "LevadaEventsWait", took("event_wait", "acme", `handler="embed"`, 7*time.Minute) + took("event_wait", "acme", `handler="chunk"`, time.Second) + took("event_wait", "globex", `handler="embed"`, time.Second), map[int]int{30: 1}},
		{"two handlers have them wait", "LevadaEventsWait", took("event_wait", "acme", `handler="embed"`, 7*time.Minute) + took("event_wait", "acme", `handler="index"`, 7*time.Minute), map[int]int{30: 2}},
		{"events wait for four minutes", "LevadaEventsWait", took("event_wait", "acme", `handler="embed"`, 4*time.Minute), map[int]int{30: 0}},

		{"the first document ever stays", "LevadaEventsStandStill", documents("acme", first, "", "", "") + documents("globex", first, first, first, first), map[int]int{59: 0, 62: 1, 77: 1, 95: 0}},
		{"a stage stops", "LevadaEventsStandStill", documents("acme", "0+1x100", "0+1x100", "0+1x40 40x60", "0+1x40 40x60"), map[int]int{35: 0, 60: 0, 75: 1}},
		{"all stages go", "LevadaEventsStandStill", documents("acme", "0+1x100", "0+1x100", "0+1x100", "0+1x100"), map[int]int{1: 0, 35: 0, 60: 0, 75: 0}},
		{"documents are deleted", "LevadaEventsStandStill", requests("acme", `route="/documents/{id}",method="DELETE",status="202"`, "0+1x100"), map[int]int{60: 0}},

		{"one call in four fails", "LevadaModelFails", calls("acme", "m", "ok", "0+3x60") + calls("acme", "m", "failed", "0+1x60"), map[int]int{30: 1}},
		{"one call in ten fails", "LevadaModelFails", calls("acme", "m", "ok", "0+9x60") + calls("acme", "m", "failed", "0+1x60"), map[int]int{30: 0}},
		{"calls are refused", "LevadaModelFails", calls("acme", "m", "ok", "0+1x60") + calls("acme", "m", "refused", "0+9x60"), map[int]int{30: 0}},
		{"one of two models fails, for one of two tenants", "LevadaModelFails", calls("acme", "m", "failed", "0+1x60") + calls("acme", "n", "ok", "0+99x60") + calls("globex", "m", "ok", "0+99x60"), map[int]int{30: 1}},
		{"a model is well again", "LevadaModelFails", calls("acme", "m", "ok", "0x20 0+1x80") + calls("acme", "m", "failed", "0+1x20 20x80"), map[int]int{15: 1, 40: 0}},

		{"a budget is nearly used up", "LevadaBudgetRunsOut", budget("acme", "day", "tokens", "89x30 91x30", "100x60") + budget("globex", "day", "tokens", "91x60", "200x60"), map[int]int{29: 0, 31: 1}},
		{"two of a tenant's budgets are", "LevadaBudgetRunsOut", budget("acme", "day", "tokens", "91x60", "100x60") + budget("acme", "month", "usd", "9.5x60", "10x60") + budget("acme", "month", "tokens", "91x60", "3000x60"), map[int]int{30: 2}},
		{"a new day begins", "LevadaBudgetRunsOut", budget("acme", "day", "tokens", "100x30 0x30", "100x60"), map[int]int{29: 1, 31: 0}},

		{"a target is down", "LevadaIsNotScraped", `  up{job="levada",tenant="acme"} 1x30 0x30` + "\n" + `  up{job="levada",tenant="globex"} 1x60` + "\n", map[int]int{29: 0, 32: 1}},
		{"all are up", "LevadaIsNotScraped", here, map[int]int{30: 0}},
		{"a target of another job is down", "LevadaIsNotScraped", here + `  up{job="node",tenant="acme"} 0x60` + "\n", map[int]int{30: 0}},
	} {
		t.Run(c.rule+"/"+strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			require.Contains(t, all, c.rule)
			data := record(t, c.load)
			for minute, want := range c.want {
				q, err := engine.NewInstantQuery(t.Context(), data, nil, all[c.rule].Expr, time.Unix(int64(minute)*60, 0))
				require.NoError(t, err)
				alerts, err := q.Exec(t.Context()).Vector()
				require.NoError(t, err)
				assert.Len(t, alerts, want, "in minute %d", minute)
				for _, a := range alerts {
					assert.Contains(t, said(t, all[c.rule], a), a.Metric.Get("tenant"))
				}
				fires[c.rule], quiet[c.rule] = fires[c.rule] || want > 0, quiet[c.rule] || want == 0
			}
		})
	}
	for name := range all {
		assert.True(t, fires[name] && quiet[name], "%s is not seen both to fire and to be quiet", name)
	}
}

// said is the summary of an alert. It names no label that the alert does not have, which Prometheus would leave empty.
func said(t *testing.T, r rulefmt.Rule, a promql.Sample) string {
	t.Helper()
	text := "{{$labels := .Labels}}{{$value := .Value}}" + r.Annotations["summary"] // as Prometheus has it
	summary, err := template.NewTemplateExpander(t.Context(), text, r.Alert, template.AlertTemplateData(a.Metric.Map(), nil, "", a), 0, nil, nil, []string{"missingkey=error"}).Expand()
	require.NoError(t, err)
	return summary
}
