package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	meters "levada.dev/events/meter"
	views "levada.dev/events/meter/view"
	"levada.dev/events/trace"
	"levada.dev/tenants/tenantstest"
)

// The traces that acme has in these tests: one that went well, and a later one that did not.
const (
	wellTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	illTrace  = "0af7651916cd43dd8448eb211c80319c"
)

// counted gives a tenant two traces and what was counted of them.
func (w *world) counted(tenant string) {
	w.t.Helper()
	var set meters.Set
	set.Count(meters.Of(meters.Requests, "/search", "POST", "200"), 3)
	set.Count(meters.Of(meters.Requests, "/search", "POST", "503"), 1)
	for _, took := range []int64{10_000, 12_500, 20_000} {
		set.Observe(meters.Of(meters.RequestDuration, "/search", "POST"), took)
	}
	at := time.Now().Add(-time.Minute)
	span := func(of string, s trace.Span) trace.Span {
		s.Trace, s.Worker = of, "api"
		return s
	}
	require.NoError(w.t, w.ports.Meters.Add(w.t.Context(), tenantstest.Scope(w.t, tenant), meters.Batch{Writer: "w", Number: 1, Set: &set, Spans: []trace.Span{
		span(wellTrace, trace.Span{ID: "00f067aa0ba902b7", Kind: trace.Request, Name: "/search", Start: at, Took: 20 * time.Millisecond, Facts: trace.Facts{Outcome: trace.OK, Method: "POST", Status: 200}}),
		span(wellTrace, trace.Span{ID: "00f067aa0ba902b8", Parent: "00f067aa0ba902b7", Kind: trace.Model, Name: "@cf/baai/bge-m3", Start: at.Add(5 * time.Millisecond), Took: 10 * time.Millisecond,
			Facts: trace.Facts{Outcome: trace.OK, Use: trace.Use{Prompt: 12, Nanos: 144}}}),
		span(illTrace, trace.Span{ID: "b7ad6b7169203331", Kind: trace.Request, Name: "/search", Start: at.Add(time.Second), Took: time.Second, Facts: trace.Facts{Outcome: trace.Failed, Code: "search_unavailable", Method: "POST", Status: 503}}),
	}}))
}

func TestTracesAreListedAndDrawn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.counted("acme")
		code, out, errs := w.run(t.Context(), "acme", "traces")
		require.Equal(t, exitOK, code, errs)
		assert.Less(t, strings.Index(out, illTrace), strings.Index(out, wellTrace), "newest first: %s", out)
		assert.Contains(t, out, "failed: search_unavailable")

		code, out, errs = w.run(t.Context(), "acme", "traces", "--failed", "--json")
		require.Equal(t, exitOK, code, errs)
		var one views.Trace
		require.NoError(t, json.Unmarshal([]byte(out), &one), "one line: %s", out)
		assert.Equal(t, []any{illTrace, "/search", 1000.0, 1}, []any{one.ID, one.Name, one.Duration, one.Failed})

		code, out, errs = w.run(t.Context(), "acme", "traces", "show", wellTrace)
		require.Equal(t, exitOK, code, errs)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		require.Len(t, lines, 3, out)
		assert.Regexp(t, `^request /search +━{60} +20\.0 ms 200$`, lines[1])
		assert.Regexp(t, `^  model @cf/baai/bge-m3 ·{15}━{30}·{15} +10\.0 ms 12 \+ 0 tokens, \$0\.000000144$`, lines[2])

		code, out, _ = w.run(t.Context(), "globex", "traces")
		assert.Equal(t, exitOK, code)
		assert.Contains(t, out, "no traces", "another tenant's are not seen")
		code, _, errs = w.run(t.Context(), "globex", "traces", "show", wellTrace)
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "trace_not_found")
		for _, wrong := range [][]string{{"traces", "--limit", "-1"}, {"traces", "show"}, {"traces", "export"}, {"traces", "export", "--to", "nowhere"}, {"traces", "export", "--to", "http://c", "--header", "x"}} {
			code, _, errs := w.run(t.Context(), "acme", wrong...)
			assert.Equal(t, exitUsage, code, "%v: %s", wrong, errs)
		}
	})
}

// collecting puts a collector beside the platform, which answers what it is told to, reads what comes as collectors do, and keeps the spans of what it has taken.
func (w *world) collecting(answers ...func(http.ResponseWriter)) (taken map[string][]string) {
	taken = map[string][]string{}
	w.around = func(api http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Host != "collector.test" {
				api.ServeHTTP(rw, r)
				return
			}
			body, err := io.ReadAll(r.Body)
			assert.NoError(w.t, err)
			assert.Equal(w.t, []string{"POST", "/v1/traces", "application/json", "Bearer c"}, []string{r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Authorization")})
			if len(answers) > 0 {
				answers[0](rw)
				answers = answers[1:]
				return
			}
			read, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(body)
			assert.NoError(w.t, err)
			for _, of := range read.ResourceSpans().All() {
				for _, scope := range of.ScopeSpans().All() {
					for _, s := range scope.Spans().All() {
						taken[s.TraceID().String()] = append(taken[s.TraceID().String()], s.SpanID().String())
					}
				}
			}
			_, _ = io.WriteString(rw, `{"partialSuccess":{}}`)
		})
	}
	return taken
}

func refuses(status int) func(http.ResponseWriter) {
	return func(rw http.ResponseWriter) { http.Error(rw, "no room", status) }
}

// A collector is given each trace whole; one that is busy is asked again, and what it refuses is told.
func TestTracesAreExported(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.counted("acme")
		export := func(tenant string, args ...string) (int, string, string) {
			return w.run(t.Context(), tenant, append([]string{"traces", "export", "--to", "http://collector.test", "--header", "authorization: Bearer c"}, args...)...)
		}
		taken := w.collecting(refuses(http.StatusServiceUnavailable), refuses(http.StatusTooManyRequests))
		code, out, errs := export("acme")
		require.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "2 exported to http://collector.test/v1/traces")
		assert.Equal(t, map[string][]string{wellTrace: {"00f067aa0ba902b7", "00f067aa0ba902b8"}, illTrace: {"b7ad6b7169203331"}}, taken)

		taken = w.collecting()
		code, _, errs = export("acme", illTrace)
		require.Equal(t, exitOK, code, errs)
		assert.Len(t, taken, 1)

		taken = w.collecting()
		code, out, errs = export("globex")
		require.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "0 exported")
		assert.Empty(t, taken)
		code, _, errs = export("globex", wellTrace)
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "trace_not_found")
		assert.Empty(t, taken)

		for want, answer := range map[string]func(http.ResponseWriter){
			"400 Bad Request: no room": refuses(http.StatusBadRequest),
			"refused 1 spans: too old": func(rw http.ResponseWriter) {
				_, _ = io.WriteString(rw, `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}`)
			},
		} {
			w.collecting(answer)
			code, _, errs = export("acme")
			assert.Equal(t, exitProblem, code)
			assert.Contains(t, errs, want)
			assert.Contains(t, errs, "after 0 that were exported")
		}
		busy := make([]func(http.ResponseWriter), 5)
		for i := range busy {
			busy[i] = refuses(http.StatusBadGateway)
		}
		w.collecting(busy...)
		code, _, errs = export("acme")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "asked again in vain")
	})
}

func TestMetricsAreShown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.counted("acme")
		code, out, errs := w.run(t.Context(), "acme", "metrics", "--period", "1h")
		require.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "4, of which 1 failed")
		assert.Regexp(t, `POST /search +│ +4 │ +0 │ +1 │ +75 % │`, out)
		assert.Regexp(t, `│ no +│`, out)
		code, out, errs = w.run(t.Context(), "globex", "metrics")
		require.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "0, of which 0 failed")
		assert.NotContains(t, out, "/search")
		code, out, _ = w.run(t.Context(), "acme", "metrics", "--json")
		require.Equal(t, exitOK, code)
		assert.True(t, json.Valid([]byte(out)))
		code, _, errs = w.run(t.Context(), "acme", "metrics", "--period", "1y")
		assert.Equal(t, exitUsage, code, errs)
	})
}
