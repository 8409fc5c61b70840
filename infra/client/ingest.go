package client

import (
	"context"
	"fmt"
	"time"

	"levada.dev/workflows/job"
)

// Document is one document to take in: its text, or its bytes and their content type, or the URL to fetch it from.
type Document struct {
	DocID       string         `json:"docId,omitempty"`
	Text        string         `json:"text,omitempty"`
	Base64      []byte         `json:"base64,omitempty"`
	ContentType string         `json:"contentType,omitempty"`
	Title       string         `json:"title,omitempty"`
	Source      string         `json:"source,omitempty"`
	URL         string         `json:"url,omitempty"`
	Metadata    map[string]any `json:"metadata,omitempty"`
}

// Accepted is the answer to an ingest.
type Accepted struct {
	JobID      string `json:"jobId"`
	DocID      string `json:"docId"`
	Generation int    `json:"generation"`
}

// Ingest submits a document.
func (c *Client) Ingest(ctx context.Context, d Document) (Accepted, error) {
	return post[Accepted](ctx, c, "/ingest", d)
}

// Finished waits until a job is over, asking every so often. A job that did not succeed is an error.
func (c *Client) Finished(ctx context.Context, id string, every time.Duration) (job.Job, error) {
	for {
		j, err := c.Job(ctx, id)
		if err != nil || j.State == job.Succeeded {
			return j, err
		}
		if j.State.Final() {
			return j, fmt.Errorf("job %s %s: %v", id, j.State, j.Errors)
		}
		if err := Sleep(ctx, every); err != nil {
			return j, err
		}
	}
}
