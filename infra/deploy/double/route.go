package double

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// zone is a domain of an account, with the routes that lead to Workers.
type zone struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	account string
	routes  []*zoneRoute
}

// zoneRoute leads requests of a zone to a Worker; without one to none.
type zoneRoute struct {
	ID      string `json:"id"`
	Pattern string `json:"pattern"`
	Script  string `json:"script,omitempty"`
}

// Zone adds a zone of an account.
func (a *API) Zone(id, name, accountID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.accounts[accountID] == nil {
		panic("double: no account " + accountID)
	}
	a.zones = append(a.zones, &zone{ID: id, Name: name, account: accountID})
}

func (a *API) zoneOf(id string) *zone {
	for _, z := range a.zones {
		if z.ID == id {
			return z
		}
	}
	return nil
}

const groupRoutes = "Workers Routes"

func zoneRoutes() []route {
	const routes = "/zones/{zone}/workers/routes"
	const one = routes + "/{route}"
	return []route{
		{pattern: "GET /zones", group: "Zone", handle: listZones},
		{pattern: "GET /zones/{zone}", group: "Zone", handle: func(c *call) (any, error) { return c.api.zoneView(c.zone), nil }},
		{pattern: "GET " + routes, group: groupRoutes, handle: func(c *call) (any, error) { return append([]*zoneRoute{}, c.zone.routes...), nil }},
		{pattern: "POST " + routes, group: groupRoutes, handle: postRoute},
		{pattern: "GET " + one, group: groupRoutes, handle: onRoute(func(_ *call, r *zoneRoute) (any, error) { return r, nil })},
		{pattern: "PUT " + one, group: groupRoutes, handle: onRoute(putRoute)},
		{pattern: "DELETE " + one, group: groupRoutes, handle: onRoute(func(c *call, r *zoneRoute) (any, error) {
			c.zone.routes = slices.DeleteFunc(c.zone.routes, func(o *zoneRoute) bool { return o == r })
			return map[string]string{"id": r.ID}, nil
		})},
	}
}

func (a *API) zoneView(z *zone) map[string]any {
	return map[string]any{
		"id": z.ID, "name": z.Name, "status": "active", "type": "full", "paused": false,
		"account": map[string]string{"id": z.account, "name": a.accounts[z.account].Name},
	}
}

// listZones has the zones that the token is good for.
func listZones(c *call) (any, error) {
	q := c.URL.Query()
	all := []map[string]any{}
	for _, z := range c.api.zones {
		if c.token.hasZone(z) && (q.Get("name") == "" || q.Get("name") == z.Name) && (q.Get("account.id") == "" || q.Get("account.id") == z.account) {
			all = append(all, c.api.zoneView(z))
		}
	}
	return paged(c, all)
}

func onRoute(do func(*call, *zoneRoute) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		for _, r := range c.zone.routes {
			if r.ID == c.PathValue("route") {
				return do(c, r)
			}
		}
		return nil, refuse(http.StatusNotFound, 10021, "workers.api.error.route_not_found")
	}
}

func postRoute(c *call) (any, error) {
	r, err := c.route("")
	if err != nil {
		return nil, err
	}
	r.ID = c.api.id(32)
	c.zone.routes = append(c.zone.routes, r)
	return r, nil
}

func putRoute(c *call, old *zoneRoute) (any, error) {
	r, err := c.route(old.ID)
	if err != nil {
		return nil, err
	}
	r.ID = old.ID
	*old = *r
	return old, nil
}

// route reads a route, whose pattern no other route of the zone has.
func (c *call) route(id string) (*zoneRoute, error) {
	given, err := decode[struct {
		Pattern string `json:"pattern"`
		Script  string `json:"script"`
	}](c)
	if err != nil {
		return nil, err
	}
	r := &zoneRoute{Pattern: given.Pattern, Script: given.Script}
	if err := c.zone.check(c.api.accounts[c.zone.account], r, id); err != nil {
		return nil, err
	}
	return r, nil
}

var routePattern = regexp.MustCompile(`^(https?://)?(\*\.|\*)?([a-z0-9.-]+)(/[^*?#]*\*?)?$`)

func (z *zone) check(a *Account, r *zoneRoute, id string) error {
	m := routePattern.FindStringSubmatch(r.Pattern)
	if m == nil || m[3] != z.Name && !strings.HasSuffix(m[3], "."+z.Name) {
		return refuse(http.StatusBadRequest, 10022, "The pattern %q is not valid, or not of the zone %s.", r.Pattern, z.Name)
	}
	if r.Script != "" && a.scripts[r.Script] == nil {
		return refuse(http.StatusNotFound, codeNoScript, "The Worker %q does not exist.", r.Script)
	}
	for _, o := range z.routes {
		if o.Pattern == r.Pattern && o.ID != id {
			return refuse(http.StatusConflict, 10020, "workers.api.error.duplicate_route")
		}
	}
	return nil
}

// matches reports whether a route is that of a URL, by host and path.
func (r *zoneRoute) matches(host, path string) bool {
	_, pattern, found := strings.Cut(r.Pattern, "://")
	if !found {
		pattern = r.Pattern
	}
	want, wantPath, _ := strings.Cut(pattern, "/")
	wantPath = "/" + wantPath
	switch {
	case strings.HasPrefix(want, "*"):
		if !strings.HasSuffix(host, want[1:]) {
			return false
		}
	case want != host:
		return false
	}
	if prefix, ok := strings.CutSuffix(wantPath, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return path == wantPath
}
