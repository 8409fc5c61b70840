package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
)

// Metering has the same requests answered by platforms that count nothing, that count, and that keep all traces, too: by turns, so that what else the machine does
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

// Run measures. Each round has new platforms: what a process happens to be like must not look like what counting costs.
func (m Metering) Run(ctx context.Context) ([]MeteringResult, error) {
	routes := meteringRoutes()
	samples := make([][][]Sample, len(routes)) // by route, way and round
	for r := range samples {
		samples[r] = make([][]Sample, len(meteringWays))
	}
	for round := range m.Rounds {
		for turn := range meteringWays {
			way := (round + turn) % len(meteringWays)
			if err := m.round(ctx, round, way, routes, samples); err != nil {
				return nil, fmt.Errorf("%s: %w", meteringWays[way].name, err)
			}
		}
	}
	var results []MeteringResult
	for r, route := range routes {
		for i, of := range samples[r] {
			results = append(results, MeteringResult{
				Route: route.name, Way: meteringWays[i].name,
				P50:  medianOf(of, func(_ int, s Sample) time.Duration { return s.P50 }),
				CPU:  medianOf(of, func(_ int, s Sample) time.Duration { return s.CPU }),
				Part: medianOf(of, func(n int, s Sample) float64 { return float64(s.CPU)/float64(samples[r][0][n].CPU) - 1 }),
			})
		}
	}
	return results, nil
}

// round adds a sample of each route to those of a way.
func (m Metering) round(ctx context.Context, round, way int, routes []apiRoute, samples [][][]Sample) error {
	of := meteringWays[way]
	m.Progress(fmt.Sprintf("round %d of %d: %s", round+1, m.Rounds, of.name))
	p, _, err := known(ctx, m.Root, m.Dir, fmt.Sprintf("metering-%d-%d", round, way), of.vars)
	if err != nil {
		return err
	}
	defer p.Stop()
	for r, route := range routes {
		if _, err := m.sample(ctx, p, route); err != nil { // lets V8 optimise
			return fmt.Errorf("%s: %w", route.name, err)
		}
		s, err := m.sample(ctx, p, route)
		if err != nil {
			return fmt.Errorf("%s: %w", route.name, err)
		}
		samples[r][way] = append(samples[r][way], s)
	}
	return nil
}

// sample is one round, with the CPU time until everything of it has been handed over.
func (m Metering) sample(ctx context.Context, p *local.Local, route apiRoute) (Sample, error) {
	l := route.load(p, m.Clients, m.For)
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

// medianOf is the median of what each sample has; where two are in the middle, what is between them.
func medianOf[T time.Duration | float64](samples []Sample, of func(n int, s Sample) T) T {
	values := make([]T, len(samples))
	for n, s := range samples {
		values[n] = of(n, s)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// MeteringTable shows the results.
func MeteringTable(results []MeteringResult) string {
	t := newTable("route, the embedder stubbed", "what is noticed", "p50 ms", "CPU us/req of the platform", "more than that")
	for _, r := range results {
		more := fmt.Sprintf("%+.1f %%", 100*r.Part)
		if r.Way == meteringWays[0].name {
			more = ""
		}
		t.AppendRow([]any{r.Route, r.Way, fmt.Sprintf("%.1f", float64(r.P50.Microseconds())/1000), r.CPU.Microseconds(), more})
	}
	return t.Render()
}
