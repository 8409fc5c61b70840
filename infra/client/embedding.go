package client

import (
	"context"
	"net/http"
	"net/url"

	"levada.dev/workflows/job"
)

// Embedding is in which embedding models' spaces a tenant's documents are.
type Embedding struct {
	Active     string   `json:"active"` // the one that searches use
	Configured string   `json:"configured"`
	Kept       []string `json:"kept"`
	Move       *Move    `json:"move,omitempty"` // what is under way
}

// Move is the way into a model's space, or the emptying of one.
type Move struct {
	Model     string `json:"model"`
	Phase     string `json:"phase"`
	JobID     string `json:"jobId"`
	StatusURL string `json:"statusUrl"`
}

// MoveRequest asks for a move to a model.
type MoveRequest struct {
	Model string
	Stay  bool // the space is filled only, and searches stay where they are
}

// MoveEstimate is what a move would take.
type MoveEstimate struct {
	From      string   `json:"from"`
	To        string   `json:"to"`
	Documents int      `json:"documents"`
	Chunks    int      `json:"chunks"`
	Cost      job.Cost `json:"cost"`
	Seconds   int      `json:"seconds"`
	AtLeast   bool     `json:"atLeast,omitempty"` // there is more than was counted
	Next      string   `json:"next,omitempty"`    // the cursor with which it is
}

const embeddingPath = "/tenant/embedding"

// Embedding asks which embedding model searches use.
func (c *Client) Embedding(ctx context.Context) (Embedding, error) {
	return get[Embedding](ctx, c, embeddingPath, nil)
}

// EstimateMove asks what a move to a model would take, until all of the tenant's documents are counted.
func (c *Client) EstimateMove(ctx context.Context, model string) (e MoveEstimate, err error) {
	for {
		e, err = post[MoveEstimate](ctx, c, embeddingPath, map[string]any{"model": model, "dryRun": true, "cursor": e.Next})
		if err != nil || e.Next == "" {
			return e, err
		}
	}
}

// MoveEmbedding begins a move to a model, or goes on with one, which the job follows.
func (c *Client) MoveEmbedding(ctx context.Context, r MoveRequest) (Accepted, error) {
	return post[Accepted](ctx, c, embeddingPath, map[string]any{"model": r.Model, "switch": !r.Stay})
}

// DropEmbedding begins the removal of what is in a model's space, which the job follows.
func (c *Client) DropEmbedding(ctx context.Context, model string) (Accepted, error) {
	return call[Accepted](ctx, c, request{method: http.MethodDelete, path: embeddingPath, query: url.Values{"model": {model}}})
}
