package tenants

import (
	"context"
	"slices"
)

// Directory knows the tenants of a pool.
//
// It answers from published, validated configuration, possibly through a cache, so an answer may be stale by
// as long as the adapter documents. An unknown tenant, host or key is fault.NotFound. It reads before anybody
// was admitted, so it takes no Scope. Safe for concurrent use.
type Directory interface {
	// Config is the configuration of a tenant, code tenant_not_found.
	Config(ctx context.Context, id ID) (*Config, error)
	// Host is the tenant that answers under a host name (lower case, no port), code tenant_not_found.
	Host(ctx context.Context, host string) (ID, error)
	// Prompt is a prompt that a tenant has published, by its name, code prompt_not_found. The platform's own is not among them.
	Prompt(ctx context.Context, id ID, name string) (*Prompt, error)
	// Prompts are the names of the prompts that a tenant has published, sorted; none for one that nobody knows.
	Prompts(ctx context.Context, id ID) ([]string, error)
	// Key is the grant of an API key by its hash (HashKey), code unauthorized.
	Key(ctx context.Context, hash string) (*Grant, error)
}

// Grant is what an API key allows.
type Grant struct {
	Tenant ID         `json:"tenant"`
	Name   string     `json:"name"` // for people: "ci", "acme production"
	Scopes []APIScope `json:"scopes"`
	Also   []ID       `json:"also,omitempty"` // other tenants of the pool that it opens, with the same rights, when a request names one: an operator's key
}

// Opens reports whether the key is of the tenant, or of somebody who may act for it.
func (g *Grant) Opens(id ID) bool { return g.Tenant == id || slices.Contains(g.Also, id) }

// ActorAt is the key's name as the tenant knows it: that of a key which is another tenant's says whose it is.
func (g *Grant) ActorAt(id ID) string {
	if g.Tenant == id {
		return g.Name
	}
	return string(g.Tenant) + "/" + g.Name
}

// Allows reports whether the grant holds the scope a route asks for.
func (g *Grant) Allows(scope APIScope) bool {
	for _, s := range g.Scopes {
		if s == scope {
			return true
		}
	}
	return false
}

// APIScope is one of the rights an API key may hold. (A tenant's Scope is another thing: on whose behalf.)
type APIScope string

// The rights.
const (
	ScopeChat      APIScope = "chat"
	ScopeSearch    APIScope = "search"
	ScopeIngest    APIScope = "ingest"
	ScopeDocuments APIScope = "documents"
	ScopeTools     APIScope = "tools"
	ScopeTTS       APIScope = "tts"
	ScopeJobs      APIScope = "jobs"
	ScopeMetrics   APIScope = "metrics"
	ScopeAudit     APIScope = "audit"
	ScopeAdmin     APIScope = "admin"
	ScopeExport    APIScope = "export" // reads all that there is of the tenant, and changes nothing
)

// AllScopes lists every right.
var AllScopes = []APIScope{ScopeChat, ScopeSearch, ScopeIngest, ScopeDocuments, ScopeTools, ScopeTTS, ScopeJobs, ScopeMetrics, ScopeAudit, ScopeAdmin, ScopeExport}
