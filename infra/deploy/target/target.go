package target

import (
	"maps"
	"slices"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// Target is where one pool goes in one environment.
type Target struct {
	Pool    string
	Env     string
	Tenants []tenants.Config // that the pool serves there, by id
	Account string           // 32 hexadecimal digits
	Token   credential.Ref   // of the account's API
	Vault   credential.Ref   // of the pool's secrets, a tenants.Vault as JSON; the zero one when no tenant names secrets

	Domains    []string // custom domains of the API Worker
	Routes     []Route
	WorkersDev bool // it also answers at <name>.<subdomain>.workers.dev
	Analytics  bool // what is counted is written to Analytics Engine, too
	Canary     Canary

	// Observed is what deploy.json says of logs and traces; the table of the pool has the rest.
	Observed Observed
}

// Canary is how a release comes into force.
type Canary struct {
	Steps []int         // percent of the requests, rising; then come all. Empty: all at once
	Bake  time.Duration // how long each step is watched
}

// defaultCanary is what holds where deploy.json says nothing.
var defaultCanary = Canary{Steps: []int{0, 10, 50}, Bake: 2 * time.Minute}

// Name is how the pool's resources are called in the account: "acme-prod-api".
func (t Target) Name(resource string) string { return t.Pool + "-" + t.Env + "-" + resource }

// Stack is the table of what the target deploys.
func (t Target) Stack() stack.Stack {
	p := stack.Pool{Name: t.Pool, Env: t.Env, Filterable: map[string]tenants.FieldType{}, Domains: t.Domains, WorkersDev: t.WorkersDev, Analytics: t.Analytics}
	for _, c := range t.Tenants {
		maps.Copy(p.Filterable, c.Search.Filterable) // tenants of a pool agree, as far as they share fields
		p.Budgets = append(p.Budgets, stack.Budget{Tenant: string(c.ID), USDPerDay: c.Budgets.USDPerDay, USDPerMonth: c.Budgets.USDPerMonth})
	}
	for _, r := range t.Routes {
		p.Routes = append(p.Routes, stack.Route{Pattern: r.Pattern, Zone: r.Zone})
	}
	s := stack.Levada(p)
	if t.Observed.Logs != nil {
		s.Observability.Logs = *t.Observed.Logs
	}
	if t.Observed.Traces != nil {
		s.Observability.Traces = *t.Observed.Traces
	}
	s.Observability.LogsTo, s.Observability.TracesTo = t.Observed.LogsTo, t.Observed.TracesTo
	return s
}

// Host is where the API Worker is asked: its first domain, else the host of its first route that has one, else "", which is its
// workers.dev host when it has that: only the account knows its subdomain.
func (t Target) Host() string {
	if len(t.Domains) > 0 {
		return t.Domains[0]
	}
	for _, r := range t.Routes {
		if host := r.host(); !strings.Contains(host, "*") {
			return host
		}
	}
	return ""
}

// IDs are the tenants of the target.
func (t Target) IDs() []string {
	ids := make([]string, len(t.Tenants))
	for i, c := range t.Tenants {
		ids[i] = string(c.ID)
	}
	return ids
}

// needsVault reports whether a source or a tool of a tenant has secrets.
func (t Target) needsVault() bool {
	return slices.ContainsFunc(t.Tenants, func(c tenants.Config) bool { return len(c.Secrets()) > 0 })
}

// host is the host of a route's pattern, which may begin with a *.
func (r Route) host() string {
	host, _, _ := strings.Cut(r.Pattern, "/")
	return host
}

// Environment is the targets of one environment.
type Environment struct {
	Name    string
	Targets []Target         // by pool
	Tenants []tenants.Config // all there are, by id, also those that are not deployed
}

// Find is the target that serves a tenant. That there is none is fault.Invalid: tenant_not_found, or not_deployed with what to add.
func (e *Environment) Find(tenant string) (Target, error) {
	i := slices.IndexFunc(e.Tenants, func(c tenants.Config) bool { return string(c.ID) == tenant })
	if i < 0 {
		ids := make([]string, len(e.Tenants))
		for i, c := range e.Tenants {
			ids[i] = string(c.ID)
		}
		return Target{}, fault.Invalidf("", "tenant_not_found", "there is no tenant %.40q", tenant).WithHint(didYouMean(tenant, ids))
	}
	pool := e.Tenants[i].Pool
	for _, t := range e.Targets {
		if t.Pool != pool {
			continue
		}
		if slices.Contains(t.IDs(), tenant) {
			return t, nil
		}
		return Target{}, fault.Invalidf("", "not_deployed", "the pool %s does not serve the tenant %s in %s", pool, tenant, e.Name).
			WithHint("remove it from environments." + e.Name + ".pools." + pool + ".exclude in tenants/" + File)
	}
	return Target{}, fault.Invalidf("", "not_deployed", "the tenant %s is not deployed in %s", tenant, e.Name).
		WithHint("add environments." + e.Name + ".pools." + pool + " to tenants/" + File + `: {"account": "<32 hexadecimal digits>", "token": "env:CF_TOKEN_` + envPart(pool) + `"}`)
}

// Pool is the target of a pool.
func (e *Environment) Pool(name string) (Target, bool) {
	i := slices.IndexFunc(e.Targets, func(t Target) bool { return t.Pool == name })
	if i < 0 {
		return Target{}, false
	}
	return e.Targets[i], true
}

func envPart(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// didYouMean is a hint that names the candidate that is closest, or lists them.
func didYouMean(got string, candidates []string) string {
	if best, ok := tenants.Closest(got, candidates); ok {
		return `did you mean "` + best + `"?`
	}
	return "one of " + strings.Join(candidates, ", ")
}
