package quota

import (
	"time"

	"levada.dev/tenants"
)

// Limits is what a tenant may do and spend. What is zero lets nothing through.
type Limits struct {
	Tenant tenants.Rate `json:"tenant"` // of all its callers together
	User   tenants.Rate `json:"user"`   // of each of them
	Day    Amount       `json:"day"`    // what models may cost in one, by UTC
	Month  Amount       `json:"month"`
}

// nanosPerUSD is the unit of money.
const nanosPerUSD = 1_000_000_000

// LimitsOf is what a configuration, with its defaults set, allows.
func LimitsOf(c *tenants.Config) Limits {
	return Limits{
		Tenant: c.Rates.Tenant,
		User:   c.Rates.User,
		Day:    Amount{Tokens: c.Budgets.TokensPerDay, Chars: c.Budgets.CharactersPerDay, Nanos: c.Budgets.USDPerDay * nanosPerUSD},
		Month:  Amount{Tokens: c.Budgets.TokensPerMonth, Chars: c.Budgets.CharactersPerMonth, Nanos: c.Budgets.USDPerMonth * nanosPerUSD},
	}
}

// Every is the time in which one permit of a rate comes back, rounded up to a nanosecond.
func Every(r tenants.Rate) time.Duration {
	n := max(1, int64(r.PerMinute))
	return time.Duration((int64(time.Minute) + n - 1) / n)
}
