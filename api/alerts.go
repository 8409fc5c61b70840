package api

import (
	"crypto/sha256"
	"fmt"
	"net/http"

	"levada.dev/events/fault"
	"levada.dev/events/meter/alert"
	"levada.dev/tenants"
)

// Who is told of a tenant's alerts. Nobody is a state that works, and must not be taken for the other: a rule can be seen here, and wakes nobody up.
const (
	toldToWebhook = "webhook"
	toldToNobody  = "nobody"
)

// toldTo says it as the tenant is configured now, whenever the rules were made.
func toldTo(config *tenants.Config) string {
	if config.AlertHook() == nil {
		return toldToNobody
	}
	return toldToWebhook
}

// listAlerts answers the tenant's rules and how they stand, and who is told.
func listAlerts(c *call) error {
	began := c.opts.Now()
	all, err := c.Alerts.List(c.ctx(), c.scope)
	c.stage("meters", began)
	if err != nil {
		return fmt.Errorf("list the alerts: %w", err)
	}
	if all == nil {
		all = []alert.Alert{}
	}
	return c.ok(http.StatusOK, struct {
		Alerts []alert.Alert `json:"alerts"`
		ToldTo string        `json:"toldTo"`
	}{all, toldTo(c.config)})
}

type alertRequest struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Metric     string   `json:"metric"`
	Comparator string   `json:"comparator"`
	Threshold  *float64 `json:"threshold"`
	Period     string   `json:"period"`
}

var alertForm = formOf[alertRequest]()

// setAlert takes a rule in, or puts it in the place of the one with its id.
func setAlert(c *call) error {
	req, err := alertForm.decode(c.body)
	if err != nil {
		return err
	}
	r := alert.Rule{ID: req.ID, Name: req.Name, Metric: req.Metric, Comparator: alert.Comparator(req.Comparator), Period: alert.Period(req.Period)}
	if req.Threshold != nil {
		r.Threshold = *req.Threshold
	}
	if err := r.Check(); err != nil {
		return err
	}
	if req.Threshold == nil {
		return fault.Invalidf("threshold", "field_required", "is required: a number, in the unit of the metric (%s)", r.Unit())
	}
	began := c.opts.Now()
	taken, err := c.Alerts.Set(c.ctx(), c.scope, alert.Order{Rule: r, NewID: c.opts.NewID(), Key: keyDigest(c.idempotencyKey)})
	c.stage("meters", began)
	if err != nil {
		return fmt.Errorf("set the alert: %w", err)
	}
	status := http.StatusOK
	if taken.Fresh {
		status = http.StatusCreated
	}
	return c.ok(status, struct {
		alert.Alert
		ToldTo string `json:"toldTo"`
	}{taken.Alert, toldTo(c.config)})
}

// keyDigest stands for an Idempotency-Key where it is kept, as long as any other.
func keyDigest(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return fmt.Sprintf("%x", sum[:16])
}

// dropAlert forgets a rule.
func dropAlert(c *call) error {
	id := c.r.PathValue("id")
	began := c.opts.Now()
	err := c.Alerts.Drop(c.ctx(), c.scope, id)
	c.stage("meters", began)
	if err != nil {
		return fmt.Errorf("forget the alert: %w", err)
	}
	return c.ok(http.StatusOK, struct {
		ID      string `json:"id"`
		Deleted bool   `json:"deleted"`
	}{id, true})
}
