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

// Ingest sends documents to a platform of its own and follows them until each is searchable, with the encoder in it: how
// much of what the embedder can do is left of it. What the platform itself costs is Pipeline's.
type Ingest struct {
	Root, Dir string
	Texts     []string // Markdown
	Clients   int
	Progress  func(what string)
}

// IngestResult is how long that took, and how long the embedder alone takes for the same chunks.
type IngestResult struct {
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

// Run measures.
func (in Ingest) Run(ctx context.Context) (r IngestResult, err error) {
	in.Progress("starting a platform")
	p, err := local.Start(ctx, local.Options{
		Root: in.Root, State: filepath.Join(in.Dir, "ingest"), Build: filepath.Join(in.Dir, "roles"),
	})
	if err != nil {
		return r, err
	}
	defer p.Stop()
	c := client.New(p.URL, "", &client.Options{Tenant: ingestTenant})
	// A few documents first: they instantiate every role and let V8 optimise it.
	if _, err := singly(ctx, c, named("warm", in.Texts[:min(20, len(in.Texts))]), in.Clients); err != nil {
		return r, err
	}
	chunks, err := in.chunks(ctx)
	if err != nil {
		return r, err
	}
	r = IngestResult{Documents: len(in.Texts), Chunks: len(chunks)}
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
	run, err := singly(ctx, c, named("doc", in.Texts), in.Clients)
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

// Table shows the result.
func (r IngestResult) Table() string {
	t := newTable("with the embedder", "documents", "chunks", "accepted docs/s", "docs/s", "chunks/s", "embedder alone chunks/s", "ratio", "platform CPU ms/doc", "MiB")
	alone := float64(r.Chunks) / r.Embedder.Seconds()
	t.AppendRow([]any{"one by one", r.Documents, r.Chunks, fmt.Sprintf("%.0f", float64(r.Documents)/r.Accepted.Seconds()),
		fmt.Sprintf("%.0f", r.DocumentsPerSecond()), fmt.Sprintf("%.0f", r.ChunksPerSecond()), fmt.Sprintf("%.0f", alone),
		fmt.Sprintf("%.2f x", r.ChunksPerSecond()/alone), perDocument(r.CPU, r.Documents), fmt.Sprintf("%.0f", r.MiB)})
	return t.Render()
}
