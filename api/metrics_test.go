package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/events/meter/view"
	"levada.dev/events/trace"
	"levada.dev/tenants"
)

// count has the tenant's meters be told some things, and two traces.
func (w *world) count(tenant string) {
	w.t.Helper()
	var set meter.Set
	for _, status := range []string{"200", "200", "200", "503"} {
		set.Count(meter.Of(meter.Requests, "/search", "POST", status), 1)
		set.Observe(meter.Of(meter.RequestDuration, "/search", "POST"), 500)
	}
	set.Count(meter.Of(meter.Searches, "hit"), 1)
	set.Count(meter.Of(meter.Searches, "miss"), 2)
	set.Count(meter.Of(meter.ToolCalls, "echo", "ok"), 2)
	set.Observe(meter.Of(meter.ToolDuration, "echo"), 500)
	set.Count(meter.Of(meter.ModelCost, "@local/script", "chat"), 1_500)
	at := w.opts.Now().Add(-time.Minute)
	span := func(id string, s trace.Span) trace.Span {
		s.Trace, s.Worker = id, "api"
		return s
	}
	const first, second = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"
	require.NoError(w.t, w.meters.Add(w.t.Context(), w.scope(tenant), meter.Batch{Writer: "w", Number: 1, Set: &set, Spans: []trace.Span{
		span(first, trace.Span{ID: "00f067aa0ba902b7", Kind: trace.Request, Name: "/search", Start: at, Took: 12_500 * time.Microsecond, Facts: trace.Facts{
			Outcome: trace.OK, Method: "POST", Status: 200, Cache: "miss", FirstByte: 3 * time.Millisecond, Use: trace.Use{Prompt: 12, Nanos: 1_500},
		}}),
		span(first, trace.Span{ID: "00f067aa0ba902b9", Parent: "00f067aa0ba902b7", Kind: trace.Event, Name: "embed", Start: at.Add(time.Second), Took: time.Millisecond, Facts: trace.Facts{
			Outcome: trace.OK, Type: "document.chunked", Wait: 1500 * time.Microsecond, Attempt: 1,
		}}),
		span(first, trace.Span{ID: "00f067aa0ba902b8", Parent: "00f067aa0ba902b7", Kind: trace.Model, Name: "@local/script", Start: at.Add(2 * time.Millisecond), Took: 20 * time.Millisecond, Facts: trace.Facts{
			Outcome: trace.OK, Purpose: "query", Use: trace.Use{Prompt: 12, Nanos: 1_500},
		}}),
		span(second, trace.Span{ID: "b7ad6b7169203331", Kind: trace.Request, Name: "/search", Start: at.Add(time.Second), Took: time.Second, Facts: trace.Facts{
			Outcome: trace.Failed, Code: "search_unavailable", Method: "POST", Status: 503,
		}}),
	}}))
}

// What the views say and what Prometheus reads is one and the same, and nobody's but the tenant's.
func TestMetricsAreATenantsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.count("acme")
		rec := w.do("acme", "GET", "/metrics", "", "accept", "text/plain")
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(rec.Body)
		require.NoError(t, err)
		sum := 0.0
		for _, m := range families["levada_requests_total"].GetMetric() {
			sum += m.GetCounter().GetValue()
		}
		for _, period := range []string{"", "?period=1h", "?period=24h", "?period=7d"} {
			overview := data[view.Overview](t, w.do("acme", "GET", "/metrics/overview"+period, ""))
			assert.Equal(t, []any{4.0, int64(4), int64(1)}, []any{sum, overview.Requests.Total, overview.Failures.Total})
			other := data[view.Overview](t, w.do("globex", "GET", "/metrics/overview"+period, ""))
			assert.Zero(t, other.Requests.Total)
		}
		assert.NotContains(t, w.do("globex", "GET", "/metrics", "").Body.String(), "levada_requests")
		assert.Contains(t, rec.Header().Values("Vary"), "Accept")
		head := w.do("acme", "HEAD", "/metrics", "")
		assert.Equal(t, []any{200, "application/openmetrics-text; version=1.0.0; charset=utf-8", 0}, []any{head.Code, head.Header().Get("Content-Type"), head.Body.Len()})
	})
}

// Objectives are the deployment's.
func TestObjectivesAreData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			objectives view.Objectives
			met        bool
		}{{view.Objectives{}, false}, {view.Objectives{Availability: 0.5, P95: time.Second}, true}, {view.Objectives{Availability: 0.5, P95: 400 * time.Microsecond}, false}} {
			w := newWorld(t, func(w *world) { w.opts.Objectives = c.objectives })
			w.count("acme")
			got := data[view.SLIs](t, w.do("acme", "GET", "/metrics/slis", ""))
			require.Len(t, got.Routes, 1)
			assert.Equal(t, c.met, got.Routes[0].Met, "%+v", c.objectives)
		}
	})
}

// Pages of traces are all of them, each once.
func TestTracesByPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 7 {
			require.NoError(t, w.meters.Add(t.Context(), w.scope("acme"), meter.Batch{Writer: "w", Number: int64(i) + 1, Spans: []trace.Span{{
				Trace: fmt.Sprintf("%032x", i+1), ID: fmt.Sprintf("%016x", i+1), Kind: trace.Request, Name: "/jobs", Worker: "api", Start: w.opts.Now().Add(-time.Duration((i+1)/2*2) * time.Microsecond), // two at once, on the edges of pages
				Facts: trace.Facts{Outcome: trace.OK},
			}}}))
		}
		type page struct {
			Traces []struct {
				TraceID string `json:"traceId"`
			}
			Next string
		}
		var all []string
		next, pages := "", 0
		for pages < 5 {
			p := data[page](t, w.do("acme", "GET", "/traces?limit=3&cursor="+next, ""))
			for _, tr := range p.Traces {
				all = append(all, strings.TrimLeft(tr.TraceID, "0"))
			}
			pages++
			if next = p.Next; next == "" {
				break
			}
		}
		assert.Equal(t, []any{[]string{"1", "3", "2", "5", "4", "7", "6"}, 3}, []any{all, pages})
		assert.Empty(t, data[page](t, w.do("globex", "GET", "/traces", "")).Traces)
	})
}

// What is wrong with a rule is told with its field and what is allowed, and nothing is kept; a tenant has fifty.
func TestAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		rule := func(i int) string {
			return fmt.Sprintf(`{"id":"r-%d","name":"Rule %d","metric":"requests","comparator":">","threshold":%d,"period":"5m"}`, i, i, i)
		}
		for i := range alert.MaxRules {
			require.Equal(t, http.StatusCreated, w.do("acme", "POST", "/metrics/alerts", rule(i)).Code)
		}
		full := w.do("acme", "POST", "/metrics/alerts", rule(50))
		assert.Equal(t, []any{409, "alerts_full", "DELETE /metrics/alerts/{id} removes one"}, []any{full.Code, failed(t, full).Code, failed(t, full).Details.Hint})
		assert.Equal(t, http.StatusOK, w.do("acme", "POST", "/metrics/alerts", rule(49)).Code, "it is there already")
		assert.Equal(t, http.StatusCreated, w.do("globex", "POST", "/metrics/alerts", rule(50)).Code, "which is another's")
		for body, want := range map[string][2]string{
			`{"name":"a","metric":"p95","comparator":">","threshold":1,"period":"5m"}`:                                             {"invalid_value", "metric"},
			`{"name":"a","metric":"requests","comparator":"=","threshold":1,"period":"5m"}`:                                        {"invalid_value", "comparator"},
			`{"name":"a","metric":"requests","comparator":">","threshold":1,"period":"5 m"}`:                                       {"invalid_value", "period"},
			`{"name":"a","metric":"requests","comparator":">","threshold":"1","period":"5m"}`:                                      {"invalid_type", "threshold"},
			`{"name":"a","metric":"requests","comparator":">","threshold":1e300,"period":"5m"}`:                                    {"value_out_of_range", "threshold"},
			`{"name":"a","metric":"requests","comparator":">","threshold":null,"period":"5m"}`:                                     {"field_required", "threshold"},
			`{"metric":"requests","comparator":">","threshold":1,"period":"5m"}`:                                                   {"field_required", "name"},
			`{"id":"../x","name":"a","metric":"requests","comparator":">","threshold":1,"period":"5m"}`:                            {"invalid_value", "id"},
			`{"id":"` + strings.Repeat("a", 65) + `","name":"a","metric":"requests","comparator":">","threshold":1,"period":"5m"}`: {"invalid_value", "id"},
			`{"name":"` + strings.Repeat("a", 101) + `","metric":"requests","comparator":">","threshold":1,"period":"5m"}`:         {"value_out_of_range", "name"},
		} {
			rec := w.do("globex", "POST", "/metrics/alerts", body)
			f := failed(t, rec)
			assert.Equal(t, []any{400, want[0], want[1]}, []any{rec.Code, f.Code, f.Details.Field}, body)
		}
		type list struct{ Alerts []alert.Alert }
		assert.Len(t, data[list](t, w.do("globex", "GET", "/metrics/alerts", "")).Alerts, 1)
		assert.Len(t, data[list](t, w.do("acme", "GET", "/metrics/alerts", "")).Alerts, alert.MaxRules)
		for _, id := range []string{"none", "a%2Fb", strings.Repeat("x", 500)} {
			rec := w.do("acme", "DELETE", "/metrics/alerts/"+id, "")
			assert.Equal(t, []any{404, "alert_not_found"}, []any{rec.Code, failed(t, rec).Code}, id)
		}
	})
}

// hearing changes what the configurations say of webhooks.
type hearing struct {
	tenants.Directory
	change map[tenants.ID]func(*tenants.Config)
}

func (h hearing) Config(ctx context.Context, id tenants.ID) (*tenants.Config, error) {
	c, err := h.Directory.Config(ctx, id)
	if err != nil || h.change[id] == nil {
		return c, err
	}
	own := *c
	h.change[id](&own)
	return &own, nil
}

// Whoever takes a rule in, or looks at those there are, is told who is told of them, as the tenant is configured by then: a rule that nobody hears of is no secret.
func TestWhoIsToldOfAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		change := map[tenants.ID]func(*tenants.Config){}
		w := newWorld(t, func(w *world) { w.deps.Directory = hearing{w.deps.Directory, change} })
		hook := &tenants.Hook{URL: "https://app.example.com/hooks", Secrets: []string{"told-1"}}
		type told struct{ ToldTo string }
		const rule = `{"id":"r","name":"a","metric":"requests","comparator":">","threshold":1,"period":"5m"}`
		for i, c := range []struct {
			acme, globex func(*tenants.Config)
			want         [2]string
		}{
			{nil, nil, [2]string{"webhook", "nobody"}},
			{func(c *tenants.Config) { c.Webhook = nil }, func(c *tenants.Config) { c.Webhook = hook }, [2]string{"nobody", "webhook"}},
			{func(c *tenants.Config) { c.Webhook, c.Speech.Webhook = nil, hook }, nil, [2]string{"webhook", "nobody"}},
		} {
			change["acme"], change["globex"] = c.acme, c.globex
			for n, tenant := range []string{"acme", "globex"} {
				taken := w.do(tenant, "POST", "/metrics/alerts", rule)
				assert.Equal(t, map[bool]int{true: 201, false: 200}[i == 0], taken.Code, "a rule that nobody is told of is one")
				listed := w.do(tenant, "GET", "/metrics/alerts", "")
				assert.Equal(t, []string{c.want[n], c.want[n]}, []string{data[told](t, taken).ToldTo, data[told](t, listed).ToldTo}, "%s, %d", tenant, i)
			}
		}
	})
}

// The scope metrics is all that these routes ask for, and none else lets anybody in.
func TestMetricsNeedTheirScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		asked := 0
		for _, row := range api.Routes() {
			method, path, _ := strings.Cut(row, " ")
			if !strings.HasPrefix(path, "/metrics") && !strings.HasPrefix(path, "/traces") {
				continue
			}
			asked++
			body := ""
			if method == "POST" {
				body = `{"name":"a","metric":"requests","comparator":">","threshold":1,"period":"5m"}`
			}
			rec := w.do("acme-search", method, strings.ReplaceAll(path, "{id}", "x"), body)
			assert.Equal(t, []any{403, "scope_denied"}, []any{rec.Code, failed(t, rec).Code}, row)
			assert.Contains(t, []int{200, 201, 404}, w.do("acme", method, strings.ReplaceAll(path, "{id}", "x"), body).Code, row)
		}
		assert.Equal(t, 12, asked)
		assert.Contains(t, tenants.AllScopes, tenants.ScopeMetrics)
	})
}
