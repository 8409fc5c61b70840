package quota

import (
	"context"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Gate lets requests and calls of models through.
//
// Acquire is all or nothing. What it refuses is fault.Limited with RetryAfter: code rate_limited when too many requests
// came, budget_exhausted when a budget of the tenant would be overdrawn by the most the call may cost, or has no Room. When the ledger
// does not answer it is fault.Unavailable: nothing passes unpaid. The limits are those of the tenant's configuration at
// the time. While everything of the tenant is being erased, what writes is fault.Conflict, code tenant_erasing;
// while the tenant is being moved to another pool, what talks is fault.Unavailable, code tenant_readonly. Safe for concurrent use.
type Gate interface {
	Acquire(ctx context.Context, s tenants.Scope, a Ask) (Hold, error)
	// Statement is what the tenant's calls have cost from one day to another, both included, as far as it was settled
	// and told; what an isolate has settled is told within seconds.
	Statement(ctx context.Context, s tenants.Scope, from, to Day) (Statement, error)
}

// ErrStill refuses what talks while the tenant is being moved to another pool.
var ErrStill = fault.Unavailablef(nil, "tenant_readonly", "the tenant is being moved to another pool, and no conversation goes on meanwhile").
	WithHint("send it again in a minute: it is taken at the new place, or here if the move is called off").WithRetryAfter(time.Minute)

// Hold is what was acquired. It must be settled, once, on every path; a hold without an Amount needs no settling.
type Hold interface {
	// Settle gives back what was held and books what was used instead, which may be nothing. It does not fail: what
	// cannot be told now is told later, or, if the isolate dies, the ledger takes the whole hold for used. The context
	// only says whose event it is; it may have been canceled. Calls after the first do nothing.
	Settle(ctx context.Context, used ...Use)
	// Standing is how the narrowest rate of the caller stands now.
	Standing() Standing
}

// Ask is what a request or a call needs.
type Ask struct {
	Requests int    // permits; 0 for a call of a model that belongs to a request which has one
	User     string // whose own rate counts besides the tenant's: user and address; "" for none
	Amount   Amount // what the call may cost at most
	Writes   bool   // it will store something, or may go on for long: refused while everything of the tenant is being erased
	Talks    bool   // it changes a conversation: refused while the tenant is being moved to another pool
	Room     Amount // what the budgets must have room for besides; nothing of it is held, as it is paid later, by whoever spends it
	Ahead    Amount // what will probably be asked for next: leased with the rest when there is room, and never a reason to refuse
}

// Use is one call of a model, as it is booked.
type Use struct {
	Capability string  `json:"capability"` // what for: one of the capabilities
	Purpose    string  `json:"purpose"`    // of the call, which is finer
	Model      string  `json:"model"`
	Prompt     int64   `json:"promptTokens"`
	Completion int64   `json:"completionTokens"`
	Chars      int64   `json:"characters,omitempty"` // of the text that it spoke
	Neurons    Neurons `json:"neurons,omitempty"`
	Nanos      int64   `json:"nanos"`
	Estimated  bool    `json:"estimated,omitempty"` // the provider did not say what it took
}

// Standing is a rate as response headers tell it.
type Standing struct {
	Limit     int           // requests at once after a rest
	Remaining int           // requests that would pass now
	Reset     time.Duration // until all of Limit would
}

// Day is a day in UTC, "2026-11-22".
type Day string

// DayOf is the day of a time.
func DayOf(t time.Time) Day { return Day(t.UTC().Format(time.DateOnly)) }

// Statement is a tenant's account.
type Statement struct {
	Lines   []Line   `json:"lines"`   // by day, capability, purpose and model
	Budgets []Budget `json:"budgets"` // as they stand now
}

// Line is what one model cost for one purpose of a capability on one day.
type Line struct {
	Day        Day     `json:"day"`
	Capability string  `json:"capability"`
	Purpose    string  `json:"purpose,omitempty"` // none of what was never settled
	Model      string  `json:"model"`
	Calls      int64   `json:"calls"`
	Prompt     int64   `json:"promptTokens"`
	Completion int64   `json:"completionTokens"`
	Chars      int64   `json:"characters,omitempty"` // of the texts that it spoke
	Neurons    Neurons `json:"neurons,omitempty"`    // booked when they were used, as the money is: later prices change neither
	Nanos      int64   `json:"nanoUSD"`
	Estimated  int64   `json:"estimatedCalls"` // how many of the calls are booked by estimate
}

// Budget is one of the tenant's budgets.
type Budget struct {
	Period   string    `json:"period"` // day or month
	Unit     string    `json:"unit"`   // tokens, nanoUSD or characters
	Limit    int64     `json:"limit"`
	Spent    int64     `json:"spent"`
	Reserved int64     `json:"reserved"` // held by calls in flight, and leased
	Resets   time.Time `json:"resetsAt"`
}
