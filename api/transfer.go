package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/address"
	"levada.dev/workflows/transfer"
)

// Transfers shows what another pool takes of a tenant, and begins the runs that bring it here; the ledger does.
type Transfers interface {
	transfer.Stock
	OpenTransfer(ctx context.Context, s tenants.Scope, r transfer.Request) (corpus.Receipt, error)
}

// Sealer seals what is kept of a secret; seal.Key does.
type Sealer interface {
	Seal(secret string, context ...string) (string, error)
}

// standing is how the tenant's pool stands to changes.
type standing struct {
	State      string     `json:"state"` // live or readonly
	Since      *time.Time `json:"since,omitempty"`
	OnTheirWay int        `json:"onTheirWay"` // documents that will be searchable, or fail
	Imports    int        `json:"imports"`    // that are open
	Settled    bool       `json:"settled"`    // no changes are taken, and none is on its way
	Still      bool       `json:"still"`      // no turn is let in: while the tenant is live, a change of the state has failed on its way
}

const (
	live     = "live"
	readonly = "readonly"
)

func standingOf(st transfer.Standing, still bool) standing {
	out := standing{State: live, Still: still, OnTheirWay: st.OnTheirWay, Imports: st.Imports, Settled: st.Settled()}
	if st.Readonly {
		out.State, out.Since = readonly, &st.Since
	}
	return out
}

// showTransfer answers whether the tenant takes changes and turns, and what is on its way.
func showTransfer(c *call) error {
	began := c.opts.Now()
	st, err := c.Transfers.Standing(c.ctx(), c.scope)
	var still bool
	if err == nil {
		still, err = c.Turns.StandsStill(c.ctx(), c.scope)
	}
	c.stage("ledger", began)
	if err != nil {
		return fmt.Errorf("look how the tenant stands: %w", err)
	}
	return c.ok(http.StatusOK, standingOf(st, still))
}

type standingRequest struct {
	State string `json:"state"`
}

var standingForm = formOf[standingRequest]()

// setTransfer has the tenant take no changes any more, or take them again. Conversations stand still before the ledger says that the tenant does,
// and go on after it says that it does not: what is lost between both
// leaves a tenant that is live and stands still, which its standing shows and the same request mends.
func setTransfer(c *call) error {
	req, err := standingForm.decode(c.body)
	if err != nil {
		return err
	}
	if req.State != live && req.State != readonly {
		return fault.Invalidf("state", "invalid_value", "is %s or %s, not %.40q", readonly, live, req.State)
	}
	began, still := c.opts.Now(), req.State == readonly
	if still {
		err = c.Turns.Still(c.ctx(), c.scope, true)
	}
	var st transfer.Standing
	if err == nil {
		st, err = c.Transfers.Freeze(c.ctx(), c.scope, still)
	}
	if err == nil && !still {
		err = c.Turns.Still(c.ctx(), c.scope, false)
	}
	c.stage("ledger", began)
	if err != nil {
		return fmt.Errorf("change how the tenant stands: %w", err)
	}
	return c.ok(http.StatusOK, standingOf(st, still))
}

type runRequest struct {
	From  string `json:"from"`
	Key   string `json:"key"`
	Last  bool   `json:"last"`
	Again bool   `json:"again"`
	Usage bool   `json:"usage"`
}

var runForm = formOf[runRequest]()

// beginTransfer begins to bring here what another pool has of the tenant.
func beginTransfer(c *call) error {
	req, err := runForm.decode(c.body)
	if err != nil {
		return err
	}
	from, err := transfer.Address(req.From, address.Rules{Private: c.config.Ingest.Fetch.Private})
	if err != nil {
		return err
	}
	if req.Last && req.Usage {
		return fault.Invalidf("usage", "fields_exclusive", "a last run brings everything, what was used as well")
	}
	if req.Key == "" {
		return fault.Invalidf("key", "field_required", "is required: an API key of the tenant at the source, with the scopes export and metrics")
	}
	if of, err := tenants.ParseKey(req.Key); err != nil || of != c.scope.Tenant() {
		return fault.Invalidf("key", "invalid_value", "is no API key of this tenant").WithHint("the source is another pool of the same tenant")
	}
	sealed, err := c.Seal.Seal(req.Key, transfer.SealedFor(c.scope, from)...)
	if err != nil {
		return err
	}
	began := c.opts.Now()
	receipt, err := c.Transfers.OpenTransfer(c.ctx(), c.scope, transfer.Request{
		JobID: c.opts.NewID(), From: from, Key: sealed, Last: req.Last, Again: req.Again, Usage: req.Usage, Cause: c.cause(),
	})
	c.stage("ledger", began)
	if err != nil {
		return fmt.Errorf("bring the tenant here: %w", err)
	}
	return c.begun(receipt)
}
