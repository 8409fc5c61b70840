package api

import (
	"net/http"
	"net/url"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
)

// usageAnswer is a tenant's account over some days.
type usageAnswer struct {
	From    quota.Day      `json:"from"`
	To      quota.Day      `json:"to"`
	Lines   []quota.Line   `json:"lines"`
	Budgets []quota.Budget `json:"budgets"`
	Totals  usageTotals    `json:"totals"`
}

// usageTotals is the sum of the lines.
type usageTotals struct {
	Calls      int64 `json:"calls"`
	Prompt     int64 `json:"promptTokens"`
	Completion int64 `json:"completionTokens"`
	Chars      int64 `json:"characters,omitempty"`
	Nanos      int64 `json:"nanoUSD"`
	Estimated  int64 `json:"estimatedCalls"`
}

// showUsage answers what the tenant's calls of models have cost, by day, capability and model, this month's unless the
// request says which days.
func showUsage(c *call) error {
	from, to, err := days(c.r.URL, c.start)
	if err != nil {
		return err
	}
	began := c.opts.Now()
	st, err := c.Gate.Statement(c.ctx(), c.scope, from, to)
	c.stage("ledger", began)
	if err != nil {
		return err
	}
	answer := usageAnswer{From: from, To: to, Lines: st.Lines, Budgets: st.Budgets}
	if answer.Lines == nil {
		answer.Lines = []quota.Line{}
	}
	if answer.Budgets == nil {
		answer.Budgets = []quota.Budget{}
	}
	for _, l := range st.Lines {
		answer.Totals.Calls += l.Calls
		answer.Totals.Prompt += l.Prompt
		answer.Totals.Completion += l.Completion
		answer.Totals.Chars += l.Chars
		answer.Totals.Nanos += l.Nanos
		answer.Totals.Estimated += l.Estimated
	}
	return c.ok(http.StatusOK, answer)
}

// maxDays is how long a statement may be.
const maxDays = 366

// days reads ?from=&to=: days in UTC, from the month's first to today when they are not given.
func days(u *url.URL, now time.Time) (from, to quota.Day, err error) {
	now = now.UTC()
	query := url.Values{}
	if u.RawQuery != "" {
		query = u.Query()
	}
	last, err := day(query, "to", now)
	if err != nil {
		return "", "", err
	}
	first, err := day(query, "from", time.Date(last.Year(), last.Month(), 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		return "", "", err
	}
	switch length := last.Sub(first).Hours()/24 + 1; {
	case length < 1:
		return "", "", fault.Invalidf("from", "invalid_query", "is after to")
	case length > maxDays:
		return "", "", fault.Invalidf("from", "invalid_query", "is more than %d days before to", maxDays-1)
	}
	return quota.DayOf(first), quota.DayOf(last), nil
}

// day reads one of them.
func day(query url.Values, name string, otherwise time.Time) (time.Time, error) {
	if !query.Has(name) {
		return otherwise.Truncate(24 * time.Hour), nil
	}
	d, err := time.Parse(time.DateOnly, query.Get(name))
	if err != nil {
		return d, fault.Invalidf(name, "invalid_query", "%.40q is not a day, such as 2026-11-22", query.Get(name))
	}
	return d, nil
}
