package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

var ingestForm = formOf[ingestRequest]()

// ingestReceipt is the answer while the job goes on.
type ingestReceipt struct {
	JobID      string `json:"jobId"`
	DocID      string `json:"docId"`
	Generation int    `json:"generation"`
	StatusURL  string `json:"statusUrl"`
	Unchanged  bool   `json:"unchanged,omitempty"` // there was nothing to do
}

// ingestOutcome is the answer to who waited until the job was final.
type ingestOutcome struct {
	job.Job
	Generation int    `json:"generation"`
	StatusURL  string `json:"statusUrl"`
}

// ingest takes a document in. It becomes searchable later; ?wait=30s answers when it is.
func ingest(c *call) error {
	wait, err := waitTime(c.r)
	if err != nil {
		return err
	}
	draft, err := ReadDraft(c.config, c.body)
	if err != nil {
		return err
	}
	return c.submit(draft, wait)
}

// putDocument takes in what is to be a document from now on, whose id the path has.
func putDocument(c *call) error {
	wait, err := waitTime(c.r)
	if err != nil {
		return err
	}
	draft, err := ReadDraft(c.config, c.body)
	if err != nil {
		return err
	}
	if draft.DocID != "" {
		return fault.Invalidf("docId", "fields_exclusive", "the path names the document").WithHint("leave docId out")
	}
	draft.DocID = c.r.PathValue("id")
	return c.submit(draft, wait)
}

// submit takes a draft in and answers.
func (c *call) submit(draft corpus.Draft, wait time.Duration) error {
	c.body = nil // what is needed of it is in the draft
	draft.Cause = c.cause()
	if err := Afford(c.ctx(), c.Gate, c.scope, draft.Model, len(draft.Text)); err != nil {
		return err
	}
	began := c.opts.Now()
	receipt, err := c.Intake.Submit(c.ctx(), c.scope, draft)
	c.stage("intake", began)
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	c.dropBody()
	return c.accepted(receipt, wait)
}

// bytesPerToken is about how long a token is.
const bytesPerToken = 4

// Afford refuses a text of so many bytes when the tenant's budgets have no room for it now: it would be taken, and wait for a
// budget that it may not get. Nothing is held, since it is embedded later; that call pays.
func Afford(ctx context.Context, gate quota.Gate, s tenants.Scope, model string, bytes int) error {
	m, err := llm.FindEmbedding(model)
	if err != nil {
		return err
	}
	tokens := int64(bytes) / bytesPerToken
	hold, err := gate.Acquire(ctx, s, quota.Ask{Amount: quota.Amount{Tokens: tokens, Nanos: tokens * m.Price}})
	if err != nil {
		return fmt.Errorf("afford: %w", err)
	}
	hold.Settle(ctx)
	return nil
}

// accepted answers 202 and where to look, or, when the caller waits, 200 with the finished job.
func (c *call) accepted(receipt corpus.Receipt, wait time.Duration) error {
	statusURL := jobURL(receipt.JobID)
	h := c.w.Header()
	h.Set("Location", statusURL)
	if receipt.Replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	if wait > 0 {
		ctx, cancel := context.WithTimeout(c.ctx(), wait)
		defer cancel()
		began := c.opts.Now()
		j, done := c.follow(ctx, receipt)
		c.stage("wait", began)
		c.seen.Note(func(f *trace.Facts) { f.Wait = c.opts.Now().Sub(began) })
		if done {
			return c.ok(http.StatusOK, ingestOutcome{j, receipt.Generation, statusURL})
		}
		if err := c.ctx().Err(); err != nil {
			return err
		}
	}
	return c.ok(http.StatusAccepted, ingestReceipt{receipt.JobID, receipt.DocID, receipt.Generation, statusURL, receipt.Unchanged})
}
