package double

import (
	"net/http"
	"slices"
)

// Token is what a token may do.
type Token struct {
	ID       string   // made when empty
	Accounts []string // whose ids it is good for
	Zones    []string // the ids of zones; all of its accounts when nil
	Groups   []string // permission groups, as "Queues Write", which includes "Queues Read"; all when nil
	Status   string   // "active" when empty; "disabled", "expired"

	// User tells that it is a user's token. Others are an account's; each kind is verified at a place of its own.
	User bool
}

// Token adds a token.
func (a *API) Token(value string, t Token) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.ID == "" {
		t.ID = a.id(32)
	}
	if t.Status == "" {
		t.Status = "active"
	}
	a.tokens[value] = t
}

// verify is the group of routes that tell of any token what it is.
const verify = "verify"

// ambient are the headers of another way to say who one is. Beside a token they are somebody else's.
var ambient = []string{"X-Auth-Key", "X-Auth-Email", "X-Auth-User-Service-Key"}

// authorize finds out who asks, and refuses whom it does not concern. A missing permission, another's account, one that is not there and
// a token that is not known all look the same.
func (c *call) authorize(r route) error {
	for _, name := range ambient {
		if c.Header.Get(name) != "" {
			return refuse(http.StatusBadRequest, 6003, "Invalid request headers: %s beside a token", name)
		}
	}
	if r.pattern == "" || r.wrangler && c.api.DocumentedOnly {
		_, err := unrouted(c)
		return err
	}
	denied := refuse(http.StatusForbidden, codeAuth, "Authentication error")
	if r.session {
		c.account = c.api.accounts[c.PathValue("account")]
		if c.account == nil || c.account.sessions[c.bearer] == nil {
			return denied
		}
		return nil
	}
	token, ok := c.api.tokens[c.bearer]
	if !ok && r.group == verify {
		return refuse(http.StatusUnauthorized, 1000, "Invalid API Token")
	}
	if !ok || token.Status != "active" && r.group != verify {
		return denied
	}
	c.token = token
	if id := c.PathValue("account"); id != "" {
		c.account = c.api.accounts[id]
		if c.account == nil || !slices.Contains(token.Accounts, id) {
			return denied
		}
	}
	if id := c.PathValue("zone"); id != "" {
		c.zone = c.api.zoneOf(id)
		if c.zone == nil || !token.hasZone(c.zone) {
			return denied
		}
	}
	if r.group != "" && r.group != verify && !token.may(r.group, c.Method == http.MethodGet || r.readOnly) {
		return denied
	}
	return nil
}

// may reports whether a token has a permission group, for reading or for writing, which includes reading.
func (t Token) may(group string, reading bool) bool {
	return t.Groups == nil || slices.Contains(t.Groups, group+" Write") || reading && slices.Contains(t.Groups, group+" Read")
}

func (t Token) hasZone(z *zone) bool {
	return slices.Contains(t.Accounts, z.account) && (t.Zones == nil || slices.Contains(t.Zones, z.ID))
}

func tokenRoutes() []route {
	return []route{
		{pattern: "GET /user/tokens/verify", group: verify, handle: func(c *call) (any, error) { return c.verified(true) }},
		{pattern: "GET /accounts/{account}/tokens/verify", group: verify, handle: func(c *call) (any, error) { return c.verified(false) }},
	}
}

func (c *call) verified(user bool) (any, error) {
	if c.token.User != user {
		return nil, refuse(http.StatusUnauthorized, 1000, "Invalid API Token")
	}
	return map[string]any{"id": c.token.ID, "status": c.token.Status}, nil
}
