package api

import (
	"fmt"
	"strings"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// credential is the key a request came with; grant is nil when it came with none.
type credential struct{ grant *tenants.Grant }

// credential reads the key once, however many steps ask for it. A key nobody knows is an error, not an absence.
func (c *call) credential() (*credential, error) {
	if c.key != nil {
		return c.key, nil
	}
	key, err := presentedKey(c.r.Header.Get("Authorization"), c.r.Header.Get("X-Api-Key"))
	if err != nil {
		return nil, err
	}
	cred := &credential{}
	if key != "" {
		hash, seen := c.hashes.get(key)
		if !seen {
			if _, err := tenants.ParseKey(key); err != nil { // mistyped: nobody needs to be asked
				return nil, errUnauthorized
			}
			hash = tenants.HashKey(key)
		}
		cred.grant, err = c.Directory.Key(c.ctx(), hash)
		if fault.Is(err, fault.NotFound) {
			return nil, errUnauthorized
		}
		if err != nil {
			return nil, fmt.Errorf("look up the key: %w", err)
		}
		if !seen {
			c.hashes.put(key, hash)
		}
	}
	c.key = cred
	return cred, nil
}

// hashes remembers the hashes of keys that the directory knew, so that a key is not hashed with each request. What a key may do is
// asked each time, so a key that is revoked is refused no later for it. Keys are looked up by a hash of their own that
// is seeded anew in each process: how long that takes tells nothing that could be used to guess one.
type hashes struct {
	mu    sync.Mutex
	known map[string]string
}

// maxHashes bounds how many are remembered: then it begins anew.
const maxHashes = 1024

func (h *hashes) get(key string) (hash string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hash, ok = h.known[key]
	return hash, ok
}

func (h *hashes) put(key, hash string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil || len(h.known) >= maxHashes {
		h.known = map[string]string{}
	}
	h.known[strings.Clone(key)] = hash // the header it is part of goes
}

// presentedKey takes the bearer token, else x-api-key.
func presentedKey(authorization, apiKey string) (string, error) {
	if scheme, token, found := strings.Cut(authorization, " "); found && strings.EqualFold(scheme, "Bearer") {
		if token = strings.TrimSpace(token); token != "" {
			return token, nil
		}
	}
	if apiKey == "" && authorization != "" {
		return "", errUnauthorized
	}
	return apiKey, nil
}

var errUnauthorized = fault.New(fault.Denied, "unauthorized", "a valid API key is required", nil).
	WithHint("send it as Authorization: Bearer <key> or as x-api-key")

// authenticate lets the caller in and makes the scope. A tenant that is open needs no key, except in production; a key
// that is sent is always checked.
func (c *call) authenticate() error {
	cred, err := c.credential()
	if err != nil {
		return err
	}
	if c.route.ownPages {
		if err := c.sameSite(); err != nil {
			return err
		}
	}
	switch {
	case cred.grant == nil && c.open():
		if err := c.sameSite(); err != nil {
			return err
		}
	case cred.grant == nil:
		return errUnauthorized
	case !cred.grant.Opens(c.config.ID):
		return fault.New(fault.Denied, "tenant_mismatch", "the key belongs to another tenant", nil)
	case c.route.scope != anyKey && !cred.grant.Allows(c.route.scope):
		return fault.New(fault.Denied, "scope_denied", "the key does not hold the scope "+string(c.route.scope), nil)
	}
	c.scope, err = tenants.Admit(c.config)
	return err
}

func (c *call) open() bool {
	return c.config.Auth.Mode == tenants.AuthOpen && c.opts.Environment != Production
}
