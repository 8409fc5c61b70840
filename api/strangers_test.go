package api_test

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/events/meter/view"
	"levada.dev/events/watch"
	"levada.dev/tenants"
)

// counting has the meters of a world be told what its watch notices.
type counting struct{ w *world }

func (x counting) Add(ctx context.Context, s tenants.Scope, b meter.Batch) error {
	return x.w.meters.Add(ctx, s, b)
}

// noticing is a world whose requests are counted, in the time of the bubble that it is in.
func noticing(t *testing.T) *world {
	return newWorld(t, func(w *world) {
		w.opts.Now = time.Now
		w.opts.Watch = watch.New("api", &watch.Options{Sink: counting{w}, Log: slog.New(slog.DiscardHandler), Background: beside(t)})
	})
}

// series are those of the requests of a tenant.
func (w *world) series(tenant string) (all []string) {
	for line := range strings.Lines(w.do(tenant, "GET", "/metrics", "").Body.String()) {
		if strings.HasPrefix(line, "levada_requests_total") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

// Strangers who ask for everything that there is take no room of what is counted of the tenant: what fails after them is seen.
func TestAFloodOfStrangersHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := noticing(t)
		sent := 0
		for _, row := range api.Routes() {
			method, path, _ := strings.Cut(row, " ")
			path = strings.NewReplacer("{id...}", "x", "{", "", "}", "").Replace(path)
			if strings.HasPrefix(path, "/health") || strings.HasPrefix(path, "/ready") || strings.HasPrefix(path, "/openapi") || strings.HasPrefix(path, "/ingest/webhooks") {
				continue
			}
			for _, who := range []struct {
				as      string
				headers []string
			}{
				{"", []string{"x-tenant-id", "acme"}}, {"", []string{"x-tenant-id", "acme", "x-api-key", "nonsense"}}, {"globex", []string{"x-tenant-id", "acme"}},
			} {
				rec := w.do(who.as, method, path, "", who.headers...)
				require.Contains(t, []int{401, 403}, rec.Code, row)
				sent++
			}
			w.do("", "OPTIONS", path, "", "host", "acme.localhost", "origin", "https://app.acme.example", "access-control-request-method", method)
		}
		time.Sleep(time.Minute)
		require.Greater(t, sent, meter.MaxSeries)
		assert.Equal(t, []string{`levada_requests_total{route="_stranger",method="_other",status="4xx"} ` + strconv.Itoa(sent)}, w.series("acme"))
		assert.Empty(t, w.series("globex"), "what its keys did at another's door is not its own")

		for _, tenant := range []string{"acme", "globex", "acme"} {
			require.Equal(t, 500, w.do(tenant, "POST", "/search", `{"query":"panic"}`).Code)
		}
		require.Equal(t, 200, w.do("acme", "GET", "/jobs", "").Code)
		require.Equal(t, 403, w.do("acme-search", "GET", "/jobs", "").Code, "its own key, of another scope")
		time.Sleep(10 * time.Second)
		metrics := strings.Join(w.series("acme"), "\n")
		assert.Contains(t, metrics, `{route="/search",method="POST",status="500"} 2`)
		assert.Contains(t, metrics, `{route="/jobs",method="GET",status="403"} 1`)
		for tenant, failures := range map[string]int64{"acme": 2, "globex": 1} {
			assert.Equal(t, failures, data[view.Overview](t, w.do(tenant, "GET", "/metrics/overview?period=1h", "")).Failures.Total)
			slis := data[view.SLIs](t, w.do(tenant, "GET", "/metrics/slis?period=1h", ""))
			assert.Equal(t, failures, slis.All.Failed)
			require.NotNil(t, slis.All.Available)
			assert.Equal(t, 201, w.do(tenant, "POST", "/metrics/alerts", `{"id":"r","name":"Fails","metric":"failure_rate","comparator":">","threshold":0.1,"period":"5m"}`).Code)
			alerts := data[struct{ Alerts []alert.Alert }](t, w.do(tenant, "GET", "/metrics/alerts", "")).Alerts
			require.Len(t, alerts, 1)
			require.NotNil(t, alerts[0].Value)
			assert.InDelta(t, 1-*slis.All.Available, *alerts[0].Value, 0.2, "the same, but for the requests between")
			assert.Greater(t, *alerts[0].Value, 0.1)
		}
	})
}
