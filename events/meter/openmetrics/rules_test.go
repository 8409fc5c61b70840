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
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// expressions are those of the alert rules, by the rules' names.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dashboards, "alerts.yaml"))
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	all := map[string]string{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			all[r.Alert] = r.Expr
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

// within are requests of a route of which none took less than 4 seconds, and so many less than 8.
func within(route, eight, all string) string {
	le := func(bound, values string) string {
		return sampled("request_duration_seconds_bucket", "acme", fmt.Sprintf("route=%q,le=%q", route, bound), values)
	}
	return le("4", "0x60") + le("8", eight) + le("+Inf", all)
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

// The rules fire for what they stand for, and for nothing else: Prometheus' own engine evaluates them.
func TestAlertRulesFireForWhatTheyStandFor(t *testing.T) {
	all := expressions(t)
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

		{"who follows takes long", "LevadaIsSlow", within("/jobs/{id}/events", "0x60", "0+9x60") + within("/v1/audio/speech", "0+9x60", "0+9x60"), map[int]int{30: 0}},
		{"a search takes long", "LevadaIsSlow", within("/search", "0+9x60", "0+9x60"), map[int]int{30: 1}},

		{"the first document ever stays", "LevadaEventsStandStill", documents("acme", first, "", "", "") + documents("globex", first, first, first, first), map[int]int{59: 0, 62: 1, 77: 1, 95: 0}},
		{"a stage stops", "LevadaEventsStandStill", documents("acme", "0+1x100", "0+1x100", "0+1x40 40x60", "0+1x40 40x60"), map[int]int{35: 0, 60: 0, 75: 1}},
		{"all stages go", "LevadaEventsStandStill", documents("acme", "0+1x100", "0+1x100", "0+1x100", "0+1x100"), map[int]int{1: 0, 35: 0, 60: 0, 75: 0}},
		{"documents are deleted", "LevadaEventsStandStill", requests("acme", `route="/documents/{id}",method="DELETE",status="202"`, "0+1x100"), map[int]int{60: 0}},
	} {
		t.Run(c.rule+"/"+strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			require.NotEmpty(t, all[c.rule])
			data := record(t, c.load)
			for minute, want := range c.want {
				q, err := engine.NewInstantQuery(t.Context(), data, nil, all[c.rule], time.Unix(int64(minute)*60, 0))
				require.NoError(t, err)
				alerts, err := q.Exec(t.Context()).Vector()
				require.NoError(t, err)
				assert.Len(t, alerts, want, "in minute %d", minute)
			}
		})
	}
}
