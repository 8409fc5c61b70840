package bench

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Routes loads every contender with the same small request, in turns, round after round.
type Routes struct {
	Root, Dir string // the checkout; a folder for what is built
	Rounds    int
	For       time.Duration // of one load
	Clients   int
	Progress  func(what string)
}

// RouteResult is the best that a contender did: disturbances on a shared machine only ever slow down.
type RouteResult struct {
	Name   string        `json:"name"`
	RPS    float64       `json:"requestsPerSecond"`
	CPU    time.Duration `json:"cpuPerRequestNs"`
	P99    time.Duration `json:"p99Ns"`
	Failed int           `json:"failed"`
}

// Run builds, warms up and measures.
func (r Routes) Run(ctx context.Context) ([]RouteResult, error) {
	servers := make([]*Workerd, len(contenders))
	for i, c := range contenders {
		r.Progress("building and starting " + c.name)
		w, err := c.start(ctx, r.Root, filepath.Join(r.Dir, fmt.Sprintf("route-%d", i)))
		if err != nil {
			return nil, err
		}
		defer w.Stop()
		servers[i] = w
		if _, err := r.load(w, r.For).Run(ctx, w.PID); err != nil { // lets V8 optimise
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	results := make([]RouteResult, len(contenders))
	for round := range r.Rounds {
		for i, c := range contenders {
			r.Progress(fmt.Sprintf("round %d of %d: %s", round+1, r.Rounds, c.name))
			s, err := r.load(servers[i], r.For).Run(ctx, servers[i].PID)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			results[i] = results[i].better(c.name, s)
		}
	}
	return results, nil
}

func (r Routes) load(w *Workerd, d time.Duration) Load {
	return Load{Method: http.MethodPost, URL: w.URL + "/event", Clients: r.Clients, For: d, status: http.StatusOK,
		body: func() string { return `{"text":"hello"}` }}
}

func (b RouteResult) better(name string, s Sample) RouteResult {
	if b.Name == "" {
		return RouteResult{name, s.RPS(), s.CPU, s.P99, s.Failed}
	}
	return RouteResult{name, max(b.RPS, s.RPS()), min(b.CPU, s.CPU), min(b.P99, s.P99), b.Failed + s.Failed}
}

// RouteTable shows the results and how this runtime stands to each other contender.
func RouteTable(results []RouteResult) string {
	t := newTable("POST JSON -> CloudEvent", "req/s", "CPU us/req", "p99 ms", "failed", "req/s of ours", "CPU of theirs / ours")
	ours := results[0]
	for _, x := range results {
		t.AppendRow(table.Row{
			x.Name, fmt.Sprintf("%.0f", x.RPS), x.CPU.Microseconds(), fmt.Sprintf("%.1f", float64(x.P99.Microseconds())/1000), x.Failed,
			fmt.Sprintf("%.2f x", ours.RPS/x.RPS), fmt.Sprintf("%.2f x", float64(x.CPU)/float64(ours.CPU)),
		})
	}
	return t.Render()
}

// newTable is a table whose columns but the first are numbers.
func newTable(columns ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = 0
	t.AppendHeader(columns)
	var configs []table.ColumnConfig
	for i := range columns[1:] {
		configs = append(configs, table.ColumnConfig{Number: i + 2, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	return t
}
