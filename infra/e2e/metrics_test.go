package e2e

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter/view"
	"levada.dev/events/trace"
)

// counted are the tenant's requests as Prometheus reads them, without those that look at metrics.
func (u user) counted() map[string]string {
	u.t.Helper()
	a := u.do(http.MethodGet, "/metrics", nil, "accept", "text/plain")
	require.Equal(u.t, http.StatusOK, a.Status, "%s", a.Body)
	problems, err := promlint.New(bytes.NewReader(a.Body)).Lint()
	require.NoError(u.t, err)
	assert.Empty(u.t, problems)
	all := map[string]string{}
	for line := range strings.Lines(string(a.Body)) {
		name, n, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if labels, is := strings.CutPrefix(name, "levada_requests_total{"); is && !strings.HasPrefix(labels, `route="/metrics`) {
			all[labels] = n
		}
	}
	return all
}

// Of two tenants every request is counted, once and as what it was: those that went well, those that were refused, those of strangers, and those that failed.
func TestEveryRequestIsCounted(t *testing.T) {
	busy := script(map[string]any{"error": map[string]any{"code": 3040, "status": 429, "text": "busy"}})
	sent := map[string]int{"one": 7, "other": 4}
	users := map[string]user{}
	for name, n := range sent {
		u := newcomer(t, "counted")
		users[name] = u
		for range n {
			require.Equal(t, http.StatusOK, u.do(http.MethodGet, "/jobs", nil).Status)
			require.Equal(t, http.StatusBadRequest, u.do(http.MethodPost, "/search", map[string]any{"query": ""}).Status)
			stranger := user{t, u.url, u.tenant, ""}
			require.Equal(t, http.StatusUnauthorized, stranger.do(http.MethodGet, "/documents/x", nil, "x-tenant-id", u.tenant).Status)
			require.Equal(t, http.StatusUnauthorized, stranger.do(http.MethodPost, "/chat", map[string]any{"message": "Hello"}, "x-tenant-id", u.tenant).Status)
		}
		a := u.do(http.MethodPost, "/v1/chat/completions", map[string]any{"model": "default", "messages": []any{map[string]any{"role": "user", "content": busy}}})
		require.Equal(t, http.StatusServiceUnavailable, a.Status, "%s", a.Body)
	}
	for name, u := range users {
		n := sent[name]
		want := map[string]string{
			`route="/jobs",method="GET",status="200"`:                 fmt.Sprint(n),
			`route="/search",method="POST",status="400"`:              fmt.Sprint(n),
			`route="_stranger",method="_other",status="4xx"`:          fmt.Sprint(2 * n),
			`route="/v1/chat/completions",method="POST",status="503"`: "1",
		}
		var got map[string]string
		require.Eventually(t, func() bool {
			got = u.counted()
			return assert.ObjectsAreEqual(want, got)
		}, patience, time.Second, "what is counted is told within seconds")
		assert.Equal(t, want, got, u.tenant)

		overview, err := u.client().Overview(t.Context(), "1h")
		require.NoError(t, err)
		assert.Equal(t, int64(1), overview.Failures.Total)
		assert.GreaterOrEqual(t, overview.Requests.Total, int64(4*n+1))
		slis, err := u.client().SLIs(t.Context(), "1h")
		require.NoError(t, err)
		type said struct{ requests, refused, failed int64 }
		rows, looks := map[string]said{}, int64(0)
		for _, r := range slis.Routes {
			if strings.HasPrefix(r.Route, "/metrics") {
				looks += r.Requests
				continue
			}
			rows[r.Method+" "+r.Route] = said{r.Requests, r.Refused, r.Failed}
		}
		assert.Equal(t, map[string]said{
			"GET /jobs": {int64(n), 0, 0}, "POST /search": {int64(n), int64(n), 0}, "_other _stranger": {int64(2 * n), int64(2 * n), 0}, "POST /v1/chat/completions": {1, 0, 1},
		}, rows)
		assert.Equal(t, said{int64(4*n+1) + looks, int64(3 * n), 1}, said{slis.All.Requests, slis.All.Refused, slis.All.Failed})
	}
}

// A document's way through the Workers is one trace, of which every span but the first was caused by another of it; and nobody else's.
func TestADocumentIsOneTrace(t *testing.T) {
	u, other := newcomer(t, "traced"), newcomer(t, "traced")
	a := u.do(http.MethodPost, "/ingest", document{DocID: "way", Text: "The levada carries water to the terraces."})
	require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
	var acc accepted
	a.into(t, &acc)
	require.Equal(t, "succeeded", u.finished(acc.JobID).State)
	parts := strings.Split(a.Header.Get("traceparent"), "-")
	require.Len(t, parts, 4)

	spans := u.traced(parts[1], "api request /ingest", "api object", "consumers event chunk", "consumers event embed", "consumers event index", "consumers model")
	for _, s := range spans {
		if s.Kind == trace.Model {
			assert.Equal(t, "embed", spans[s.Parent].Name, "the model was asked by the stage that embeds")
		}
	}
	assert.Equal(t, http.StatusNotFound, other.do(http.MethodGet, "/traces/"+parts[1], nil).Status)
}

// nameOf says of a span where it was, of which kind it is, and its name.
func nameOf(s view.Span) string { return fmt.Sprintf("%s %s %s", s.Worker, s.Kind, s.Name) }

// traced waits until a trace has spans of these names, as nameOf has them or without the last word, each as often as it is here, and every span but the first was caused by
// another. It requires that all went well, and answers them by their ids.
func (u user) traced(id, first string, want ...string) (spans map[string]view.Span) {
	u.t.Helper()
	var kept view.Spans
	require.Eventually(u.t, func() bool {
		var err error
		if kept, err = u.client().Trace(u.t.Context(), id); err != nil {
			return false
		}
		seen := map[string]int{}
		spans = map[string]view.Span{}
		for _, s := range kept.Spans {
			seen[nameOf(s)]++
			seen[fmt.Sprintf("%s %s", s.Worker, s.Kind)]++
			spans[s.ID] = s
		}
		for _, name := range want {
			if seen[name]--; seen[name] < 0 {
				return false
			}
		}
		return slices.Equal(beginnings(spans), []string{first}) // a part may be told before what it is part of
	}, patience, time.Second, "%s: %+v", id, &kept)
	assert.Equal(u.t, id, kept.ID)
	for _, s := range spans {
		assert.Equal(u.t, trace.OK, s.Outcome, "%+v", s)
	}
	return spans
}

// beginnings are the names of those spans that none of the others has caused.
func beginnings(spans map[string]view.Span) (names []string) {
	for _, s := range spans {
		if spans[s.Parent].ID == "" {
			names = append(names, nameOf(s))
		}
	}
	return names
}

// Two tenants' imports go through queues and a Workflow, each in the trace of its request and of its tenant alone: the steps are caused by the event that started the
// run, and what becomes of a document by the step that submitted it.
func TestAnImportIsOneTrace(t *testing.T) {
	const n, request = 3, "api request /ingest/batch"
	causes := map[string]string{
		"consumers event imports-start": request, "consumers event imports-complete": request,
		"workflows step begin": "consumers event imports-start", "workflows step submit part 0, 0": "consumers event imports-start", "workflows step drop": "consumers event imports-start",
		"consumers event chunk": "workflows step submit part 0, 0", "consumers event embed": "consumers event chunk", "consumers event index": "consumers event embed",
		"consumers model": "consumers event embed",
	}
	users, traces := []user{newcomer(t, "traced"), newcomer(t, "traced")}, make([]string, 2)
	for i, u := range users {
		place, err := trace.New(rand.Reader)
		require.NoError(t, err)
		traces[i] = place.TraceID()
		begun := u.batch(string(ndjson(t, newShipment(u.tenant, n, 0).docs)), "traceparent", place.String())
		require.Equal(t, "succeeded", u.imported(begun.JobID).State)
	}
	want := slices.Concat(slices.Sorted(maps.Keys(causes)), slices.Repeat([]string{"consumers event chunk", "consumers event embed", "consumers event index"}, n-1))
	for i, u := range users {
		spans := u.traced(traces[i], request, want...)
		for _, s := range spans {
			if cause := cmp.Or(causes[nameOf(s)], causes[s.Worker+" "+string(s.Kind)]); cause != "" {
				assert.Equal(t, cause, nameOf(spans[s.Parent]), "%+v", s)
			}
		}
		assert.Equal(t, http.StatusNotFound, users[1-i].do(http.MethodGet, "/traces/"+traces[i], nil).Status)
	}
}
