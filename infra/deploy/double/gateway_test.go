package double_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func spending(rules ...object) object { return object{"enabled": true, "rules": rules} }

func rule(more object) object {
	r := object{"limit": 10, "limitType": "cost", "window": 86_400}
	for k, v := range more {
		r[k] = v
	}
	return r
}

func TestGatewaysThatAreRefused(t *testing.T) {
	p := newPool(t)
	wrong := map[string]struct {
		body  object
		words string
	}{
		"a field that there is not":      {gateway(object{"spend_limit": 10}), "spend_limit"},
		"a time to live of less":         {gateway(object{"cache_ttl": -1}), "cache_ttl"},
		"a limit as a text":              {gateway(object{"rate_limiting_limit": "10"}), "rate_limiting_limit"},
		"a technique that is not":        {gateway(object{"rate_limiting_technique": "leaky"}), "leaky"},
		"six attempts":                   {gateway(object{"retry_max_attempts": 6}), "retry_max_attempts"},
		"a long delay":                   {gateway(object{"retry_delay": 60_001}), "retry_delay"},
		"a rule without a limit":         {gateway(object{"spend_limits": spending(rule(object{"limit": 0}))}), "rules.0.limit"},
		"a rule of tokens":               {gateway(object{"spend_limits": spending(rule(object{"limitType": "tokens"}))}), "limitType"},
		"a rule without a window":        {gateway(object{"spend_limits": spending(rule(object{"window": 0}))}), "window"},
		"a rule with a window in words":  {gateway(object{"spend_limits": spending(rule(object{"window": "day"}))}), "window"},
		"a rule with a field":            {gateway(object{"spend_limits": spending(rule(object{"amount": 5}))}), "amount"},
		"a rule of another technique":    {gateway(object{"spend_limits": spending(rule(object{"technique": "rolling"}))}), "technique"},
		"a rule that filters nothing":    {gateway(object{"spend_limits": spending(rule(object{"metadata": object{"tenant": object{"mode": "filter"}}}))}), "metadata.tenant"},
		"a rule that splits, and values": {gateway(object{"spend_limits": spending(rule(object{"metadata": object{"tenant": object{"mode": "partition", "values": []string{"a"}}}}))}), "metadata.tenant"},
		"a rule of a provider":           {gateway(object{"spend_limits": spending(rule(object{"provider": object{"mode": "only", "values": []string{"a"}}}))}), "provider"},
	}
	for _, name := range []string{"cache_invalidate_on_update", "cache_ttl", "collect_logs", "rate_limiting_interval", "rate_limiting_limit"} {
		g := gateway(nil)
		delete(g, name)
		wrong["without "+name] = struct {
			body  object
			words string
		}{g, name}
	}
	var many []object
	for range 21 {
		many = append(many, rule(nil))
	}
	wrong["too many rules"] = struct {
		body  object
		words string
	}{gateway(object{"spend_limits": spending(many...)}), "at most 20"}
	cases := map[string]refused{
		"one that is there":         {"POST", "/ai-gateway/gateways", gateway(object{"id": "levada"}), 409, "levada"},
		"an id with a space":        {"POST", "/ai-gateway/gateways", gateway(object{"id": "my gateway"}), 400, "my gateway"},
		"no id":                     {"POST", "/ai-gateway/gateways", gateway(nil), 400, "id"},
		"another id":                {"PUT", "/ai-gateway/gateways/levada", gateway(object{"id": "other"}), 400, "its own"},
		"one that there is not":     {"PUT", "/ai-gateway/gateways/none", gateway(nil), 404, "Not Found"},
		"away with one that is not": {"DELETE", "/ai-gateway/gateways/none", nil, 404, "Not Found"},
	}
	for name, c := range wrong {
		cases[name+", changed"] = refused{"PUT", "/ai-gateway/gateways/levada", c.body, 400, c.words}
		cases[name+", new"] = refused{"POST", "/ai-gateway/gateways", and(c.body, "id", "new"), 400, c.words}
	}
	delete(cases, "without id, changed")
	for name, c := range cases { // the body is the same for both
		if body, ok := c.body.(object); ok && c.method == "PUT" && body["id"] == "new" {
			c.body = without(body, "id")
			cases[name] = c
		}
	}
	p.refuses(t, cases)
}

func without(o object, name string) object {
	next := object{}
	for k, v := range o {
		if k != name {
			next[k] = v
		}
	}
	return next
}

func TestGateways(t *testing.T) {
	w := newWorld(t)
	limits := spending(rule(object{"technique": "sliding", "metadata": object{"tenant": object{"mode": "partition"}}}), rule(object{"metadata": object{"tenant": object{"mode": "filter", "values": []string{"acme"}}}}))
	w.acme("POST", "/ai-gateway/gateways", gateway(object{"id": "levada", "authentication": true, "spend_limits": limits})).ok()
	var g struct {
		ID      string
		Created string `json:"created_at"`
		Spend   struct {
			Enabled bool
			Rules   []struct {
				ID        string
				Enabled   bool
				Technique string
				Limit     float64
				Metadata  map[string]struct {
					Mode   string
					Values []string
				}
			}
		} `json:"spend_limits"`
		Authentication bool
		Technique      string `json:"rate_limiting_technique"`
	}
	w.acme("GET", "/ai-gateway/gateways/levada", nil).ok(&g)
	require.Len(t, g.Spend.Rules, 2)
	assert.NotEmpty(t, g.Spend.Rules[0].ID, "a rule has an id")
	assert.Equal(t, "sliding fixed", g.Spend.Rules[0].Technique+" "+g.Spend.Rules[1].Technique)
	assert.True(t, g.Spend.Rules[1].Enabled)
	assert.Equal(t, "partition", g.Spend.Rules[0].Metadata["tenant"].Mode)
	assert.Equal(t, []string{"acme"}, g.Spend.Rules[1].Metadata["tenant"].Values)
	created := g.Created
	assert.True(t, g.Authentication)
	assert.Equal(t, "fixed", g.Technique, "what nobody said is told")
	w.acme("PUT", "/ai-gateway/gateways/levada", gateway(object{"spend_limits": nil, "cache_ttl": nil})).ok(&g)
	assert.False(t, g.Authentication, "a gateway is set whole")
	assert.Equal(t, created, g.Created)
	for i := range 19 {
		w.acme("POST", "/ai-gateway/gateways", gateway(object{"id": fmt.Sprintf("g%d", i)})).ok()
	}
	w.acme("POST", "/ai-gateway/gateways", gateway(object{"id": "more"})).refused(400, "20")
	w.acme("DELETE", "/ai-gateway/gateways/g0", nil).ok()
	w.acme("POST", "/ai-gateway/gateways", gateway(object{"id": "more"})).ok()
	var all []object
	w.acme("GET", "/ai-gateway/gateways?per_page=100", nil).ok(&all)
	assert.Len(t, all, 20)
}
