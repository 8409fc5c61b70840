package api

import (
	"context"
	"fmt"
	"net/http"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
)

// Erasures begins the erasure of tenants; the ledger does.
type Erasures interface {
	OpenErasure(ctx context.Context, s tenants.Scope, r erasure.Request) (corpus.Receipt, error)
}

// eraseTenant begins the erasure of everything that is stored of the tenant. The confirmation keeps a slip of a client from being that.
func eraseTenant(c *call) error {
	if c.r.URL.Query().Get("confirm") != string(c.scope.Tenant()) {
		return fault.Invalidf("confirm", "confirmation_required", "is not the tenant's id").
			WithHint("DELETE /tenant?confirm=" + string(c.scope.Tenant()) + " erases everything of the tenant")
	}
	began := c.opts.Now()
	receipt, err := c.Erasures.OpenErasure(c.ctx(), c.scope, erasure.Request{JobID: c.opts.NewID(), By: c.keyName(), Cause: c.cause()})
	c.stage("ledger", began)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	return c.begun(receipt)
}

// begun answers with the job of what was begun.
func (c *call) begun(receipt corpus.Receipt) error {
	statusURL := jobURL(receipt.JobID)
	c.w.Header().Set("Location", statusURL)
	if receipt.Replayed {
		c.w.Header().Set("Idempotent-Replayed", "true")
	}
	return c.ok(http.StatusAccepted, jobReceipt{receipt.JobID, statusURL})
}

// jobReceipt says where what was begun is followed.
type jobReceipt struct {
	JobID     string `json:"jobId"`
	StatusURL string `json:"statusUrl"`
}
