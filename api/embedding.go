package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/reembed"
)

// Moves is in which embedding models' spaces a tenant's documents are, and how they come into another; the ledger does.
type Moves interface {
	Spaces(ctx context.Context, s tenants.Scope) (reembed.Spaces, error)
	Missing(ctx context.Context, s tenants.Scope, model, cursor string) (reembed.Missing, error)
	OpenMove(ctx context.Context, s tenants.Scope, r reembed.Request) (corpus.Receipt, error)
}

// embeddingState is which space searches use, which are kept beside it, and what goes on.
type embeddingState struct {
	Active     string   `json:"active"`
	Configured string   `json:"configured"` // what a tenant without documents begins with
	Kept       []string `json:"kept"`
	Move       *move    `json:"move,omitempty"`
}

type move struct {
	Model     string        `json:"model"`
	Phase     reembed.Phase `json:"phase"`
	JobID     string        `json:"jobId"`
	StatusURL string        `json:"statusUrl"`
}

// showEmbedding answers where the tenant's vectors are.
func showEmbedding(c *call) error {
	at, err := c.spaces()
	if err != nil {
		return err
	}
	out := embeddingState{Active: cmp.Or(at.Active, c.config.Models.Embedding), Configured: c.config.Models.Embedding, Kept: at.Kept}
	if out.Kept == nil {
		out.Kept = []string{}
	}
	if at.JobID != "" {
		out.Move = &move{at.Target, at.Phase, at.JobID, jobURL(at.JobID)}
	}
	return c.ok(http.StatusOK, out)
}

func (c *call) spaces() (reembed.Spaces, error) {
	began := c.opts.Now()
	at, err := c.Moves.Spaces(c.ctx(), c.scope)
	c.stage("ledger", began)
	if err != nil {
		return at, fmt.Errorf("look for the spaces: %w", err)
	}
	return at, nil
}

type moveRequest struct {
	Model  string `json:"model"`
	DryRun bool   `json:"dryRun"`
	Switch *bool  `json:"switch"` // absent: true
	Cursor string `json:"cursor"` // of a dry run: the next of the one before
}

var moveForm = formOf[moveRequest]()

// moveEmbedding makes the space of a model whole and has searches use it, or says what that would take.
func moveEmbedding(c *call) error {
	req, err := moveForm.decode(c.body)
	if err != nil {
		return err
	}
	m, err := embeddingModel("model", req.Model)
	if err != nil {
		return err
	}
	if req.DryRun {
		return c.estimate(m, req.Cursor)
	}
	if req.Cursor != "" {
		return fault.Invalidf("cursor", "invalid_value", "is for a dry run").WithHint("leave it out, or set dryRun")
	}
	return c.openMove(reembed.Request{Model: m.Name, Stay: req.Switch != nil && !*req.Switch})
}

// dropEmbedding removes what is in a space that searches do not use.
func dropEmbedding(c *call) error {
	m, err := embeddingModel("model", c.r.URL.Query().Get("model"))
	if err != nil {
		return err
	}
	return c.openMove(reembed.Request{Model: m.Name, Drop: true})
}

// embeddingModel is the model of the catalogue that a field names.
func embeddingModel(field, name string) (llm.EmbeddingModel, error) {
	if name == "" {
		return llm.EmbeddingModel{}, fault.Invalidf(field, "field_required", "is required: an embedding model").WithHint(embeddingHint())
	}
	m, err := llm.FindEmbedding(name)
	if err != nil {
		return m, fault.Invalidf(field, "model_unknown", "there is no embedding model %.80q", name).WithHint(embeddingHint())
	}
	return m, nil
}

func embeddingHint() string { return "one of " + strings.Join(llm.EmbeddingNames(), ", ") }

func (c *call) openMove(r reembed.Request) error {
	r.JobID, r.Cause = c.opts.NewID(), c.cause()
	began := c.opts.Now()
	receipt, err := c.Moves.OpenMove(c.ctx(), c.scope, r)
	c.stage("ledger", began)
	if f := fault.As(err); f.Code == "embedding_active" {
		return f.WithHint("GET /tenant/embedding says which models' spaces are kept beside it")
	}
	if err != nil {
		return fmt.Errorf("change the embedding model: %w", err)
	}
	return c.begun(receipt)
}

// estimate is what a move would take.
type moveEstimate struct {
	From      string   `json:"from"`
	To        string   `json:"to"`
	Documents int      `json:"documents"`
	Chunks    int      `json:"chunks"`
	Cost      job.Cost `json:"cost"`
	Seconds   int      `json:"seconds"`
	AtLeast   bool     `json:"atLeast,omitempty"` // there is more than was counted
	Next      string   `json:"next,omitempty"`    // the cursor with which it is
}

func (c *call) estimate(m llm.EmbeddingModel, cursor string) error {
	at, err := c.spaces()
	if err != nil {
		return err
	}
	began := c.opts.Now()
	e, err := reembed.EstimateOf(c.ctx(), c.Moves, c.scope, cmp.Or(at.Active, c.config.Models.Embedding), m, cursor)
	c.stage("estimate", began)
	if err != nil {
		return fmt.Errorf("estimate: %w", err)
	}
	return c.ok(http.StatusOK, moveEstimate{
		From: e.From, To: e.To, Documents: e.Documents, Chunks: e.Chunks, Cost: job.Cost{Tokens: e.Tokens, Nanos: e.Nanos},
		Seconds: int((e.Time + time.Second - 1) / time.Second), AtLeast: e.Next != "", Next: e.Next,
	})
}

// readable is the space that a search names: one in which the tenant has something.
func (c *call) readable(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	m, err := embeddingModel("embeddingModel", name)
	if err != nil {
		return "", err
	}
	at, err := c.spaces()
	if err != nil {
		return "", err
	}
	if m.Name != at.Active && m.Name != at.Target && !slices.Contains(at.Kept, m.Name) || at.Phase == reembed.Dropping && m.Name == at.Target {
		return "", fault.Invalidf("embeddingModel", "space_unknown", "the tenant has no document in the space of %s", m.Name).
			WithHint(`POST /tenant/embedding with "switch": false fills it; GET /tenant/embedding lists those that there are`)
	}
	return m.Name, nil
}
