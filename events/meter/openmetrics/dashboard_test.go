package openmetrics_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
	"levada.dev/events/meter/view"
)

// dashboards is where the documentation has what other programs load.
const dashboards = "../../../docs/dashboards"

// known are the labels of each sample that a scrape can find, without those that the target adds.
func known() map[string][]string {
	all := map[string][]string{
		"levada_budget_used": {"period", "unit"}, "levada_budget_limit": {"period", "unit"}, "up": {"job"},
	}
	for _, m := range meter.Metrics() {
		s := m.Spec()
		if !s.Histogram {
			all[s.Name+"_total"] = s.Labels
			continue
		}
		all[s.Name+"_bucket"] = append(slices.Clone(s.Labels), "le")
		all[s.Name+"_sum"], all[s.Name+"_count"] = s.Labels, s.Labels
	}
	return all
}

// reads holds an expression to what there is: every sample and every label of it. It returns the samples.
func reads(t *testing.T, expr string) (names []string) {
	t.Helper()
	tree, err := parser.ParseExpr(expr)
	require.NoError(t, err, expr)
	samples := known()
	exist := []string{"tenant", "job"}
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		v, is := n.(*parser.VectorSelector)
		if !is {
			return nil
		}
		has, ok := samples[v.Name]
		assert.True(t, ok, "there is no %s: %s", v.Name, expr)
		names, exist = append(names, v.Name), append(exist, has...)
		for _, m := range v.LabelMatchers {
			assert.True(t, m.Name == labels.MetricName || m.Name == "tenant" || slices.Contains(has, m.Name), "%s has no label %s: %s", v.Name, m.Name, expr)
		}
		return nil
	})
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		if a, is := n.(*parser.AggregateExpr); is {
			for _, by := range a.Grouping {
				assert.Contains(t, exist, by, expr)
			}
		}
		return nil
	})
	assert.NotEmpty(t, names, expr)
	return names
}

// variables are what Grafana puts into expressions.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$tenant", "acme|globex")

// place is where a panel is, in a grid of 24 columns.
type place struct{ X, Y, W, H int }

func (p place) meets(q place) bool {
	return p.X < q.X+q.W && q.X < p.X+p.W && p.Y < q.Y+q.H && q.Y < p.Y+p.H
}

func TestTheDashboardShowsWhatThereIs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(dashboards, "levada.json"))
	require.NoError(t, err)
	var d struct {
		Title, UID    string
		SchemaVersion int
		Templating    struct {
			List []struct{ Name, Type, Definition string }
		}
		Panels []struct {
			ID          int
			Type, Title string
			Datasource  struct{ Type, UID string }
			GridPos     place
			FieldConfig struct{ Defaults struct{ Unit string } }
			Targets     []struct{ RefID, Expr, LegendFormat string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &d))
	assert.Equal(t, []any{"Levada", "levada"}, []any{d.Title, d.UID})
	assert.GreaterOrEqual(t, d.SchemaVersion, 36, "as Grafana 9 and later read it")
	require.Len(t, d.Templating.List, 2)
	assert.Equal(t, []string{"datasource", "tenant"}, []string{d.Templating.List[0].Name, d.Templating.List[1].Name})

	seen := map[int]bool{}
	shown := map[string]bool{}
	legend := regexp.MustCompile(`\{\{(\w+)\}\}`)
	for i, p := range d.Panels {
		assert.False(t, seen[p.ID], "two panels have the id %d", p.ID)
		seen[p.ID] = true
		assert.True(t, p.GridPos.W > 0 && p.GridPos.H > 0 && p.GridPos.X >= 0 && p.GridPos.X+p.GridPos.W <= 24, "%s is out of the grid", p.Title)
		for _, q := range d.Panels[:i] {
			assert.False(t, p.GridPos.meets(q.GridPos), "%s is on top of %s", p.Title, q.Title)
		}
		if p.Type == "row" {
			continue
		}
		assert.Contains(t, []string{"stat", "timeseries", "bargauge"}, p.Type, p.Title)
		assert.Equal(t, []string{"prometheus", "${datasource}"}, []string{p.Datasource.Type, p.Datasource.UID}, p.Title)
		assert.Contains(t, []string{"reqps", "cps", "s", "short", "percentunit", "currencyUSD"}, p.FieldConfig.Defaults.Unit, p.Title)
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			expr := variables.Replace(target.Expr)
			assert.NotContains(t, expr, "$", p.Title)
			var labels []string
			for _, name := range reads(t, expr) {
				shown[name] = true
				labels = append(labels, known()[name]...)
			}
			for _, field := range legend.FindAllStringSubmatch(target.LegendFormat, -1) {
				assert.Contains(t, append(labels, "tenant"), field[1], p.Title)
			}
		}
	}
	for _, m := range meter.Metrics() {
		ending := "_total"
		if m.Spec().Histogram {
			ending = "_bucket"
		}
		if m != meter.ModelCharacters && m != meter.SpansDropped && m != meter.SearchTime && m != meter.StepDuration && m != meter.ToolDuration {
			assert.True(t, shown[m.Spec().Name+ending], "no panel shows %s", m.Spec().Name)
		}
	}
}

// What is said to be slow has an objective, and is held to no other: routes with a longer one, or none, are left out.
func TestSlowIsWhatHasAnObjective(t *testing.T) {
	found := regexp.MustCompile(`levada_request_duration_seconds_bucket\{route!~"([^"]*)"\}.* > (\d+)`).FindStringSubmatch(rules(t)["LevadaIsSlow"].Expr)
	require.Len(t, found, 3)
	limit, err := time.ParseDuration(found[2] + "s")
	require.NoError(t, err)
	left := labels.MustNewMatcher(labels.MatchNotRegexp, "route", found[1])
	follows := labels.MustNewMatcher(labels.MatchNotRegexp, "route", "/jobs/.*/events|/chat/streams/.*")
	panels, err := os.ReadFile(filepath.Join(dashboards, "levada.json"))
	require.NoError(t, err)
	assert.Equal(t, 4, strings.Count(string(panels), follows.Value), "the panels of all routes together leave out what is followed")
	for row, p95 := range view.Standard.Routes {
		_, route, _ := strings.Cut(row, " ")
		assert.Equal(t, p95 > 0 && p95 <= limit, left.Matches(route), row)
		assert.Equal(t, p95 > 0, follows.Matches(route), row)
	}
	for _, route := range []string{"/jobs", "/jobs/{id}", "/documents/{id}", "/chat/{id}/history", "/sessions/{id}", "/tts/jobs", "/v1/models", "/metrics"} {
		assert.True(t, left.Matches(route) && follows.Matches(route), "%s has the objective of all", route)
	}
}

var (
	headingLine = regexp.MustCompile(`(?m)^#+ (.*)$`)
	titleSigns  = regexp.MustCompile(`[^a-z0-9 -]`)
)

// anchors are what a link can lead to within a page.
func anchors(page []byte) (all []string) {
	for _, m := range headingLine.FindAllSubmatch(page, -1) {
		all = append(all, strings.ReplaceAll(titleSigns.ReplaceAllString(strings.ToLower(string(m[1])), ""), " ", "-"))
	}
	return all
}

// Prometheus takes the rules; each asks for what there is, and leads to the place that says what to do.
func TestTheAlertRulesLoad(t *testing.T) {
	all := rules(t)
	for name, r := range all {
		reads(t, r.Expr)
		assert.Contains(t, []string{"page", "ticket"}, r.Labels["severity"], name)
		assert.NotEmpty(t, r.Annotations["summary"], name)
		file, anchor, deep := strings.Cut(r.Annotations["runbook_url"], "#")
		page, err := os.ReadFile(filepath.Join("../../..", file))
		if assert.NoError(t, err, "%s leads nowhere", name) && deep {
			assert.Contains(t, anchors(page), anchor, "%s leads to no heading of %s", name, file)
		}
	}
	assert.GreaterOrEqual(t, len(all), 10)
}
