package localai

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The gateway can be down before anything is logged, a model behind it; both for one tenant, for some models, for a while.
func TestTrouble(t *testing.T) {
	c := start(t, Options{Lexical: true})
	embed := func(tenant string) result {
		return c.run("@cf/baai/bge-m3", object{"text": "x"}, object{"id": "levada", "metadata": object{"tenant_id": tenant}})
	}
	c.server.Disturb(GatewayDown)
	r := embed("acme")
	assert.Equal(t, http.StatusBadGateway, r.status)
	assert.Contains(t, r.body, "<html>")
	assert.Empty(t, r.header.Get("cf-aig-log-id"))
	assert.Empty(t, c.server.Logs("levada"), "a gateway that is down logs nothing")
	assert.Equal(t, http.StatusOK, c.run("@cf/baai/bge-m3", object{"text": "x"}, nil).status, "who does not pass it does not notice")

	limit := SpendLimit
	limit.Tenant = "acme"
	c.server.Disturb(limit)
	r = embed("acme")
	assert.Equal(t, http.StatusTooManyRequests, r.status)
	assert.Equal(t, "AiGatewayError", r.json(t)["name"])
	assert.Equal(t, http.StatusOK, embed("globex").status)

	busy, other := ModelsBusy, ModelsFail
	busy.Times, other.Model = 1, "@cf/other"
	c.server.Disturb(other, busy)
	assert.Equal(t, 3040.0, embed("acme").json(t)["internalCode"])
	assert.Equal(t, http.StatusTooManyRequests, c.last().StatusCode, "a model's trouble is in the gateway's log")
	assert.Equal(t, http.StatusOK, embed("acme").status, "one call only")

	c.server.Disturb(ModelsFail)
	assert.Equal(t, http.StatusInternalServerError, embed("acme").status)
	c.server.Disturb()
	assert.Equal(t, http.StatusOK, embed("acme").status)
}
