package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm/price"
)

// usageAnswer is a tenant's account over some days.
type usageAnswer struct {
	From    quota.Day      `json:"from"`
	To      quota.Day      `json:"to"`
	Lines   []usageLine    `json:"lines"`
	Budgets []quota.Budget `json:"budgets"`
	Totals  usageTotals    `json:"totals"`
	Prices  string         `json:"pricesAt"` // the day of the prices by which calls are booked now
}

// usageLine is a line of the account, or the sum of those that are the same in what was asked for.
type usageLine struct {
	Day        quota.Day `json:"day,omitempty"`
	Capability string    `json:"capability,omitempty"`
	Purpose    string    `json:"purpose,omitempty"`
	Model      *string   `json:"model,omitempty"` // "" of what was never settled
	usageTotals
}

// usageTotals is a sum of lines.
type usageTotals struct {
	Calls      int64         `json:"calls"`
	Prompt     int64         `json:"promptTokens"`
	Completion int64         `json:"completionTokens"`
	Chars      int64         `json:"characters,omitempty"`
	Neurons    quota.Neurons `json:"neurons"`
	Nanos      int64         `json:"nanoUSD"`
	Estimated  int64         `json:"estimatedCalls"`
}

func totalsOf(l quota.Line) usageTotals {
	return usageTotals{
		Calls: l.Calls, Prompt: l.Prompt, Completion: l.Completion, Chars: l.Chars, Neurons: l.Neurons, Nanos: l.Nanos, Estimated: l.Estimated,
	}
}

// showUsage answers what the tenant's calls of models have cost, by day, capability, purpose and model, or by those that
// are asked for, this month's unless the request says which days.
func showUsage(c *call) error {
	from, to, err := days(c.r.URL, c.start)
	if err != nil {
		return err
	}
	by, err := groups(c.r.URL)
	if err != nil {
		return err
	}
	st, err := c.statement(from, to)
	if err != nil {
		return err
	}
	answer := usageAnswer{From: from, To: to, Lines: []usageLine{}, Budgets: st.Budgets, Prices: price.Prices().At}
	if answer.Budgets == nil {
		answer.Budgets = []quota.Budget{}
	}
	var sum quota.Line
	for _, l := range grouped(st.Lines, by) {
		line := usageLine{Day: l.Day, Capability: l.Capability, Purpose: l.Purpose, usageTotals: totalsOf(l)}
		if slices.Contains(by, "model") {
			line.Model = &l.Model
		}
		answer.Lines = append(answer.Lines, line)
		sum = sum.Add(l)
	}
	answer.Totals = totalsOf(sum)
	return c.ok(http.StatusOK, answer)
}

// groupings are what lines can be added up by.
var groupings = []string{"day", "capability", "purpose", "model"}

// groups reads ?group=, a list of groupings; all of them when it is not given.
func groups(u *url.URL) ([]string, error) {
	query := u.Query()
	if !query.Has("group") {
		return groupings, nil
	}
	by := strings.Split(query.Get("group"), ",")
	for _, g := range by {
		if !slices.Contains(groupings, g) {
			return nil, fault.Invalidf("group", "invalid_query", "%.40q is not one of %s", g, strings.Join(groupings, ", "))
		}
	}
	return by, nil
}

// grouped adds up the lines that are the same in what they are grouped by.
func grouped(lines []quota.Line, by []string) []quota.Line {
	var out []quota.Line
	at := map[quota.Line]int{}
	for _, l := range lines {
		name := l.Empty()
		for g, field := range map[string]*string{"day": (*string)(&name.Day), "capability": &name.Capability, "purpose": &name.Purpose, "model": &name.Model} {
			if !slices.Contains(by, g) {
				*field = ""
			}
		}
		i, known := at[name]
		if !known {
			i = len(out)
			at[name], out = i, append(out, name)
		}
		out[i] = out[i].Add(l)
	}
	slices.SortFunc(out, quota.Line.Compare)
	return out
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
