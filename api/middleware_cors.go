package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"levada.dev/events/fault"
)

const (
	corsHeadersIn  = "authorization, x-api-key, x-tenant-id, content-type, accept, idempotency-key, traceparent, x-request-id, x-user-id, last-event-id, range, if-range, if-none-match"
	corsHeadersOut = "x-request-id, traceparent, server-timing, location, retry-after, idempotent-replayed, etag, accept-ranges, content-range, content-disposition, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-session-id, x-stream-id, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-levada-cache, x-should-retry, x-audit-head"
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

// sameSite guards an open tenant: with no key to hold, its origins are all that keeps a foreign web page from acting
// through the browser of somebody who can reach it.
func (c *call) sameSite() error {
	origin := c.r.Header.Get("Origin")
	if origin == "" || c.originAllowed(origin) {
		return nil
	}
	if u, err := url.Parse(origin); err == nil && strings.EqualFold(u.Host, c.r.Host) {
		return nil
	}
	return fault.New(fault.Denied, "origin_denied", "pages of this origin may not call an open tenant", nil).
		WithHint("add the origin to the tenant's cors.origins, or use a key")
}
