package client

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"

	"levada.dev/workflows/job"
)

// Batch is many documents that come in as one import.
type Batch struct {
	IdempotencyKey string // the same key and the same documents are the same import; a retry needs it
	// Documents are read while they are sent, one at a time; from the beginning for each attempt.
	Documents iter.Seq[Document]
}

// Imported is the answer to a batch.
type Imported struct {
	JobID   string        `json:"jobId"`
	Entries int           `json:"entries"` // documents of a batch that were taken
	Refused int           `json:"refused"`
	Errors  []job.Problem `json:"errors"` // of the refused lines, the first ones
}

// IngestBatch submits documents as one import, however many they are. One is in memory at a time. Where none of them was taken the
// error names the first ones (Error.Refused).
func (c *Client) IngestBatch(ctx context.Context, b Batch) (Imported, error) {
	r := request{method: http.MethodPost, path: "/ingest/batch", contentType: "application/x-ndjson", header: http.Header{}}
	if b.IdempotencyKey != "" {
		r.header.Set("Idempotency-Key", b.IdempotencyKey)
	}
	over := make(chan struct{})
	close(over)
	r.body = func() io.ReadCloser {
		<-over // the attempt before has let the documents go
		over = make(chan struct{})
		read, write := io.Pipe()
		go func(over chan struct{}) {
			defer close(over)
			write.CloseWithError(writeLines(write, b.Documents))
		}(over)
		return read
	}
	in, err := call[Imported](ctx, c, r)
	<-over
	return in, err
}

// writeLines writes a document a line, until nobody reads any more. Many small ones leave together: what comes alone costs
// whoever reads it as much as a large piece.
func writeLines(w io.Writer, documents iter.Seq[Document]) error {
	together := bufio.NewWriterSize(w, 32<<10)
	lines := json.NewEncoder(together)
	lines.SetEscapeHTML(false)
	for d := range documents {
		if err := lines.Encode(d); err != nil {
			return err
		}
	}
	return together.Flush()
}

// Import is what to import, one of its fields.
type Import struct {
	URLs    []string `json:"urls,omitempty"`
	Sitemap string   `json:"sitemap,omitempty"`
	Source  string   `json:"source,omitempty"` // of the documents
}

// Import begins an import that the platform fetches by itself.
func (c *Client) Import(ctx context.Context, im Import) (Imported, error) {
	return post[Imported](ctx, c, "/imports", im)
}
