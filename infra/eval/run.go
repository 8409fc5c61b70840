package eval

import (
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/workflows/job"
)

//go:embed tenants
var configs embed.FS

// tenant is whose documents the collections are.
const tenant = "eval"

// Run measures collections, each on a platform of its own, so that none is in another's index.
type Run struct {
	Root, Dir   string
	Collections []Collection
	Modes       []string
	Bar         io.Writer // where progress is drawn
}

// Result is what came out for a collection.
type Result struct {
	Name      string              `json:"collection"`
	Documents int                 `json:"documents"`
	Questions int                 `json:"questions"`
	Ingest    time.Duration       `json:"ingestNs"`
	BM25      Measured            `json:"bm25"`
	Modes     map[string]Measured `json:"modes"`
}

// Run ingests, asks and scores.
func (r Run) Run(ctx context.Context) ([]Result, error) {
	var out []Result
	for _, c := range r.Collections {
		result, err := r.collection(ctx, c)
		if err != nil {
			return out, err
		}
		out = append(out, result)
	}
	return out, nil
}

func (r Run) collection(ctx context.Context, c Collection) (Result, error) {
	result := Result{Name: c.Name, Documents: len(c.Documents), Questions: len(c.Questions), BM25: Reference(c), Modes: map[string]Measured{}}
	tenants, err := fs.Sub(configs, "tenants")
	if err != nil {
		return result, err
	}
	p, err := local.Start(ctx, local.Options{
		Root: r.Root, State: filepath.Join(r.Dir, c.Name), Build: filepath.Join(r.Dir, "roles"), Tenants: tenants, Version: "eval",
		Progress: func(what string) { fmt.Fprintf(r.Bar, "%s: %s\n", c.Name, what) },
	})
	if err != nil {
		return result, err
	}
	defer p.Stop()
	who := client.New(p.URL, p.Keys[tenant], &client.Options{Tenant: tenant})
	began := time.Now()
	if err := r.ingest(ctx, who, c); err != nil {
		return result, err
	}
	result.Ingest = time.Since(began)
	for _, mode := range r.Modes {
		bar := r.bar(c.Name+" "+mode, len(c.Questions))
		m, err := Ask(ctx, c, mode, clientAsker(who), func() { _ = bar.Add(1) })
		if err != nil {
			return result, err
		}
		_ = bar.Finish()
		result.Modes[mode] = m
	}
	return result, nil
}

func clientAsker(c *client.Client) Asker {
	return func(ctx context.Context, mode, question string) ([]string, error) {
		found, err := c.SearchBy(ctx, mode, question, Depth)
		if err != nil {
			return nil, err
		}
		ids := make([]string, 0, len(found.Sources))
		for _, s := range found.Sources {
			ids = append(ids, s.DocID)
		}
		return ids, nil
	}
}

// ingest hands all documents in as one import and follows it to its end.
func (r Run) ingest(ctx context.Context, who *client.Client, c Collection) error {
	in, err := who.IngestBatch(ctx, client.Batch{Documents: func(yield func(client.Document) bool) {
		for _, d := range c.Documents {
			if !yield(client.Document{DocID: d.ID, Title: d.Title, Text: d.Text, ContentType: "text/plain", Source: c.Name}) {
				return
			}
		}
	}})
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	bar := r.bar(c.Name+" ingest", len(c.Documents))
	j, err := who.Follow(ctx, in.JobID, func(j job.Job) { _ = bar.Set(j.Counts.Done) })
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	if j.State != job.Succeeded || j.Counts.Done != len(c.Documents) {
		return fmt.Errorf("%s: import %s: %d of %d documents are searchable: %v", c.Name, j.State, j.Counts.Done, len(c.Documents), j.Errors)
	}
	return bar.Finish()
}

func (r Run) bar(what string, total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(r.Bar), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(), progressbar.OptionSetWidth(30),
		progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionOnCompletion(func() { fmt.Fprintln(r.Bar) }),
	)
}
