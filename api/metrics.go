package api

import (
	"fmt"
	"net/http"

	"levada.dev/events/meter"
	"levada.dev/events/meter/openmetrics"
	"levada.dev/events/meter/view"
	"levada.dev/tenants/quota"
)

// showMetrics answers everything that was ever counted of the tenant, and how its budgets stand, as text for Prometheus and its like.
func showMetrics(c *call) error {
	slots, err := c.slots(meter.Query{Step: meter.Ever})
	if err != nil {
		return err
	}
	today := quota.DayOf(c.start)
	st, err := c.statement(today, today)
	if err != nil {
		return err
	}
	var ever meter.Set
	for _, s := range slots {
		ever.Add(s.Set)
	}
	f := openmetrics.Accepted(c.r.Header.Get("Accept"))
	h := c.w.Header()
	h.Set("Content-Type", f.ContentType())
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
	c.send(http.StatusOK, openmetrics.Append(nil, f, &ever, st.Budgets))
	return nil
}

// shown answers a view of the window that the request asks for, made of some metrics.
func shown[V any](needs []meter.Metric, of func(view.Window, []meter.Slot) V) func(*call) error {
	return func(c *call) error {
		w, err := c.window()
		if err != nil {
			return err
		}
		q := w.Query()
		q.Metrics = needs
		slots, err := c.slots(q)
		if err != nil {
			return err
		}
		return c.ok(http.StatusOK, of(w, slots))
	}
}

var (
	showOverview  = shown(view.OverviewNeeds(), view.OverviewOf)
	showCache     = shown(view.CacheNeeds(), view.CacheOf)
	showTools     = shown(view.ToolNeeds(), view.ToolsOf)
	showAnomalies = shown(view.AnomalyNeeds(), view.AnomaliesOf)
)

// showSLIs answers how the deployment's objectives are kept.
func showSLIs(c *call) error {
	return shown(view.SLINeeds(), func(w view.Window, slots []meter.Slot) view.SLIs { return view.SLIsOf(w, slots, c.opts.Objectives) })(c)
}

// showCost answers what calls of models have cost in the window's days, by the account of money, and what the month will come to.
func showCost(c *call) error {
	w, err := c.window()
	if err != nil {
		return err
	}
	st, err := c.statement(view.CostDays(w))
	if err != nil {
		return err
	}
	return c.ok(http.StatusOK, view.CostOf(w, st))
}

// window reads ?period=.
func (c *call) window() (view.Window, error) {
	return view.Look(view.Period(c.r.URL.Query().Get("period")), c.start)
}

func (c *call) slots(q meter.Query) ([]meter.Slot, error) {
	began := c.opts.Now()
	slots, err := c.Meters.Read(c.ctx(), c.scope, q)
	c.stage("meters", began)
	if err != nil {
		return nil, fmt.Errorf("read the meters: %w", err)
	}
	return slots, nil
}

func (c *call) statement(from, to quota.Day) (quota.Statement, error) {
	began := c.opts.Now()
	st, err := c.Gate.Statement(c.ctx(), c.scope, from, to)
	c.stage("ledger", began)
	return st, err
}
