package e2e

import (
	"bytes"
	"fmt"
	"net/http"
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

	var kept view.Spans
	want := []string{"api request /ingest", "consumers event chunk", "consumers event embed", "consumers event index"}
	places := map[string]view.Span{}
	require.Eventually(t, func() bool {
		var err error
		if kept, err = u.client().Trace(t.Context(), parts[1]); err != nil {
			return false
		}
		seen := map[string]bool{}
		for _, s := range kept.Spans {
			seen[fmt.Sprintf("%s %s %s", s.Worker, s.Kind, s.Name)] = true
			seen[fmt.Sprintf("%s %s", s.Worker, s.Kind)] = true
			places[s.ID] = s
		}
		for _, name := range append(want, "consumers model", "api object") {
			if !seen[name] {
				return false
			}
		}
		return true
	}, patience, time.Second, "%s: %+v", parts[1], &kept)
	assert.Equal(t, parts[1], kept.ID)
	var first []string
	for _, s := range kept.Spans {
		assert.Equal(t, trace.OK, s.Outcome, "%+v", s)
		if places[s.Parent].ID == "" {
			first = append(first, string(s.Kind)+" "+s.Name)
		}
	}
	assert.Equal(t, []string{"request /ingest"}, first, "%+v", kept.Spans)
	for _, s := range kept.Spans {
		if s.Kind == trace.Model {
			assert.Equal(t, "embed", places[s.Parent].Name, "the model was asked by the stage that embeds")
		}
	}
	assert.Equal(t, http.StatusNotFound, other.do(http.MethodGet, "/traces/"+parts[1], nil).Status)
}
