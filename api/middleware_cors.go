package api

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"levada.dev/events/fault"
)

const (
	corsHeadersIn  = "authorization, x-api-key, x-tenant-id, content-type, accept, idempotency-key, traceparent, x-request-id, x-user-id, last-event-id, range, if-range, if-none-match, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name"
	corsHeadersOut = "x-request-id, traceparent, server-timing, location, retry-after, idempotent-replayed, etag, accept-ranges, content-range, content-disposition, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-session-id, x-stream-id, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-levada-cache, x-should-retry, x-audit-head, x-job-id, content-location, mcp-session-id"
)

// allowOrigin lets web pages of the tenant's origins read the answer.
func (c *call) allowOrigin() {
	h := c.w.Header()
	h["Vary"] = always.varyOrigin
	origin := c.r.Header.Get("Origin")
	if origin == "" || !c.originAllowed(origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", corsHeadersOut)
}

func (c *call) originAllowed(origin string) bool {
	return slices.Contains(c.config.CORS.Origins, origin) || slices.Contains(c.config.CORS.Origins, "*")
}

// preflight answers OPTIONS. A browser sends neither key nor tenant with it, so unless the host names the tenant, nobody
// knows yet whose origins count: then the answer is yes, and the request itself decides.
func (c *call) preflight(allow string) error {
	h := c.w.Header()
	h.Add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
	origin := c.r.Header.Get("Origin")
	if origin != "" && c.r.Header.Get("Access-Control-Request-Method") != "" {
		if c.resolve() != nil || c.originAllowed(origin) {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Methods", allow)
			h.Set("Access-Control-Allow-Headers", c.headersIn())
			h.Set("Access-Control-Max-Age", "600")
		}
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// headersIn are what a page may send. OpenAI's SDKs tell about themselves in headers that change with their versions.
func (c *call) headersIn() string {
	if asked := c.r.Header.Get("Access-Control-Request-Headers"); asked != "" && c.speaksOpenAI() {
		return asked
	}
	return corsHeadersIn
}

// sameSite keeps foreign web pages out: of an open tenant, since with no key to hold its origins are all that keeps them from acting through the browser
// of somebody who can reach it; and of routes that only the tenant's own pages may call. A page is the tenant's own when it came from where it
// sends its request to. But a name proves nothing about that unless it is one of ours: a page may let its own name lead to
// this address (DNS rebinding).
func (c *call) sameSite() error {
	origin := c.r.Header.Get("Origin")
	if origin == "" || c.originAllowed(origin) {
		return nil
	}
	if u, err := url.Parse(origin); err == nil && strings.EqualFold(u.Host, c.r.Host) && c.ownHost() {
		return nil
	}
	return fault.New(fault.Denied, "origin_denied", "pages of this origin may not call this tenant", nil).
		WithHint("add the origin to the tenant's cors.origins")
}

// ownHost reports whether nobody else can have given the host's name: it is an address, this machine, or the tenant's.
func (c *call) ownHost() bool {
	host := hostName(c.r)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	id, err := c.Directory.Host(c.ctx(), host)
	return err == nil && id == c.config.ID
}
