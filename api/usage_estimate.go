package api

import (
	"net/http"

	"levada.dev/tenants/quota"
	"levada.dev/workflows/estimate"
	"levada.dev/workflows/llm/price"
)

// estimateAnswer is what a piece of work would take, as it is expected, and at most.
type estimateAnswer struct {
	Capability string `json:"capability"`
	Model      string `json:"model"`
	estimateSum
	Most    estimateSum  `json:"most"`
	Basis   []string     `json:"basis"`
	Budgets []budgetRoom `json:"budgets"` // those that the work needs something of
	Prices  string       `json:"pricesAt"`
}

type estimateSum struct {
	estimate.Sum
	USD float64 `json:"usd"`
}

func sumOf(s estimate.Sum) estimateSum { return estimateSum{s, float64(s.Nanos) / 1e9} }

// budgetRoom is what is left of a budget, and whether the work fits into it.
type budgetRoom struct {
	Period   string `json:"period"`
	Unit     string `json:"unit"`
	Left     int64  `json:"left"`     // may be below zero
	Expected int64  `json:"expected"` // of the work
	Most     int64  `json:"most"`
	Fits     fits   `json:"fits"`
}

// fits is whether there is room.
type fits string

const (
	fitsSurely fits = "yes"     // for the most that it may take
	fitsLikely fits = "perhaps" // for what is expected
	fitsNot    fits = "no"
)

var estimateForm = formOf[estimate.Work]()

// estimateUsage answers what a piece of work would take, and whether the budgets have room for it now. Nothing is reserved.
func estimateUsage(c *call) error {
	work, err := estimateForm.decode(c.body)
	if err != nil {
		return err
	}
	e, err := estimate.Of(c.config, c.speechTerms(), work)
	if err != nil {
		return err
	}
	today := quota.DayOf(c.start)
	st, err := c.statement(today, today)
	if err != nil {
		return err
	}
	return c.ok(http.StatusOK, estimateAnswer{
		Capability: work.Capability, Model: e.Model, estimateSum: sumOf(e.Expected), Most: sumOf(e.Most), Basis: e.Basis,
		Budgets: rooms(st.Budgets, e.Expected.Amount(), e.Most.Amount()), Prices: price.Prices().At,
	})
}

// rooms holds a work against the budgets that it needs something of.
func rooms(budgets []quota.Budget, expected, most quota.Amount) []budgetRoom {
	out := []budgetRoom{}
	for _, b := range budgets {
		r := budgetRoom{Period: b.Period, Unit: b.Unit, Left: b.Limit - b.Spent - b.Reserved, Expected: b.Part(expected), Most: b.Part(most), Fits: fitsNot}
		switch {
		case r.Most == 0:
			continue
		case r.Most <= r.Left:
			r.Fits = fitsSurely
		case r.Expected <= r.Left:
			r.Fits = fitsLikely
		}
		out = append(out, r)
	}
	return out
}
