package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// Beside measures how long one document of a tenant takes while another tenant has a backlog, and how long on the idle platform, by
// turns. The queues wait for company as long as in production: what a window lets into them is made for that.
type Beside struct {
	Root, Dir string
	Lexical   bool // the embedder stubbed
	Backlog   int  // documents of the other tenant
	Samples   int  // of each, in all
	Words     []string
	Progress  func(what string)
}

// BesideResult is what the documents took, from the first byte sent until each was searchable.
type BesideResult struct {
	Lexical bool           `json:"embedderStubbed"`
	Backlog int            `json:"backlog"`
	Least   int            `json:"least"` // documents that the other tenant had to go at any of the samples
	Idle    []BesideSample `json:"idle"`
	Busy    []BesideSample `json:"busy"`
}

// BesideSample is one document's way: from the first byte sent until it was searchable, and how long each stage had it, with the queue before it.
type BesideSample struct {
	Took   time.Duration                  `json:"ns"`
	Stages map[corpus.Stage]time.Duration `json:"stagesNs"`
}

// The tenants: the one with the backlog, and the one with a single document. Their weights do not matter to who has one document only.
const (
	besideMany = "demo"
	besideOne  = "acme"
)

// besideBlocks is how often the platform is idle and has the backlog, by turns.
const besideBlocks = 2

// Run measures.
func (b Beside) Run(ctx context.Context) (r BesideResult, err error) {
	b.Progress("starting a platform, its queues as patient as in production")
	l, err := local.Start(ctx, local.Options{
		Root: b.Root, State: filepath.Join(b.Dir, fmt.Sprintf("beside-%t", b.Lexical)), Build: filepath.Join(b.Dir, "roles"),
		Lexical: b.Lexical, WaitDivisor: 1,
	})
	if err != nil {
		return r, err
	}
	defer l.Stop()
	many := client.New(l.URL, "", &client.Options{Tenant: besideMany})
	one := client.New(l.URL, l.Keys[tenants.ID(besideOne)], nil)
	if _, err := together(ctx, many, named("warm", notes(1000, b.Words))); err != nil {
		return r, err
	}
	r = BesideResult{Lexical: b.Lexical, Backlog: b.Backlog, Least: b.Backlog}
	for block := range besideBlocks {
		n := (b.Samples + besideBlocks - 1) / besideBlocks
		b.Progress(fmt.Sprintf("%d documents on the idle platform", n))
		for i := range n {
			took, err := b.sample(ctx, one, fmt.Sprintf("idle-%d-%d", block, i))
			if err != nil {
				return r, err
			}
			r.Idle = append(r.Idle, took)
		}
		b.Progress(fmt.Sprintf("%d documents beside %d of another tenant", n, b.Backlog))
		if err := b.beside(ctx, many, one, block, n, &r); err != nil {
			return r, err
		}
	}
	return r, nil
}

// beside takes n samples beside a backlog, which goes before this returns.
func (b Beside) beside(ctx context.Context, many, one *client.Client, block, n int, r *BesideResult) error {
	in, err := many.IngestBatch(ctx, client.Batch{Documents: slices.Values(named(fmt.Sprintf("many-%d", block), notes(b.Backlog, b.Words)))})
	if err != nil {
		return err
	}
	for i := range n {
		took, err := b.sample(ctx, one, fmt.Sprintf("busy-%d-%d", block, i))
		if err != nil {
			return err
		}
		j, err := many.Job(ctx, in.JobID)
		if err != nil {
			return err
		}
		if j.State.Final() {
			return errors.New("the backlog is gone before all samples were taken: try more --documents")
		}
		r.Busy, r.Least = append(r.Busy, took), min(r.Least, remaining(j, b.Backlog))
	}
	if _, err := many.CancelJob(ctx, in.JobID); err != nil {
		return err
	}
	for {
		j, err := many.Job(ctx, in.JobID)
		if err != nil || j.State.Final() {
			return err
		}
		if err := client.Sleep(ctx, jobPause); err != nil {
			return err
		}
	}
}

// sample is how long one document takes.
func (b Beside) sample(ctx context.Context, c *client.Client, name string) (BesideSample, error) {
	start := time.Now()
	a, err := c.Ingest(ctx, client.Document{DocID: name, Text: "The gardener of " + name + " has a single orange."})
	if err != nil {
		return BesideSample{}, err
	}
	j, err := c.Finished(ctx, a.JobID, jobPause)
	if err != nil {
		return BesideSample{}, err
	}
	d, err := c.Document(ctx, name)
	s := BesideSample{j.UpdatedAt.Sub(start), map[corpus.Stage]time.Duration{}}
	for i, stage := range d.Stages[min(1, len(d.Stages)):] {
		s.Stages[stage.Stage] = stage.At.Sub(d.Stages[i].At)
	}
	return s, err
}

// BesideTable shows the results.
func BesideTable(results []BesideResult) string {
	t := newTable("one document, ms", "samples", "other's backlog", "p50", "worst", "chunk p50", "embed p50", "index p50", "p50 to idle", "worst to idle")
	for _, r := range results {
		name := "real embedder"
		if r.Lexical {
			name = "stubbed embedder"
		}
		idle, busy := besideTimes(r.Idle, ""), besideTimes(r.Busy, "")
		for _, row := range []struct {
			name, backlog string
			samples       []BesideSample
			ratios        []any
		}{
			{"idle, " + name, "none", r.Idle, nil},
			{"beside it, " + name, fmt.Sprintf("%d to %d", r.Backlog, r.Least), r.Busy, []any{
				fmt.Sprintf("%.2f x", middle(busy).Seconds()/middle(idle).Seconds()),
				fmt.Sprintf("%.2f x", busy[len(busy)-1].Seconds()/idle[len(idle)-1].Seconds()),
			}},
		} {
			all := besideTimes(row.samples, "")
			cells := []any{row.name, len(all), row.backlog, middle(all).Milliseconds(), all[len(all)-1].Milliseconds()}
			for _, stage := range []corpus.Stage{corpus.StageChunk, corpus.StageEmbed, corpus.StageIndex} {
				cells = append(cells, middle(besideTimes(row.samples, stage)).Milliseconds())
			}
			t.AppendRow(append(cells, row.ratios...))
		}
	}
	return t.Render()
}

// besideTimes are what the samples took in a stage, or, without one, in all, in order.
func besideTimes(samples []BesideSample, stage corpus.Stage) []time.Duration {
	all := make([]time.Duration, len(samples))
	for i, s := range samples {
		if all[i] = s.Took; stage != "" {
			all[i] = s.Stages[stage]
		}
	}
	slices.Sort(all)
	return all
}

func middle(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }
