package bench

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

// Gateway loads POST /v1/chat/completions in front of a provider that answers at once: this platform with everything on
// (tenant, key, rate limits, budgets, the AI binding), and less and less of a gateway beside it.
type Gateway struct {
	Root     string // the checkout
	Rounds   int
	For      time.Duration // of one load
	Clients  int
	Progress func(what string)
}

// GatewayResult is the best that a gateway did.
type GatewayResult struct {
	Name   string      `json:"name"`
	Whole  GatewayLoad `json:"whole"`  // answers in one piece
	Stream GatewayLoad `json:"stream"` // answers of 20 tokens that come at once
	Paced  GatewayLoad `json:"paced"`  // and one token after the other
	Calm   GatewayLoad `json:"calm"`   // streams for one client at a time
	Failed int         `json:"failed"`
}

// GatewayLoad is what one kind of request took.
type GatewayLoad struct {
	RPS     float64       `json:"requestsPerSecond"`
	CPU     time.Duration `json:"cpuPerRequestNs"` // of workerd
	First50 time.Duration `json:"firstByteP50Ns"`
	First99 time.Duration `json:"firstByteP99Ns"`
}

// tokenPause is how long a slow provider thinks about a token.
const tokenPause = 5 * time.Millisecond

// Run builds, warms up and measures, the gateways in turns.
func (g Gateway) Run(ctx context.Context) ([]GatewayResult, error) {
	up, err := newUpstream()
	if err != nil {
		return nil, err
	}
	defer up.Close()
	all, err := os.MkdirTemp(memory(), "levada-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(all)
	results := make([]GatewayResult, len(gateways))
	running := make([]gatewayTarget, len(gateways))
	for i, w := range gateways {
		g.Progress("building and starting " + w.name)
		dir := filepath.Join(all, fmt.Sprintf("gateway-%d", i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
		t, err := w.start(ctx, g.Root, dir, up.Address)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		defer t.server.Stop()
		results[i].Name, running[i] = w.name, t
		for _, streams := range []bool{false, true} { // lets V8 optimise
			if _, err := g.load(t, streams, g.Clients).Run(ctx, t.server.PID); err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
		}
	}
	for round := range g.Rounds {
		for i, w := range gateways {
			g.Progress(fmt.Sprintf("round %d of %d: %s", round+1, g.Rounds, w.name))
			if err := g.measure(ctx, up, running[i], &results[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
		}
	}
	return results, nil
}

// memory is a folder in memory where the system has one: the databases of objects would measure the disk.
func memory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// measure is one round of one gateway.
func (g Gateway) measure(ctx context.Context, up *upstream, t gatewayTarget, r *GatewayResult) error {
	defer up.Pace(0)
	for _, m := range []struct {
		into    *GatewayLoad
		streams bool
		clients int
		pace    time.Duration
	}{
		{&r.Whole, false, g.Clients, 0},
		{&r.Stream, true, g.Clients, 0},
		{&r.Paced, true, 2 * g.Clients, tokenPause},
		{&r.Calm, true, 1, 0},
	} {
		up.Pace(m.pace)
		s, err := g.load(t, m.streams, m.clients).Run(ctx, t.server.PID)
		if err != nil {
			return err
		}
		r.Failed += s.Failed
		*m.into = m.into.better(s)
	}
	return nil
}

func (g Gateway) load(t gatewayTarget, streams bool, clients int) Load {
	body := t.body(streams)
	l := Load{Method: http.MethodPost, URL: t.server.URL + t.path, Clients: clients, For: g.For, status: http.StatusOK,
		Header: http.Header{"Authorization": {"Bearer " + t.key}}, body: func() string { return body }}
	if streams {
		l.ends = t.ends
	}
	return l
}

func (b GatewayLoad) better(s Sample) GatewayLoad {
	if b.RPS == 0 {
		return GatewayLoad{s.RPS(), s.CPU, s.First50, s.First99}
	}
	return GatewayLoad{max(b.RPS, s.RPS()), min(b.CPU, s.CPU), min(b.First50, s.First50), min(b.First99, s.First99)}
}

// GatewayTable shows the results.
func GatewayTable(results []GatewayResult) string {
	t := newTable("a chat completion, 20 tokens", "whole req/s", "CPU us", "stream req/s", "CPU us", "20 tokens, 5 ms apart: CPU us",
		"first byte p50 ms", "p99 ms", "failed", "CPU of ours / theirs: whole", "stream", "paced")
	ours := results[0]
	for _, x := range results {
		t.AppendRow(table.Row{
			x.Name, fmt.Sprintf("%.0f", x.Whole.RPS), x.Whole.CPU.Microseconds(), fmt.Sprintf("%.0f", x.Stream.RPS), x.Stream.CPU.Microseconds(),
			x.Paced.CPU.Microseconds(), milliseconds(x.Calm.First50), milliseconds(x.Calm.First99), x.Failed,
			ratio(ours.Whole.CPU, x.Whole.CPU), ratio(ours.Stream.CPU, x.Stream.CPU), ratio(ours.Paced.CPU, x.Paced.CPU),
		})
	}
	return t.Render()
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }

func ratio(a, b time.Duration) string { return fmt.Sprintf("%.2f x", float64(a)/float64(b)) }
