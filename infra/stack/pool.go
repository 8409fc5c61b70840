package stack

import (
	"time"

	"levada.dev/tenants"
)

// Pool is what a table depends on, beside the project.
type Pool struct {
	Name string
	Env  string // dev, stage or prod

	// Filterable are the metadata fields on which searches of the pool's tenants may filter.
	Filterable map[string]tenants.FieldType

	Budgets []Budget // of its tenants, as far as they have one

	Domains    []string
	Routes     []Route
	WorkersDev bool

	// Analytics has what is counted written to Analytics Engine, too, which has to be set up in the account first.
	Analytics bool
}

// Budget is what calls of models may cost a tenant; 0 is anything.
type Budget struct {
	Tenant                 string
	USDPerDay, USDPerMonth int64
}

const (
	day   = 24 * time.Hour
	month = 31 * day // the longest: the gateway is not to refuse what the exact budgets allow
)

// spend are the gateway's rules: one for each tenant's day and month. Of more than a gateway takes there is one for all of them
// instead, each counted for itself, at the largest of their budgets.
func (p Pool) spend() []Spend {
	var rules []Spend
	var most Budget
	for _, b := range p.Budgets {
		rules = append(rules, windows(b)...)
		most.USDPerDay = max(most.USDPerDay, b.USDPerDay)
		most.USDPerMonth = max(most.USDPerMonth, b.USDPerMonth)
	}
	if len(rules) > maxSpendRules {
		return windows(most)
	}
	return rules
}

func windows(b Budget) []Spend {
	var rules []Spend
	if b.USDPerDay > 0 {
		rules = append(rules, Spend{Tenant: b.Tenant, USD: b.USDPerDay, Window: day})
	}
	if b.USDPerMonth > 0 {
		rules = append(rules, Spend{Tenant: b.Tenant, USD: b.USDPerMonth, Window: month})
	}
	return rules
}
