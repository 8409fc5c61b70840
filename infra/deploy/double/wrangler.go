package double

import (
	"net/http"
	"slices"
)

// wranglerRoutes are what wrangler calls and no document has, as wrangler 4.164 does.
func wranglerRoutes() []route {
	const scripts = "/accounts/{account}/workers/scripts/{script}"
	all := []route{
		{pattern: "GET /user", handle: func(*call) (any, error) { return map[string]string{"id": author, "email": authorEmail}, nil }},
		{pattern: "GET /memberships", handle: listMemberships},
		{pattern: "GET /accounts/{account}/workers/services/{script}", group: groupScripts, handle: getService},
		{pattern: "DELETE /accounts/{account}/workers/services/{script}", group: groupScripts, handle: on(deleteScript)},
		{pattern: "GET /accounts/{account}/workers/workers/{script}", group: groupScripts, handle: on(getWorker)},
		{pattern: "GET /accounts/{account}/workers/workers/{script}/versions/latest", group: groupScripts, handle: on(func(_ *call, s *script) (any, error) { return s.latest().view(true), nil })},
		{pattern: "PATCH " + scripts + "/secrets-bulk", group: groupScripts, handle: on(patchSecrets)},
		{pattern: "PUT " + scripts + "/routes", group: groupScripts, handle: on(putRoutes)},
		{pattern: "POST " + scripts + "/domains/changeset", group: groupScripts, handle: on(postChangeset)},
		{pattern: "PUT " + scripts + "/domains/records", group: groupScripts, handle: on(putRecords)},
		{pattern: "GET " + scripts + "/references", group: groupScripts, handle: on(func(*call, *script) (any, error) {
			return map[string]any{"services": map[string]any{"incoming": []any{}, "outgoing": []any{}}, "durable_objects": []any{}}, nil
		})},
		{pattern: "GET /accounts/{account}/workers/tails/by-consumer/{script}", group: groupScripts, handle: func(*call) (any, error) { return []any{}, nil }},
	}
	for i := range all {
		all[i].wrangler = true
	}
	return all
}

func listMemberships(c *call) (any, error) {
	all := []map[string]any{}
	for _, id := range c.token.Accounts {
		if a := c.api.accounts[id]; a != nil {
			all = append(all, map[string]any{"id": a.ID, "status": "accepted", "account": a.view()})
		}
	}
	return paged(c, all)
}

func getService(c *call) (any, error) {
	s, err := c.script()
	if err != nil {
		return nil, refuse(http.StatusNotFound, 10090, "workers.api.error.service_not_found")
	}
	environment := map[string]any{"environment": "production", "script": s.view()}
	return map[string]any{"id": s.name, "created_on": s.created, "modified_on": s.modified, "default_environment": environment}, nil
}

func getWorker(_ *call, s *script) (any, error) {
	references := map[string]any{}
	for _, kind := range []string{"dispatch_namespace_outbounds", "domains", "durable_objects", "queues", "workers"} {
		references[kind] = []any{}
	}
	return map[string]any{
		"id": s.tag, "name": s.name, "created_on": s.created, "updated_on": s.modified, "references": references, "subdomain": s.subdomain,
		"logpush": s.settings.Logpush, "tags": append([]string{}, s.settings.Tags...), "tail_consumers": append([]Tail{}, s.settings.TailConsumers...),
		"observability": s.settings.Observability.shown(),
	}, nil
}

func patchSecrets(c *call, s *script) (any, error) {
	given, err := decode[struct {
		Secrets map[string]*secret `json:"secrets"`
	}](c)
	if err != nil {
		return nil, err
	}
	if err := c.editSecrets(s, given.Secrets); err != nil {
		return nil, err
	}
	return s.secrets(), nil
}

// putRoutes adds routes of any zone that the token is good for. Those that are there stay.
func putRoutes(c *call, s *script) (any, error) {
	given, err := decode[[]struct {
		Pattern  string `json:"pattern"`
		ZoneID   string `json:"zone_id"`
		ZoneName string `json:"zone_name"`
	}](c)
	if err != nil {
		return nil, err
	}
	patterns := []string{}
	for _, g := range given {
		i := slices.IndexFunc(c.api.zones, func(z *zone) bool { return c.token.hasZone(z) && (z.ID == g.ZoneID || z.Name == g.ZoneName) })
		if i < 0 {
			return nil, refuse(http.StatusNotFound, codeDomain, "The zone of the route %q is not of this token.", g.Pattern)
		}
		z, r := c.api.zones[i], &zoneRoute{Pattern: g.Pattern, Script: s.name}
		patterns = append(patterns, g.Pattern)
		if slices.ContainsFunc(z.routes, func(o *zoneRoute) bool { return o.Pattern == r.Pattern && o.Script == r.Script }) {
			continue
		}
		if err := z.check(c.account, r, ""); err != nil {
			return nil, err
		}
		r.ID = c.api.id(32)
		z.routes = append(z.routes, r)
	}
	return patterns, nil
}

// postChangeset says what putRecords would do.
func postChangeset(c *call, s *script) (any, error) {
	given, err := decode[[]domainEdit](c)
	if err != nil {
		return nil, err
	}
	added, updated := []any{}, []any{}
	for _, g := range given {
		d, ok := c.account.domains[g.Hostname]
		if !ok {
			added = append(added, g)
			continue
		}
		updated = append(updated, struct {
			domain
			Modified bool `json:"modified"`
		}{d, d.Service != s.name})
	}
	return map[string]any{"added": added, "updated": updated, "removed": []any{}, "conflicting": []any{}}, nil
}

func putRecords(c *call, s *script) (any, error) {
	given, err := decode[struct {
		Origins        []domainEdit `json:"origins"`
		OverrideOrigin bool         `json:"override_existing_origin"`
		OverrideRecord bool         `json:"override_existing_dns_record"`
		OverrideScope  bool         `json:"override_scope"`
	}](c)
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, g := range given.Origins {
		g.Service, g.OverrideOrigin = s.name, given.OverrideOrigin
		d, err := c.attach(g)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}
