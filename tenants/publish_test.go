package tenants_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

func TestPublish(t *testing.T) {
	acme := tenantstest.Config(t, "acme", func(c *tenants.Config) {
		c.Schema = "../tenant.schema.json"
		c.AllowedHosts = []string{"acme.localhost", "acme.example.com"}
	})
	globex := tenantstest.Config(t, "globex", nil)
	hash := tenants.HashKey("k")
	entries, err := tenants.Publish([]tenants.Config{acme, globex}, map[string]tenants.Grant{
		hash: {Tenant: "acme", Name: "ci", Scopes: []tenants.APIScope{tenants.ScopeSearch}},
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"config/acme", "config/globex", "hash", "host/acme.example.com", "host/acme.localhost", "host/globex.localhost", "key/" + hash, "tenants",
	}, slices.Sorted(maps.Keys(entries)))
	assert.Equal(t, "acme", string(entries["host/acme.localhost"]))
	assert.JSONEq(t, `{"tenant":"acme","name":"ci","scopes":["search"]}`, string(entries["key/"+hash]))
	assert.NotContains(t, string(entries["config/acme"]), "$schema")
	for key := range entries {
		assert.LessOrEqual(t, len(key), 512)
	}

	c, err := tenants.Parse(entries["config/acme"])
	require.NoError(t, err)
	acme.Schema = ""
	assert.Equal(t, acme, *c)
}

func TestThePublishedFormIsPinned(t *testing.T) {
	c := tenantstest.Config(t, "acme", func(c *tenants.Config) {
		c.Search.Filterable = map[string]tenants.FieldType{"year": tenants.FieldNumber}
	})
	entries, err := tenants.Publish([]tenants.Config{c}, nil, nil)
	require.NoError(t, err)
	assert.Equal(t, `{"id":"acme","name":"Test tenant acme","pool":"acme","allowedHosts":["acme.localhost"],"auth":{"mode":"keys"},`+
		`"models":{"embedding":"@cf/baai/bge-m3","chat":"@cf/zai-org/glm-4.7-flash"},`+
		`"limits":{"bodyBytes":10000000,"documentBytes":5000000,"queryChars":2000,"messageChars":64000},`+
		`"search":{"topK":5,"maxTopK":20,"shards":1,"filterable":{"year":"number"},"cacheTtlSeconds":600},"chat":{"maxTokens":1024,"maxTokensLimit":4096},`+
		`"sessions":{"days":30,"turns":200,"windowTokens":4000},`+
		`"rates":{"tenant":{"perMinute":1200,"burst":120},"user":{"perMinute":300,"burst":30}},`+
		`"budgets":{"tokensPerDay":2000000,"tokensPerMonth":20000000,"charactersPerDay":1000000,"charactersPerMonth":10000000,"usdPerDay":10,"usdPerMonth":100},`+
		`"ingest":{"weight":10,"maxWaiting":100000,"deadlineMinutes":15},"answers":{"prompt":"grounded@1","threshold":40,"unsupported":"mark"},"tools":{"maxSteps":5,"maxSeconds":60},"safety":{"input":"flag","retrieved":"flag","answers":"off"},"speech":{"keepDays":7}}`, string(entries["config/acme"]))
}

func TestHashTellsWhetherToPublish(t *testing.T) {
	publish := func(edit func(*tenants.Config), grants map[string]tenants.Grant) string {
		entries, err := tenants.Publish([]tenants.Config{
			tenantstest.Config(t, "globex", nil), tenantstest.Config(t, "acme", edit),
		}, grants, nil)
		require.NoError(t, err)
		require.Len(t, entries.Hash(), 64)
		return entries.Hash()
	}
	plain := publish(nil, nil)
	assert.Equal(t, plain, publish(nil, nil))
	assert.NotEqual(t, plain, publish(func(c *tenants.Config) { c.Limits.QueryChars = 5 }, nil))
	assert.NotEqual(t, plain, publish(func(c *tenants.Config) { c.AllowedHosts = nil }, nil))
	granted := publish(nil, map[string]tenants.Grant{tenants.HashKey("k"): {Tenant: "acme", Name: "ci"}})
	assert.NotEqual(t, plain, granted)
	assert.NotEqual(t, granted, publish(nil, map[string]tenants.Grant{tenants.HashKey("l"): {Tenant: "acme", Name: "ci"}}))
}

func TestPublishRefuses(t *testing.T) {
	acme := tenantstest.Config(t, "acme", nil)
	thief := tenantstest.Config(t, "globex", func(c *tenants.Config) { c.AllowedHosts = acme.AllowedHosts })
	bad := tenantstest.Config(t, "globex", nil)
	bad.ID = "../acme"
	hash := tenants.HashKey("k")
	for name, c := range map[string]struct {
		configs []tenants.Config
		grants  map[string]tenants.Grant
	}{
		"the same host":      {[]tenants.Config{acme, thief}, nil},
		"the same tenant":    {[]tenants.Config{acme, acme}, nil},
		"a bad id":           {[]tenants.Config{bad}, nil},
		"a lost key":         {[]tenants.Config{acme}, map[string]tenants.Grant{hash: {Tenant: "globex"}}},
		"a key too far":      {[]tenants.Config{acme}, map[string]tenants.Grant{hash: {Tenant: "acme", Also: []tenants.ID{"globex"}}}},
		"a key in clear":     {[]tenants.Config{acme}, map[string]tenants.Grant{"lv_acme_x": {Tenant: "acme"}}},
		"a hash in capitals": {[]tenants.Config{acme}, map[string]tenants.Grant{strings.ToUpper(hash): {Tenant: "acme"}}},
	} {
		_, err := tenants.Publish(c.configs, c.grants, nil)
		require.Error(t, err, name)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), name)
	}
}
