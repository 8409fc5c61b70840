package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/client"
	"levada.dev/workflows/job"
)

// ingestTenant has the model that the embedder alone is asked for.
const ingestTenant = "demo"

// jobPause is between two looks at a job, so that asking costs the measured work next to nothing.
const jobPause = 500 * time.Millisecond

// followed is how long documents took, from the first byte that was sent. The end is the ledger's time of the last job, so that asking
// for it costs the measured work nothing.
type followed struct{ accepted, searchable time.Duration }

// named makes documents of texts; their ids begin with the prefix.
func named(prefix string, texts []string) []client.Document {
	docs := make([]client.Document, len(texts))
	for i, text := range texts {
		docs[i] = client.Document{DocID: fmt.Sprintf("%s-%d", prefix, i), Text: text, ContentType: "text/markdown"}
	}
	return docs
}

// singly submits each document by itself and waits for the last job to end.
func singly(ctx context.Context, c *client.Client, docs []client.Document, clients int) (followed, error) {
	start := time.Now()
	jobs := make([]string, len(docs))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(clients)
	for i, d := range docs {
		g.Go(func() error {
			a, err := c.Ingest(gctx, d)
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

// together submits the documents as one import and waits for its end.
func together(ctx context.Context, c *client.Client, docs []client.Document) (followed, error) {
	start := time.Now()
	in, err := c.IngestBatch(ctx, client.Batch{Documents: slices.Values(docs)})
	if err != nil {
		return followed{}, err
	}
	f := followed{accepted: time.Since(start)}
	j, err := c.Finished(ctx, in.JobID, jobPause)
	if err == nil && j.Counts.Done != len(docs) {
		err = fmt.Errorf("the import of %d documents ended with %+v", len(docs), j.Counts)
	}
	f.searchable = j.UpdatedAt.Sub(start)
	return f, err
}

// remaining is how many documents of an import have not ended.
func remaining(j job.Job, of int) int {
	return of - j.Counts.Done - j.Counts.Failed - j.Counts.Cancelled
}

// notes are n small documents, each with words of its own.
func notes(n int, words []string) []string {
	texts := make([]string, n)
	for i := range texts {
		w := words[i%len(words)]
		texts[i] = fmt.Sprintf("# Note %d on %s\n\n%s\n", i, w[:max(0, strings.IndexByte(w, ' '))], w)
	}
	return texts
}
