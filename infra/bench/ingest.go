package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/workflows/corpus/chunk"
	"levada.dev/workflows/llm"
)

// Ingest sends documents to a platform of its own and follows them until each is searchable.
type Ingest struct {
	Root, Dir string
	Texts     []string // Markdown
	Clients   int
	Lexical   bool // with the embedder stubbed: see dev.Options
	Progress  func(what string)
}

// IngestResult is how long that took, and how long the embedder alone takes for the same chunks.
type IngestResult struct {
	Lexical    bool          `json:"embedderStubbed"`
	Documents  int           `json:"documents"`
	Chunks     int           `json:"chunks"`
	Accepted   time.Duration `json:"acceptedNs"`   // until the last was accepted
	Searchable time.Duration `json:"searchableNs"` // until the last was searchable
	Embedder   time.Duration `json:"embedderNs"`   // the same chunks, straight to the model's server; before and after, the mean
	CPU        time.Duration `json:"cpuNs"`        // of Node and workerd, for all documents
	MiB        float64       `json:"residentMiB"`  // of Node and workerd, afterwards
}

// DocumentsPerSecond is the rate from the first request to the last searchable document.
func (r IngestResult) DocumentsPerSecond() float64 {
	return float64(r.Documents) / r.Searchable.Seconds()
}

// ChunksPerSecond is the same in chunks.
func (r IngestResult) ChunksPerSecond() float64 { return float64(r.Chunks) / r.Searchable.Seconds() }

// tenant has the model that the embedder alone is asked for.
const ingestTenant = "demo"

// Run measures.
func (in Ingest) Run(ctx context.Context) (r IngestResult, err error) {
	in.Progress("starting a platform")
	name := "ingest"
	if in.Lexical {
		name = "ingest-lexical"
	}
	p, err := local.Start(ctx, local.Options{
		Root: in.Root, State: filepath.Join(in.Dir, name), Build: filepath.Join(in.Dir, "roles"), Lexical: in.Lexical,
	})
	if err != nil {
		return r, err
	}
	defer p.Stop()
	c := client.New(p.URL, "", &client.Options{Tenant: ingestTenant})
	// A few documents first: they instantiate every role and let V8 optimise it.
	if _, err := in.follow(ctx, c, in.Texts[:min(20, len(in.Texts))], "warm"); err != nil {
		return r, err
	}
	chunks, err := in.chunks(ctx)
	if err != nil {
		return r, err
	}
	r = IngestResult{Lexical: in.Lexical, Documents: len(in.Texts), Chunks: len(chunks)}
	// The embedder alone before and after, because a machine that is shared changes its mind.
	before, err := in.alone(ctx, p.GatewayURL(), chunks)
	if err != nil {
		return r, err
	}
	if err := in.measure(ctx, p.PID(), c, &r); err != nil {
		return r, err
	}
	after, err := in.alone(ctx, p.GatewayURL(), chunks)
	r.Embedder = (before + after) / 2
	return r, err
}

// measure ingests and follows.
func (in Ingest) measure(ctx context.Context, pid int, c *client.Client, r *IngestResult) error {
	in.Progress(fmt.Sprintf("ingesting %d documents", len(in.Texts)))
	before, _, err := usage(pid)
	if err != nil {
		return err
	}
	run, err := in.follow(ctx, c, in.Texts, "doc")
	if err != nil {
		return err
	}
	r.Accepted, r.Searchable = run.accepted, run.searchable
	r.CPU, r.MiB, err = usage(pid)
	r.CPU -= before
	return err
}

// alone is how long the embedder takes for the chunks with nothing else to do.
func (in Ingest) alone(ctx context.Context, server string, chunks []string) (time.Duration, error) {
	in.Progress(fmt.Sprintf("embedding the same %d chunks, the embedder alone", len(chunks)))
	return embedAlone(ctx, server, chunks)
}

// usage is the CPU time and memory of a platform's processes.
func usage(pid int) (cpu time.Duration, mib float64, err error) {
	for _, p := range descendants(pid) {
		c, err := cpuTime(p)
		if err != nil {
			return 0, 0, err
		}
		m, err := residentMiB(p)
		if err != nil {
			return 0, 0, err
		}
		cpu, mib = cpu+c, mib+m
	}
	return cpu, mib, nil
}

// jobPause is between two looks at a job, so that asking costs the measured work next to nothing.
const jobPause = 500 * time.Millisecond

type followed struct{ accepted, searchable time.Duration }

// follow submits the texts and waits for the last job to end. The end is the ledger's time of the last job, so that
// asking for it costs the measured work nothing.
func (in Ingest) follow(ctx context.Context, c *client.Client, texts []string, prefix string) (followed, error) {
	start := time.Now()
	jobs := make([]string, len(texts))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(in.Clients)
	for i, text := range texts {
		g.Go(func() error {
			a, err := c.Ingest(gctx, client.Document{DocID: fmt.Sprintf("%s-%d", prefix, i), Text: text, ContentType: "text/markdown"})
			jobs[i] = a.JobID
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return followed{}, err
	}
	f := followed{accepted: time.Since(start)}
	var end time.Time
	for _, id := range slices.Backward(jobs) { // the last is likely the last to end
		j, err := c.Finished(ctx, id, jobPause)
		if err != nil {
			return f, err
		}
		if j.UpdatedAt.After(end) {
			end = j.UpdatedAt
		}
	}
	f.searchable = end.Sub(start)
	return f, nil
}

// chunks cuts the texts as the chunk consumer does.
func (in Ingest) chunks(ctx context.Context) (texts []string, err error) {
	model := llm.EmbeddingModels()[0]
	for _, t := range in.Texts {
		cs, err := chunk.Split([]byte(t), "text/markdown", chunk.ForModel(model))
		if err != nil {
			return nil, err
		}
		for _, c := range cs {
			texts = append(texts, c.Text)
		}
	}
	return texts, ctx.Err()
}

// embedAlone sends the texts to the server behind the AI binding, a full call at a time, two at once: one for each core.
func embedAlone(ctx context.Context, server string, texts []string) (time.Duration, error) {
	model := llm.EmbeddingModels()[0]
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for batch := range slices.Chunk(texts, model.Batch) {
		g.Go(func() error {
			body, err := json.Marshal(map[string]any{"inputs": map[string]any{"text": batch}, "options": map[string]any{}})
			if err != nil {
				return err
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/run", bytes.NewReader(body))
			if err != nil {
				return err
			}
			req.Header.Set("content-type", "application/json")
			req.Header.Set("cf-consn-model-id", model.Name)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("the embedder answered %s", resp.Status)
			}
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		})
	}
	err := g.Wait()
	return time.Since(start), err
}

// IngestTable shows the results with the real embedder and with the stubbed one.
func IngestTable(results map[string]IngestResult) string {
	t := newTable("ingest to searchable", "documents", "chunks", "accepted docs/s", "docs/s", "chunks/s", "embedder alone chunks/s", "ratio", "platform CPU ms/doc", "MiB")
	for _, name := range []string{"real embedder", "stubbed embedder"} {
		r, ok := results[name]
		if !ok {
			continue
		}
		alone := float64(r.Chunks) / r.Embedder.Seconds()
		ratio := fmt.Sprintf("%.2f x", r.ChunksPerSecond()/alone)
		if r.Lexical {
			ratio = "-" // against next to nothing
		}
		t.AppendRow([]any{name, r.Documents, r.Chunks, fmt.Sprintf("%.0f", float64(r.Documents)/r.Accepted.Seconds()),
			fmt.Sprintf("%.0f", r.DocumentsPerSecond()), fmt.Sprintf("%.0f", r.ChunksPerSecond()),
			fmt.Sprintf("%.0f", alone), ratio,
			fmt.Sprintf("%.1f", float64(r.CPU.Microseconds())/1000/float64(r.Documents)), fmt.Sprintf("%.0f", r.MiB)})
	}
	return t.Render()
}
