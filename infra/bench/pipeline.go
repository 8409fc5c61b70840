package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
)

// Reference is how many three-step ingests a second a durable-execution engine did on the machine on which the first figures of
// this were taken; the last column of the table is against it.
const Reference = 309

// Pipeline measures what the platform itself takes for documents, the embedder stubbed: few of them one by one and as an import,
// by turns, and many as an import.
type Pipeline struct {
	Root, Dir string
	Few, Many int
	Rounds    int // of the few; of the many half as often
	Clients   int // that send one by one
	Words     []string
	Progress  func(what string)
}

// PipelineResult is one way to send so many documents.
type PipelineResult struct {
	Way       string          `json:"way"`
	Documents int             `json:"documents"`
	Took      []time.Duration `json:"tookNs"`     // of each round, from the first byte sent until the last document was searchable
	Accepted  []time.Duration `json:"acceptedNs"` // of it until the last was accepted
	CPU       time.Duration   `json:"cpuNs"`      // of Node and workerd, of all rounds
	Counts    Counts          `json:"counts"`     // of all rounds
	MiB       float64         `json:"residentMiB"`
}

const (
	oneByOne = "one by one"
	imported = "import"
)

// Run measures.
func (p Pipeline) Run(ctx context.Context) ([]PipelineResult, error) {
	p.Progress("starting a platform, the embedder stubbed")
	l, err := local.Start(ctx, local.Options{
		Root: p.Root, State: filepath.Join(p.Dir, "pipeline"), Build: filepath.Join(p.Dir, "roles"), Lexical: true,
	})
	if err != nil {
		return nil, err
	}
	defer l.Stop()
	c := client.New(l.URL, "", &client.Options{Tenant: ingestTenant})
	single, few, many := &PipelineResult{Way: oneByOne, Documents: p.Few}, &PipelineResult{Way: imported, Documents: p.Few}, &PipelineResult{Way: imported, Documents: p.Many}
	// Rounds before those that count let V8 optimise, and let the tenant's window find its size.
	for round := range p.Rounds + 1 {
		for _, r := range []*PipelineResult{single, few} {
			if round == 0 {
				p.Progress(fmt.Sprintf("warming up with %d documents, %s", r.Documents, r.Way))
				warm := *r
				if err := p.round(ctx, l, c, &warm, "warm"); err != nil {
					return nil, err
				}
				continue
			}
			p.Progress(fmt.Sprintf("round %d of %d: %d documents, %s", round, p.Rounds, r.Documents, r.Way))
			if err := p.round(ctx, l, c, r, fmt.Sprintf("few-%d", round)); err != nil {
				return nil, err
			}
		}
	}
	for round := range max(1, p.Rounds/2) {
		p.Progress(fmt.Sprintf("round %d of %d: %d documents, %s", round+1, max(1, p.Rounds/2), many.Documents, many.Way))
		if err := p.round(ctx, l, c, many, fmt.Sprintf("many-%d", round)); err != nil {
			return nil, err
		}
	}
	return []PipelineResult{*single, *few, *many}, nil
}

// round sends the documents once.
func (p Pipeline) round(ctx context.Context, l *local.Local, c *client.Client, r *PipelineResult, name string) error {
	docs := named(name+"-"+string(r.Way[0]), notes(r.Documents, p.Words))
	counts, err := count(ctx, l)
	if err != nil {
		return err
	}
	before, _, err := usage(l.PID())
	if err != nil {
		return err
	}
	var f followed
	if r.Way == imported {
		f, err = together(ctx, c, docs)
	} else {
		f, err = singly(ctx, c, docs, p.Clients)
	}
	if err != nil {
		return err
	}
	after, mib, err := usage(l.PID())
	if err != nil {
		return err
	}
	now, err := count(ctx, l)
	r.Took, r.Accepted = append(r.Took, f.searchable), append(r.Accepted, f.accepted)
	r.CPU, r.MiB = r.CPU+after-before, mib
	r.Counts = r.Counts.plus(now.minus(counts))
	return err
}

// Best and Median are documents a second of the fastest tenth of the rounds and of the middle one.
func (r PipelineResult) Best() float64 { return float64(r.Documents) / r.quantile(0.1).Seconds() }

// Median is the rate of the round in the middle.
func (r PipelineResult) Median() float64 { return float64(r.Documents) / r.quantile(0.5).Seconds() }

func (r PipelineResult) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.Took))
	return sorted[int(q*float64(len(sorted)))]
}

// PipelineTable shows the results, and what each document took and caused.
func PipelineTable(results []PipelineResult) string {
	rates := newTable("embedder stubbed", "documents", "rounds", "accepted docs/s", "docs/s p10", "docs/s p50", "an engine's "+fmt.Sprint(Reference)+"/s", "CPU ms/doc", "MiB")
	causes := newTable("a document causes", "documents", "object calls", "rows", "R2 puts", "model calls", "messages", "of them audit", "sends", "batches")
	for _, r := range results {
		documents := r.Documents * len(r.Took)
		accepted := slices.Sorted(slices.Values(r.Accepted))[len(r.Accepted)/2]
		rates.AppendRow([]any{r.Way, r.Documents, len(r.Took), fmt.Sprintf("%.0f", float64(r.Documents)/accepted.Seconds()),
			fmt.Sprintf("%.0f", r.Best()), fmt.Sprintf("%.0f", r.Median()), fmt.Sprintf("%.2f x", r.Median()/Reference),
			perDocument(r.CPU, documents), fmt.Sprintf("%.0f", r.MiB)})
		row := []any{r.Way, r.Documents}
		c := r.Counts
		for _, n := range []int{c.ObjectCalls, c.Rows, c.Puts, c.ModelCalls, c.Messages, c.AuditMessages, c.Sends, c.Batches} {
			row = append(row, fmt.Sprintf("%.2f", float64(n)/float64(documents)))
		}
		causes.AppendRow(row)
	}
	few, many := results[1], results[2]
	growth := (many.quantile(0.5).Seconds() / float64(many.Documents)) / (few.quantile(0.5).Seconds() / float64(few.Documents))
	return fmt.Sprintf("%s\n%s\ntime a document, %d : %d documents = %.2f x\n", rates.Render(), causes.Render(), many.Documents, few.Documents, growth)
}

func perDocument(d time.Duration, documents int) string {
	return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000/float64(documents))
}
