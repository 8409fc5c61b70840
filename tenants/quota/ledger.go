package quota

import (
	"context"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Ledger is where all purses of a tenant settle with each other: one writer, which knows what is spent, what is leased, and
// how its rates stand. Calls are serial. Safe for concurrent use.
type Ledger interface {
	// Exchange books what a purse has used, takes back what it has left, and grants what it asks for. An exchange with a
	// number is remembered: repeated with the same number it gets the same answer, but for Barred and Still, and changes nothing, also when the first
	// answer was lost; after a higher number it is refused (fault.Conflict, code exchange_late). One without a number may
	// say nothing of money; repeated, it takes permits again.
	Exchange(ctx context.Context, s tenants.Scope, r Report) (Grant, error)
	// Statement is the account as it is booked.
	Statement(ctx context.Context, s tenants.Scope, q Query) (Statement, error)
}

// Report is what a purse says to its ledger.
type Report struct {
	Purse  string `json:"purse,omitempty"` // its name, which no other ever has
	Seq    int64  `json:"seq,omitempty"`   // counts the purse's exchanges from 1; 0 when only rates matter
	Limits Limits `json:"limits"`          // as the configuration has them now

	Lines []Line `json:"lines,omitempty"` // what was used since the last report, by day, capability and model
	Held  Amount `json:"held,omitzero"`   // what of the lease stays with the purse; what is neither here nor in Lines is given back

	Rates []Rate `json:"rates"`           // the tenant's own first, then those of users
	Wants []Want `json:"wants,omitempty"` // granted in this order, each whole or not
	Unit  Amount `json:"unit,omitzero"`   // of money to lease beyond the wants,
	Units int    `json:"units,omitempty"` // and how many of them; never a reason to refuse
}

// Rate is what a purse says of one rate.
type Rate struct {
	Key   string `json:"key,omitempty"`   // opaque name of the user; none for the tenant's own rate
	Back  int    `json:"back,omitempty"`  // permits given back
	At    int64  `json:"at,omitempty"`    // when they were leased: the Grant's At
	Ahead int    `json:"ahead,omitempty"` // permits to lease beyond the wants
}

// Want is a number of equal asks.
type Want struct {
	Count  int    `json:"count"`
	Tenant int    `json:"tenant,omitempty"` // permits of the tenant's rate that each needs
	Own    int    `json:"own,omitempty"`    // permits of the user's rate
	User   int    `json:"user,omitempty"`   // which of Rates that is
	Amount Amount `json:"amount,omitzero"`
	Room   Amount `json:"room,omitzero"`    // that the budgets must have besides, for each; it is not leased
	Writes bool   `json:"writes,omitempty"` // not while the tenant is barred
	Talks  bool   `json:"talks,omitempty"`  // not while it stands still
}

// Grant is a ledger's answer.
type Grant struct {
	At     int64     `json:"at"`  // nanoseconds since 1970
	Day    Day       `json:"day"` // what is used of this grant is not booked before it
	Wants  []Verdict `json:"wants,omitempty"`
	Rates  []Stand   `json:"rates,omitempty"`
	Units  int       `json:"units,omitempty"`  // that were leased ahead
	Barred bool      `json:"barred,omitempty"` // everything of the tenant is being erased: what writes has to ask
	Still  bool      `json:"still,omitempty"`  // the tenant is being moved to another pool: what talks has to ask
	Closed bool      `json:"closed,omitempty"` // the purse was not heard of for too long: it may settle what it holds, and gets nothing more
}

// Verdict says how many of a Want's asks are granted, and why the next is not.
type Verdict struct {
	Granted int          `json:"granted"`
	Refused *fault.Error `json:"refused,omitempty"`
}

// Stand is how a rate stands after the exchange.
type Stand struct {
	Ahead     int   `json:"ahead,omitempty"` // permits that were leased beyond the wants
	Remaining int   `json:"remaining"`       // that the ledger could give now
	Wait      int64 `json:"wait,omitempty"`  // nanoseconds until it has one
}

// Query asks for a Statement, both days included.
type Query struct {
	From   Day    `json:"from"`
	To     Day    `json:"to"`
	Limits Limits `json:"limits"`
}
