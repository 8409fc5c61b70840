package bench

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
)

// Metering has the same requests answered by platforms that notice nothing, that count, and that keep traces, too: by turns, so that what else the machine does
// meets all of them.
type Metering struct {
	Root, Dir string
	Rounds    int
	For       time.Duration
	Clients   int
	Progress  func(what string)
}

// MeteringResult is one route on one of the platforms.
type MeteringResult struct {
	Route string        `json:"route"`
	Way   string        `json:"way"`
	P50   time.Duration `json:"p50Ns"`           // the median of the rounds
	CPU   time.Duration `json:"cpuPerRequestNs"` // of Node and workerd, with all that was handed over for the requests; the median of the rounds
	Part  float64       `json:"part"`            // of what it takes where nothing is noticed, more: the median of the rounds' own
}

// meteringWays are the platforms, the one that the others are held against first. All of them write their lines of the log.
var meteringWays = []struct {
	name string
	vars map[string]string
}{
	{"nothing is counted", map[string]string{"METERING": "off"}},
	{"all is counted, a tenth of the traces kept", map[string]string{"TRACES": "10"}},
	{"all is counted, all traces kept", map[string]string{"TRACES": "100"}},
}

// handedOver is how long after the last request everything of it has been handed over.
const handedOver = 4 * time.Second

// Run measures.
func (m Metering) Run(ctx context.Context) ([]MeteringResult, error) {
	var platforms []*local.Local
	for _, way := range meteringWays {
		m.Progress("starting a platform: " + way.name)
		p, err := local.Start(ctx, local.Options{
			Root: m.Root, State: filepath.Join(m.Dir, "metering-"+fmt.Sprint(len(platforms))), Build: filepath.Join(m.Dir, "roles"), Lexical: true, Vars: way.vars,
		})
		if err != nil {
			return nil, err
		}
		defer p.Stop()
		c := client.New(p.URL, "", &client.Options{Tenant: ingestTenant})
		job, err := c.Ingest(ctx, client.Document{DocID: "known", Text: "A levada is an irrigation channel on Madeira."})
		if err != nil {
			return nil, err
		}
		if _, err := c.Finished(ctx, job.JobID, jobPause); err != nil {
			return nil, err
		}
		platforms = append(platforms, p)
	}
	var results []MeteringResult
	for _, route := range meteringRoutes() {
		rounds := make([][]Sample, len(platforms))
		for round := range m.Rounds + 1 {
			for i := range platforms {
				i = (i + round) % len(platforms)
				m.Progress(fmt.Sprintf("round %d of %d: %s, %s", round, m.Rounds, route.name, meteringWays[i].name))
				s, err := m.sample(ctx, platforms[i], route)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", route.name, meteringWays[i].name, err)
				}
				if round > 0 { // before that V8 optimises
					rounds[i] = append(rounds[i], s)
				}
			}
		}
		for i, samples := range rounds {
			results = append(results, MeteringResult{
				Route: route.name, Way: meteringWays[i].name,
				P50:  medianOf(samples, func(_ int, s Sample) time.Duration { return s.P50 }),
				CPU:  medianOf(samples, func(_ int, s Sample) time.Duration { return s.CPU }),
				Part: medianOf(samples, func(n int, s Sample) float64 { return float64(s.CPU)/float64(rounds[0][n].CPU) - 1 }),
			})
		}
	}
	return results, nil
}

// sample is one round, with the CPU time until everything of it has been handed over.
func (m Metering) sample(ctx context.Context, p *local.Local, route apiRoute) (Sample, error) {
	l := Load{Method: route.method, URL: p.URL + route.path, body: route.body, Clients: m.Clients, For: m.For, status: route.status,
		Header: http.Header{"X-Tenant-Id": {ingestTenant}, "Cache-Control": {route.cache}}}
	before, _, err := usage(p.PID())
	if err != nil {
		return Sample{}, err
	}
	s, err := l.Run(ctx, p.PID())
	if err != nil {
		return s, err
	}
	if s.Failed > 0 {
		return s, fmt.Errorf("%d requests failed: %w", s.Failed, s.Err)
	}
	if err := client.Sleep(ctx, handedOver); err != nil {
		return s, err
	}
	after, _, err := usage(p.PID())
	s.CPU = (after - before) / time.Duration(s.Requests)
	return s, err
}

// meteringRoutes are a request that reads one row, a search, one that is answered from the cache, and a turn of a conversation.
func meteringRoutes() (routes []apiRoute) {
	for _, r := range apiRoutes("") {
		if slices.Contains([]string{"GET /documents/{id}", "POST /search", "POST /search, again"}, r.name) {
			routes = append(routes, r)
		}
	}
	return append(routes, apiRoute{"POST /chat", http.MethodPost, "/chat", http.StatusOK, func() string {
		return fmt.Sprintf(`{"message":%q,"system":%q,"maxTokens":64,"stream":false}`, question, manner)
	}, ""})
}

// medianOf is the median of what each sample has; of two in the middle the greater.
func medianOf[T time.Duration | float64](samples []Sample, of func(n int, s Sample) T) T {
	values := make([]T, len(samples))
	for n, s := range samples {
		values[n] = of(n, s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// MeteringTable shows the results.
func MeteringTable(results []MeteringResult) string {
	t := newTable("route, the embedder stubbed", "what is noticed", "p50 ms", "CPU us/req of the platform", "more than nothing")
	for _, r := range results {
		more := fmt.Sprintf("%+.1f %%", 100*r.Part)
		if r.Way == meteringWays[0].name {
			more = ""
		}
		t.AppendRow([]any{r.Route, r.Way, fmt.Sprintf("%.1f", float64(r.P50.Microseconds())/1000), r.CPU.Microseconds(), more})
	}
	return t.Render()
}
