package double

import (
	"maps"
	"net/http"
	"slices"
)

// Account is one account and all that is in it. Its methods are for use within Edit.
type Account struct {
	ID, Name, Subdomain string

	api        *API
	scripts    map[string]*script
	queues     []*queue
	namespaces []*namespace
	buckets    map[string]bucket
	indexes    map[string]*index
	gateways   map[string]gateway
	workflows  map[string]workflow
	domains    map[string]domain // by host
	assets     map[string]asset  // by hash
	sessions   map[string]*assetSession
}

func newAccount(a *API, id, name string) *Account {
	return &Account{
		ID: id, Name: name, Subdomain: name, api: a,
		scripts: map[string]*script{}, buckets: map[string]bucket{}, indexes: map[string]*index{}, gateways: map[string]gateway{},
		workflows: map[string]workflow{}, domains: map[string]domain{}, assets: map[string]asset{}, sessions: map[string]*assetSession{},
	}
}

func (a *Account) view() map[string]any {
	return map[string]any{"id": a.ID, "name": a.Name, "type": "standard"}
}

func accountRoutes() []route {
	return []route{
		{pattern: "GET /accounts", handle: listAccounts},
		{pattern: "GET /accounts/{account}", handle: func(c *call) (any, error) { return c.account.view(), nil }},
		{pattern: "GET /accounts/{account}/workers/subdomain", group: groupScripts, handle: func(c *call) (any, error) {
			if c.account.Subdomain == "" {
				return nil, refuse(http.StatusNotFound, 10007, "This account has no subdomain of workers.dev.")
			}
			return map[string]string{"subdomain": c.account.Subdomain}, nil
		}},
		{pattern: "POST /accounts/{account}/analytics_engine/sql", group: "Account Analytics", readOnly: true, handle: analytics},
	}
}

func listAccounts(c *call) (any, error) {
	var all []map[string]any
	for _, id := range slices.Sorted(slices.Values(c.token.Accounts)) {
		if a := c.api.accounts[id]; a != nil {
			all = append(all, a.view())
		}
	}
	return paged(c, all)
}

// analytics answers a query. There is no envelope around what it says.
func analytics(c *call) (any, error) {
	rows := []map[string]any{}
	if c.api.Analytics != nil {
		rows = append(rows, c.api.Analytics(c.account.ID, string(c.body))...)
	}
	columns := map[string]bool{}
	for _, row := range rows {
		for name := range row {
			columns[name] = true
		}
	}
	meta := []map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		meta = append(meta, map[string]string{"name": name, "type": "String"})
	}
	c.kept = string(c.body)
	body := inJSON(http.StatusOK, map[string]any{"meta": meta, "data": rows, "rows": len(rows), "rows_before_limit_at_least": len(rows)}).body
	return raw{"application/json", body}, nil
}

// sorted are the values of a map by their keys.
func sorted[V any](m map[string]V) []V {
	all := make([]V, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[key])
	}
	return all
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
