package double

import (
	"net/http"
	"strings"
)

// domain is a host that is a Worker's.
type domain struct {
	ID          string `json:"id"`
	Hostname    string `json:"hostname"`
	Service     string `json:"service"`
	Environment string `json:"environment"`
	ZoneID      string `json:"zone_id"`
	ZoneName    string `json:"zone_name"`
	CertID      string `json:"cert_id"`
	Enabled     bool   `json:"enabled"`
	Previews    bool   `json:"previews_enabled"`
}

// subdomain is whether a Worker is at workers.dev.
type subdomain struct {
	Enabled  bool `json:"enabled"`
	Previews bool `json:"previews_enabled"`
}

const codeDomain = 100117

func domainRoutes() []route {
	const domains = "/accounts/{account}/workers/domains"
	const one = domains + "/{domain}"
	return []route{
		{pattern: "GET " + domains, group: groupScripts, handle: listDomains},
		{pattern: "PUT " + domains, group: groupScripts, handle: putDomain},
		{pattern: "GET " + one, group: groupScripts, handle: onDomain(func(_ *call, d domain) (any, error) { return d, nil })},
		{pattern: "DELETE " + one, group: groupScripts, handle: onDomain(func(c *call, d domain) (any, error) {
			delete(c.account.domains, d.Hostname)
			return nil, nil
		})},
	}
}

func onDomain(do func(*call, domain) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		for _, d := range c.account.domains {
			if d.ID == c.PathValue("domain") {
				return do(c, d)
			}
		}
		return nil, refuse(http.StatusNotFound, codeDomain, "This domain does not exist.")
	}
}

func listDomains(c *call) (any, error) {
	q := c.URL.Query()
	is := func(name, value string) bool { return q.Get(name) == "" || q.Get(name) == value }
	all := []domain{}
	for _, d := range sorted(c.account.domains) {
		if is("service", d.Service) && is("hostname", d.Hostname) && is("zone_id", d.ZoneID) && is("zone_name", d.ZoneName) {
			all = append(all, d)
		}
	}
	return all, nil
}

// domainEdit is what a host is to be.
type domainEdit struct {
	Hostname       string `json:"hostname"`
	Service        string `json:"service"`
	Environment    string `json:"environment"`
	ZoneID         string `json:"zone_id"`
	ZoneName       string `json:"zone_name"`
	OverrideOrigin bool   `json:"override_existing_origin"`
	OverrideRecord bool   `json:"override_existing_dns_record"`
	OverrideScope  bool   `json:"override_scope"`
}

func putDomain(c *call) (any, error) {
	given, err := decode[domainEdit](c)
	if err != nil {
		return nil, err
	}
	if given.Environment != "" && given.Environment != "production" {
		return nil, refuse(http.StatusBadRequest, codeDomain, "The environment %q of a Worker does not exist.", given.Environment)
	}
	return c.attach(given)
}

// attach gives a host to a Worker. One that is another's is refused, unless it is said to be taken over.
func (c *call) attach(e domainEdit) (any, error) {
	if c.account.scripts[e.Service] == nil {
		return nil, refuse(http.StatusNotFound, codeNoScript, "The Worker %q does not exist.", e.Service)
	}
	z := c.zoneOfHost(e.Hostname)
	if z == nil || e.ZoneID != "" && e.ZoneID != z.ID || e.ZoneName != "" && e.ZoneName != z.Name {
		return nil, refuse(http.StatusBadRequest, codeDomain, "The host %q is in no zone of this account that was named.", e.Hostname)
	}
	d, ok := c.account.domains[e.Hostname]
	if ok && d.Service != e.Service && !e.OverrideOrigin {
		return nil, refuse(http.StatusConflict, 100116, "The host %q is the Worker %q's.", e.Hostname, d.Service)
	}
	if !ok {
		d = domain{ID: c.api.id(40), Hostname: e.Hostname, Environment: "production", ZoneID: z.ID, ZoneName: z.Name, CertID: c.api.uuid(), Enabled: true}
	}
	d.Service = e.Service
	c.account.domains[e.Hostname] = d
	return d, nil
}

// zoneOfHost is the zone of the account that a host is in, as far as the token is good for it.
func (c *call) zoneOfHost(host string) *zone {
	for _, z := range c.api.zones {
		if z.account == c.account.ID && c.token.hasZone(z) && (host == z.Name || strings.HasSuffix(host, "."+z.Name)) {
			return z
		}
	}
	return nil
}

func postSubdomain(c *call, s *script) (any, error) {
	given, err := decode[struct {
		Enabled  *bool `json:"enabled"`
		Previews *bool `json:"previews_enabled"`
	}](c)
	if err != nil {
		return nil, err
	}
	if given.Enabled == nil {
		return nil, refuse(http.StatusBadRequest, codeRequest, "enabled is missing.")
	}
	set(&s.subdomain.Enabled, given.Enabled)
	set(&s.subdomain.Previews, given.Previews)
	return s.subdomain, nil
}
