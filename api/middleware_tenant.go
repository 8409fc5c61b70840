package api

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// resolve finds the tenant: by the x-tenant-id header, by the host name, by the API key. The first that names one
// decides; a header that names an unknown tenant is not repaired by the host.
func (c *call) resolve() error {
	id, err := c.tenantID()
	if err != nil {
		return err
	}
	c.config, err = c.Directory.Config(c.ctx(), id)
	if err != nil {
		return fmt.Errorf("configuration of %s: %w", id, err)
	}
	return nil
}

func (c *call) tenantID() (tenants.ID, error) {
	if name := c.r.Header.Get("X-Tenant-Id"); name != "" {
		id, err := tenants.ParseID(name)
		if err != nil {
			return "", errTenantNotFound
		}
		return id, nil
	}
	if host := hostName(c.r); host != "" {
		id, err := c.Directory.Host(c.ctx(), host)
		if err == nil {
			return id, nil
		}
		if !fault.Is(err, fault.NotFound) {
			return "", fmt.Errorf("tenant of host: %w", err)
		}
	}
	cred, err := c.credential()
	if err != nil {
		return "", err
	}
	if cred.grant == nil {
		return "", errTenantRequired
	}
	return cred.grant.Tenant, nil
}

var (
	errTenantNotFound = fault.Missing("tenant_not_found", "there is no such tenant")
	errTenantRequired = fault.Invalidf("", "tenant_required", "the request names no tenant").
				WithHint("send x-tenant-id, use the tenant's host name, or authenticate with one of its keys")
)

// hostName is the host a request was sent to: lower case, without port.
func hostName(r *http.Request) string {
	host := r.Host
	if strings.IndexByte(host, ':') >= 0 { // else it would have to make an error
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
