package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"levada.dev/infra/client"
	"levada.dev/infra/dev"
	"levada.dev/infra/local"
)

// API loads the routes of a platform of its own, one after the other, and counts what each costs all of the platform.
type API struct {
	Root, Dir string
	For       time.Duration
	Clients   int
	Progress  func(what string)
}

// APIResult is one route.
type APIResult struct {
	Route string        `json:"route"`
	RPS   float64       `json:"requestsPerSecond"`
	P50   time.Duration `json:"p50Ns"`
	P99   time.Duration `json:"p99Ns"`
	CPU   time.Duration `json:"cpuPerRequestNs"` // of Node and workerd
}

// Run measures. Documents are accepted with the queue paused, so that the work behind it does not count.
func (a API) Run(ctx context.Context) ([]APIResult, error) {
	a.Progress("starting a platform")
	p, job, err := known(ctx, a.Root, a.Dir, "api", nil)
	if err != nil {
		return nil, err
	}
	defer p.Stop()
	if err := p.Queue("ingest").Disturb(ctx, dev.Faults{Pause: true}); err != nil {
		return nil, err
	}
	var results []APIResult
	for _, route := range apiRoutes(job) {
		a.Progress("loading " + route.name)
		l := route.load(p, a.Clients, a.For)
		if _, err := l.Run(ctx, p.PID()); err != nil { // lets V8 optimise
			return nil, fmt.Errorf("%s: %w", route.name, err)
		}
		s, err := l.Run(ctx, p.PID())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", route.name, err)
		}
		if s.Failed > 0 {
			return nil, fmt.Errorf("%s: %d requests failed", route.name, s.Failed)
		}
		results = append(results, APIResult{route.name, s.RPS(), s.P50, s.P99, s.CPU})
	}
	return results, nil
}

// known starts a platform with a stubbed embedder in a folder of its own, and has a document indexed there by a job.
func known(ctx context.Context, root, dir, state string, vars map[string]string) (p *local.Local, job string, err error) {
	p, err = local.Start(ctx, local.Options{Root: root, State: filepath.Join(dir, state), Build: filepath.Join(dir, "roles"), Lexical: true, Vars: vars})
	if err != nil {
		return nil, "", err
	}
	c := client.New(p.URL, "", &client.Options{Tenant: ingestTenant})
	a, err := c.Ingest(ctx, client.Document{DocID: "known", Text: "A levada is an irrigation channel on Madeira."})
	if err == nil {
		_, err = c.Finished(ctx, a.JobID, jobPause)
	}
	if err != nil {
		return nil, "", errors.Join(err, p.Stop())
	}
	return p, a.JobID, nil
}

type apiRoute struct {
	name, method, path string
	status             int
	body               func() string
	cache              string // what the caller says of answers that were given before
}

// load asks a platform for the route.
func (r apiRoute) load(p *local.Local, clients int, d time.Duration) Load {
	return Load{Method: r.method, URL: p.URL + r.path, body: r.body, Clients: clients, For: d, status: r.status,
		Header: http.Header{"X-Tenant-Id": {ingestTenant}, "Cache-Control": {r.cache}}}
}

func apiRoutes(jobID string) []apiRoute {
	nothing := func() string { return "" }
	question := func() string { return `{"query":"How is a field watered?","answer":false}` }
	var n atomic.Int64
	return []apiRoute{
		{"GET /health", http.MethodGet, "/health", http.StatusOK, nothing, ""},
		{"GET /jobs/{id}", http.MethodGet, "/jobs/" + jobID, http.StatusOK, nothing, ""},
		{"GET /documents/{id}", http.MethodGet, "/documents/known", http.StatusOK, nothing, ""},
		{"POST /search", http.MethodPost, "/search", http.StatusOK, question, "no-cache"},
		{"POST /search, again", http.MethodPost, "/search", http.StatusOK, question, ""},
		{"POST /ingest, until accepted", http.MethodPost, "/ingest", http.StatusAccepted, func() string {
			b, _ := json.Marshal(client.Document{DocID: fmt.Sprintf("new-%d", n.Add(1)), Text: "A levada is an irrigation channel on Madeira."})
			return string(b)
		}, ""},
	}
}

// APITable shows the results.
func APITable(results []APIResult) string {
	t := newTable("route, the embedder stubbed", "req/s", "p50 ms", "p99 ms", "CPU us/req of the platform")
	for _, r := range results {
		t.AppendRow([]any{r.Route, fmt.Sprintf("%.0f", r.RPS), fmt.Sprintf("%.1f", float64(r.P50.Microseconds())/1000),
			fmt.Sprintf("%.1f", float64(r.P99.Microseconds())/1000), r.CPU.Microseconds()})
	}
	return t.Render()
}
