package book

import (
	"time"

	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/rows"
)

// Fact is something that others are to be told: a Recorded or an Exhausted.
type Fact interface{ fact() }

// Recorded says what one booking has added to the account. The lines of all of them make the account.
type Recorded struct {
	Booking string // names it, within the tenant
	Lines   []quota.Line
}

// Exhausted says that a budget has refused a call, for the first time in its period.
type Exhausted struct {
	quota.Budget
	Starts quota.Day
}

func (Recorded) fact()  {}
func (Exhausted) fact() {}

// Tell takes a fact into the transaction that makes it true.
type Tell func(tx rows.Tx, s tenants.Scope, at time.Time, f Fact) error
