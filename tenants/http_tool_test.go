package tenants_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// shop is a configuration with one HTTP tool, whose members are those given beside what it has to have.
func shop(more string) string {
	all := map[string]json.RawMessage{
		"name": json.RawMessage(`"order_status"`), "description": json.RawMessage(`"d"`), "url": json.RawMessage(`"https://shop.example.com/"`), "input": json.RawMessage(`{"type":"object"}`),
	}
	if err := json.Unmarshal([]byte("{"+more+"}"), &all); err != nil {
		panic(err) // of a table
	}
	tool, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return `{"id":"acme","name":"A","tools":{"enabled":["order_status"],"http":[` + string(tool) + `]}}`
}

func TestAnHTTPToolHasDefaults(t *testing.T) {
	c, err := tenants.Parse([]byte(shop(`"auth":{"secret":"shop-api"}`)))
	require.NoError(t, err)
	d := c.Tools.HTTP[0]
	assert.Equal(t, []any{"POST", 10, tenants.ToolWrites, "Authorization", "Bearer", false}, []any{d.Method, d.TimeoutSeconds, d.Effects, d.Auth.Header, *d.Auth.Scheme, d.InQuery()})
	assert.Contains(t, c.ToolNames(), "order_status")
	assert.Contains(t, c.ToolNames(), "calculator")
	c, err = tenants.Parse([]byte(shop(`"method":"GET","auth":{"secret":"shop-api","header":"X-Key"}`)))
	require.NoError(t, err)
	d = c.Tools.HTTP[0]
	assert.Equal(t, []any{tenants.ToolReads, "X-Key", "", true}, []any{d.Effects, d.Auth.Header, *d.Auth.Scheme, d.InQuery()})
	again, err := json.Marshal(c)
	require.NoError(t, err)
	same, err := tenants.Parse(again)
	require.NoError(t, err, "what is published is read as it was")
	assert.Equal(t, c, same)
}

func TestHTTPToolsThatCannotBe(t *testing.T) {
	const query = `"method":"GET","url":"https://a.example.com/x?v=1"`
	for more, want := range map[string]string{
		`"name":"calculator"`:                         `tools.http[0].name: "calculator" is a tool of the platform`,
		`"url":"http://shop.example.com/"`:            `tools.http[0].url: is not https`,
		`"url":"https://user:pw@shop.example.com/"`:   `tools.http[0].url: has no host`,
		`"url":"https://shop.example.com/#x"`:         `tools.http[0].url: is too long, or has a character`,
		`"url":"https://{host}.example.com/"`:         `tools.http[0].url: has no host, or something besides`,
		`"url":"https://shop.example.com/?q={q}"`:     `tools.http[0].url: has a query that is none`,
		`"url":"https://shop.example.com/{a b}"`:      `tools.http[0].url: is too long, or has a character`,
		`"url":"https://shop.example.com/{}"`:         `tools.http[0].url: has braces`,
		`"url":"https://shop.example.com/{a"`:         `tools.http[0].url: has braces`,
		`"url":"https://shop.example.com/a}"`:         `tools.http[0].url: has a path that is none`,
		`"url":"https://shop.example.com/a/../b"`:     `tools.http[0].url: has a path that is none`,
		`"url":"https://shop.example.com/a/%2E%2e/b"`: `tools.http[0].url: has a path that is none`,
		`"url":"https://shop.example.com/%zz"`:        `tools.http[0].url: has a path that is none`,
		`"url":"https://shop.example.com:port/"`:      `tools.http[0].url: has no host`,
		`"url":"https://shop.example.com/{a}"`:        `tools.http[0].url: has an argument "a" that input does not`,
		`"url":"https://a.example.com/{a}/{a}","input":{"type":"object","required":["a"],"properties":{"a":{}}}`:           `tools.http[0].url: has an argument twice`,
		`"url":"https://a.example.com/{a}","input":{"type":"object","properties":{"a":{"type":"string"}}}`:                 `tools.http[0].input.required: does not have "a"`,
		`"url":"https://a.example.com/{a}","input":{"type":"object","required":["a"],"properties":{"a":{"type":"array"}}}`: `tools.http[0].input.properties.a: is in the path`,
		query + `,"input":{"type":"object","properties":{"a":{"type":"object"}}}`:                                          `tools.http[0].input.properties.a: is an object, which a query cannot hold`,
		query + `,"input":{"type":"object","properties":{"v":{"type":"string"}}}`:                                          `tools.http[0].input.properties.v: is a parameter that the url has already`,
		`"auth":{"secret":"shop-api","header":"content-length"}`:                                                           `tools.http[0].auth.header: "content-length" is not a header that a secret can be in`,
		`"auth":{"secret":"shop-api","header":"X-Request-ID"}`:                                                             `tools.http[0].auth.header`,
		`"auth":{"secret":"shop-api"},"url":"http://10.0.0.1/","private":true`:                                             `tools.http[0].auth: is not sent over http`,
		`"auth":{"secret":"shop-api"},"url":"http://127.0.0.1.example.com/","private":true`:                                `tools.http[0].auth: is not sent over http`,
	} {
		_, problems := tenants.Inspect([]byte(shop(more)))
		require.NotEmpty(t, problems, more)
		found := ""
		for _, p := range problems {
			found += p.String() + "\n"
		}
		assert.Contains(t, found, want, more)
		assert.NotContains(t, found, "user:pw")
	}
	for _, more := range []string{
		`"url":"http://127.0.0.1:9000/x","private":true,"auth":{"secret":"shop-api"}`, `"url":"http://10.0.0.1/x","private":true`, `"url":"https://a.example.com"`, `"url":"https://a.example.com:8443/v{a}.json","input":{"type":"object","required":["a"],"properties":{"a":true}}`,
		`"method":"POST","input":{"type":"object","properties":{"a":{"type":"object"}}}`, query + `,"input":{"type":"object","properties":{"a":{"type":["string","null"]}}}`,
	} {
		_, problems := tenants.Inspect([]byte(shop(more)))
		assert.Empty(t, problems, more)
	}
	twice := strings.Replace(shop(``), `"http":[`, `"http":[{"name":"order_status","description":"d","url":"https://a.b/","input":{"type":"object"}},`, 1)
	_, problems := tenants.Inspect([]byte(twice))
	require.Len(t, problems, 1)
	assert.Equal(t, `tools.http[1].name: "order_status" appears twice`, problems[0].String())
}

func TestAToolsSecretIsNoSources(t *testing.T) {
	_, problems := tenants.Inspect([]byte(strings.Replace(shop(`"auth":{"secret":"cms-1"}`), `"name":"A",`, `"name":"A","sources":[{"id":"cms","webhook":{"secrets":["cms-1"]}}],`, 1)))
	require.Len(t, problems, 1)
	assert.Equal(t, `tools.http[0].auth.secret: "cms-1" is a secret of the source "cms" (give the tool a secret of its own)`, problems[0].String())
}

func TestSecretsOfToolsAreGivenByOthers(t *testing.T) {
	both := func(id string) tenants.Config {
		c := hooked(t, id, "cms-1")
		tool, err := tenants.Parse([]byte(shop(`"auth":{"secret":"shop-api"}`)))
		require.NoError(t, err)
		c.Tools = tool.Tools
		return c
	}
	configs := []tenants.Config{both("acme"), both("globex")}
	assert.Equal(t, []tenants.NamedSecret{{Name: "cms-1", Kind: tenants.SourceSecret}, {Name: "shop-api", Kind: tenants.ToolSecret}}, configs[0].Secrets())
	vault := &tenants.Vault{}
	made, err := vault.Complete(random{}, configs)
	require.NoError(t, err)
	assert.True(t, made)
	assert.NotContains(t, vault.Secrets["acme"], "shop-api", "nobody here can make it")
	_, err = tenants.Publish(configs, nil, vault)
	assert.Equal(t, "secret_missing", fault.As(err).Code)
	assert.ErrorContains(t, err, "which a tool needs")
	for _, bad := range []string{"1234567", "with space", "ümlaut-ümlaut", "line\nfeed-x", strings.Repeat("x", 4097), ""} {
		vault.Set("acme", "shop-api", bad)
		_, err = tenants.ParseVault(vault.JSON(), configs)
		require.Error(t, err, bad)
		assert.Equal(t, []string{"vault_invalid", "secrets.acme.shop-api"}, []string{fault.As(err).Code, fault.As(err).Field})
	}
	vault.Set("acme", "shop-api", "sk_live_acme")
	vault.Set("globex", "shop-api", strings.Repeat("~", 4096))
	again, err := tenants.ParseVault(vault.JSON(), configs)
	require.NoError(t, err)
	secrets := tenantstest.Secrets(t, again, configs...)
	for id, want := range map[string]string{"acme": "sk_live_acme", "globex": strings.Repeat("~", 4096)} {
		got, err := secrets.Secret(t.Context(), tenantstest.Scope(t, id), "shop-api")
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	vault.Set("acme", "cms-1", "sk_live_acme")
	_, err = tenants.ParseVault(vault.JSON(), configs)
	assert.Equal(t, "secrets.acme.cms-1", fault.As(err).Field, "a source's has its own form")
}

func TestAValueIsMadeUpWhereNoServerIsMeant(t *testing.T) {
	tool, err := tenants.Parse([]byte(shop(`"auth":{"secret":"shop-api"}`)))
	require.NoError(t, err)
	vault := &tenants.Vault{}
	for _, want := range []bool{true, false} {
		made, err := vault.StandIn(random{}, []tenants.Config{*tool})
		require.NoError(t, err)
		assert.Equal(t, want, made)
	}
	value := vault.Secrets["acme"]["shop-api"]
	assert.NoError(t, tenants.ToolSecret.Check(value))
	vault.Set("acme", "shop-api", "the real one")
	made, err := vault.StandIn(random{}, []tenants.Config{*tool})
	require.NoError(t, err)
	assert.False(t, made, "what somebody wrote stays")
}

// random is a source of no randomness at all.
type random struct{}

func (random) Read(p []byte) (int, error) { return len(p), nil }
