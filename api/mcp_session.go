package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"

	"levada.dev/events/fault"
)

// A session of revisions before 2026-07-28 is an id and nothing else: nothing is kept. The id is random bytes and a MAC over them and the tenant. The
// MAC's key is the caller's own API key, so whoever has another key, or asks another tenant, cannot use the id or make one, and the platform needs no
// secret for it. Where a tenant is open there is no key; its ids keep nobody out, and there is nothing behind them either.
const (
	sessionRandom = 16
	sessionMAC    = 16
)

func (c *call) newSession() (string, error) {
	id := make([]byte, sessionRandom, sessionRandom+sessionMAC)
	if _, err := io.ReadFull(c.opts.Random, id); err != nil {
		return "", fmt.Errorf("session: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(id, c.sessionMAC(id)...)), nil
}

// checkSession refuses a message that came without a session, or with another's.
func (c *call) checkSession() error {
	sent := c.r.Header.Get(mcpSession)
	if sent == "" {
		return fault.Invalidf("", "mcp_session_required", "the header mcp-session-id is required").
			WithHint("send initialize first, and then what its answer has in mcp-session-id; or speak revision " + stateless + ", which has no sessions")
	}
	id, err := base64.RawURLEncoding.DecodeString(sent)
	if err != nil || len(id) != sessionRandom+sessionMAC || !hmac.Equal(id[sessionRandom:], c.sessionMAC(id[:sessionRandom])) {
		return fault.Missing("mcp_session_not_found", "there is no such session").WithHint("send initialize to begin one")
	}
	return nil
}

func (c *call) sessionMAC(random []byte) []byte {
	key, _ := presentedKey(c.r.Header.Get("Authorization"), c.r.Header.Get("X-Api-Key")) // it let the caller in
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "levada mcp session\x00%s\x00", c.config.ID)
	mac.Write(random)
	return mac.Sum(nil)[:sessionMAC]
}
