package events

import (
	"fmt"
	"time"

	"levada.dev/events/fault"
)

// Types of the facts about money.
const (
	TypeUsageRecorded   = "dev.levada.usage.recorded.v1"
	TypeBudgetExhausted = "dev.levada.budget.exhausted.v1"
)

// UsageLine is what one model cost for one purpose of a capability on one day. What is taken back of an earlier line is below zero. A line of before
// there were purposes has its purpose for a capability.
type UsageLine struct {
	Day        string  `json:"day"`
	Capability string  `json:"capability"`
	Purpose    string  `json:"purpose,omitempty"`
	Model      string  `json:"model,omitempty"`
	Calls      int64   `json:"calls"`
	Prompt     int64   `json:"promptTokens"`
	Completion int64   `json:"completionTokens"`
	Chars      int64   `json:"characters,omitempty"` // of the texts that it spoke
	Neurons    float64 `json:"neurons,omitempty"`
	Nanos      int64   `json:"nanoUSD"`
	Estimated  int64   `json:"estimatedCalls,omitempty"` // how many of the calls are booked by estimate
}

// UsageRecorded carries the lines that one booking added to the tenant's account. The lines of all bookings together make
// the account.
type UsageRecorded struct {
	Booking string      `json:"booking"` // names it, within the tenant
	Lines   []UsageLine `json:"lines"`
}

// Type implements Fact.
func (UsageRecorded) Type() string { return TypeUsageRecorded }

// Subject implements Fact.
func (UsageRecorded) Subject() string { return "usage" }

// Identity implements Fact.
func (f UsageRecorded) Identity() string { return f.Booking }

// Check implements Fact.
func (f UsageRecorded) Check() error {
	if f.Booking == "" {
		return fault.Invalidf("booking", "fact_invalid", "is required")
	}
	if len(f.Lines) == 0 {
		return fault.Invalidf("lines", "fact_invalid", "is empty")
	}
	for i, l := range f.Lines {
		if _, err := time.Parse(time.DateOnly, l.Day); err != nil || l.Capability == "" {
			return fault.Invalidf(fmt.Sprintf("lines[%d]", i), "fact_invalid", "day and capability are required")
		}
	}
	return nil
}

// BudgetExhausted says that a budget of the tenant has refused a call, for the first time in its period.
type BudgetExhausted struct {
	Period   string    `json:"period"` // day or month
	Unit     string    `json:"unit"`   // tokens, nanoUSD or characters
	Starts   string    `json:"starts"` // the period's first day
	Limit    int64     `json:"limit"`
	Spent    int64     `json:"spent"`
	Reserved int64     `json:"reserved"` // by calls in flight
	Resets   time.Time `json:"resetsAt"`
}

// Type implements Fact.
func (BudgetExhausted) Type() string { return TypeBudgetExhausted }

// Subject implements Fact.
func (f BudgetExhausted) Subject() string { return "budgets/" + f.Period + "/" + f.Unit }

// Identity implements Fact.
func (f BudgetExhausted) Identity() string { return f.Starts }

// Check implements Fact.
func (f BudgetExhausted) Check() error {
	switch {
	case f.Period != "day" && f.Period != "month":
		return fault.Invalidf("period", "fact_invalid", "%.20q is not day or month", f.Period)
	case f.Unit != "tokens" && f.Unit != "nanoUSD" && f.Unit != "characters":
		return fault.Invalidf("unit", "fact_invalid", "%.20q is not tokens, nanoUSD or characters", f.Unit)
	case f.Limit < 0 || f.Reserved < 0:
		return fault.Invalidf("limit", "fact_invalid", "limit and reserved are not below 0")
	case f.Resets.IsZero():
		return fault.Invalidf("resetsAt", "fact_invalid", "is required")
	}
	if _, err := time.Parse(time.DateOnly, f.Starts); err != nil {
		return fault.Invalidf("starts", "fact_invalid", "%.20q is not a day", f.Starts)
	}
	return nil
}
