package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"levada.dev/events/fault"
)

// Client calls one tenant's API as any user would.
type Client struct {
	base, tenant, key string
	http              *http.Client
}

// NewClient calls the platform at base for a tenant; the key may be empty where the tenant's door is open.
func NewClient(base, tenant, key string) *Client {
	return &Client{base, tenant, key, &http.Client{
		Timeout:   90 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
}

// Document is what the client ingests.
type Document struct {
	DocID       string         `json:"docId,omitempty"`
	Text        string         `json:"text"`
	ContentType string         `json:"contentType,omitempty"`
	Title       string         `json:"title,omitempty"`
	Source      string         `json:"source,omitempty"`
	URL         string         `json:"url,omitempty"`
	Metadata    map[string]any `json:"metadata,omitempty"`
}

// Accepted is the answer to an ingest.
type Accepted struct {
	JobID string `json:"jobId"`
	DocID string `json:"docId"`
}

// Job is as much of a job as the client follows.
type Job struct {
	JobID     string    `json:"jobId"`
	State     string    `json:"state"`
	Stage     string    `json:"stage"`
	Percent   int       `json:"percent"`
	UpdatedAt time.Time `json:"updatedAt"`
	Errors    []struct {
		Code, Message string
	} `json:"errors"`
}

// Final reports whether the job is over.
func (j Job) Final() bool {
	return j.State == "succeeded" || j.State == "failed" || j.State == "cancelled"
}

// Found is the answer to a search.
type Found struct {
	Sources []Source           `json:"sources"`
	Timings map[string]float64 `json:"timings"`
}

// Source is one passage.
type Source struct {
	DocID string  `json:"docId"`
	Title string  `json:"title"`
	URL   string  `json:"url"`
	Text  string  `json:"text"`
	Score float64 `json:"score"`
}

// Ingest submits a document.
func (c *Client) Ingest(ctx context.Context, d Document) (Accepted, error) {
	var a Accepted
	return a, c.call(ctx, http.MethodPost, "/ingest", d, &a)
}

// Job asks for a job.
func (c *Client) Job(ctx context.Context, id string) (Job, error) {
	var j Job
	return j, c.call(ctx, http.MethodGet, "/jobs/"+id, nil, &j)
}

// Finished waits until a job is over, asking every so often. A job that did not succeed is an error.
func (c *Client) Finished(ctx context.Context, id string, every time.Duration) (Job, error) {
	for {
		j, err := retry(ctx, func() (Job, error) { return c.Job(ctx, id) })
		if err != nil || j.State == "succeeded" {
			return j, err
		}
		if j.Final() {
			return j, fmt.Errorf("job %s %s: %v", id, j.State, j.Errors)
		}
		if err := wait(ctx, every); err != nil {
			return j, err
		}
	}
}

// Search asks a question.
func (c *Client) Search(ctx context.Context, query string, topK int) (Found, error) {
	var f Found
	return f, c.call(ctx, http.MethodPost, "/search", map[string]any{"query": query, "topK": topK, "mode": "vector", "answer": false}, &f)
}

// Health asks whether a platform is there.
func (c *Client) Health(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/health", nil, nil)
}

// call makes one request and opens the envelope; a failure is the fault that the platform named.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := open(resp)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// send makes one request as the tenant.
func (c *Client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("x-tenant-id", c.tenant)
	if in != nil {
		req.Header.Set("content-type", "application/json")
	}
	if c.key != "" {
		req.Header.Set("authorization", "Bearer "+c.key)
	}
	return c.http.Do(req)
}

// open takes the data out of the envelope.
func open(resp *http.Response) (json.RawMessage, error) {
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var env struct {
		OK    bool            `json:"ok"`
		Data  json.RawMessage `json:"data"`
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(b, &env); err != nil {
		return nil, fmt.Errorf("%s, and no JSON: %w", resp.Status, err)
	}
	if env.OK {
		return env.Data, nil
	}
	kind := fault.Invalid
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		kind = fault.Unavailable
	case resp.StatusCode == http.StatusNotFound:
		kind = fault.NotFound
	}
	return nil, fault.New(kind, env.Error.Code, env.Error.Message, nil)
}
