package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// limited publishes an API key of a tenant that holds some scopes only.
func limited(t *testing.T, tenant tenants.ID, scopes ...tenants.APIScope) string {
	t.Helper()
	key, err := tenants.NewKey(strings.NewReader(strings.Repeat(t.Name(), 10)), tenant)
	require.NoError(t, err)
	grants := map[string]tenants.Grant{tenants.HashKey(key): {Tenant: tenant, Name: t.Name(), Scopes: scopes}}
	entries, err := tenants.Publish(platform.Tenants, grants, nil)
	require.NoError(t, err)
	name := "key/" + tenants.HashKey(key)
	require.Contains(t, entries, name)
	require.NoError(t, platform.KV(stack.API, "CONFIG").Put(t.Context(), name, entries[name]))
	return key
}

// Who may come in, and what the others are told: the same whatever they ask for.
func TestWhoMayComeIn(t *testing.T) {
	acme, globex := as(t, "acme").key, as(t, "globex").key
	search := limited(t, "acme", tenants.ScopeSearch)
	mistyped := acme[:len(acme)-1] + string(acme[len(acme)-1]^1)
	unknown, err := tenants.NewKey(strings.NewReader(strings.Repeat("nobody's", 10)), "acme")
	require.NoError(t, err)
	mine := as(t, "acme").ingest(document{DocID: "door", Text: "What is behind the door."})

	for name, c := range map[string]struct {
		key     string
		headers []string
		code    string // of the refusal; empty: let in
		status  int
	}{
		"the tenant's key":                         {acme, nil, "", 200},
		"the key, and its tenant by name":          {acme, []string{"x-tenant-id", "acme"}, "", 200},
		"the key, and its tenant by host":          {acme, []string{"host", "acme.localhost"}, "", 200},
		"by host, with a port":                     {acme, []string{"host", "ACME.localhost:8787"}, "", 200},
		"by another of its hosts":                  {acme, []string{"host", "acme.example.com"}, "", 200},
		"the key as x-api-key":                     {"", []string{"x-api-key", acme}, "", 200},
		"no key and no tenant":                     {"", nil, "tenant_required", 400},
		"no key, a tenant by name":                 {"", []string{"x-tenant-id", "acme"}, "unauthorized", 401},
		"no key, a tenant by host":                 {"", []string{"host", "acme.localhost"}, "unauthorized", 401},
		"a key that nobody knows":                  {unknown, []string{"x-tenant-id", "acme"}, "unauthorized", 401},
		"a key that nobody knows, and no tenant":   {unknown, nil, "unauthorized", 401},
		"a mistyped key":                           {mistyped, nil, "unauthorized", 401},
		"something else than a key":                {"let me in", []string{"x-tenant-id", "acme"}, "unauthorized", 401},
		"another way to say who one is":            {"", []string{"authorization", "Basic YTpi", "x-tenant-id", "acme"}, "unauthorized", 401},
		"another tenant's key":                     {globex, []string{"x-tenant-id", "acme"}, "tenant_mismatch", 403},
		"another tenant's key, by host":            {globex, []string{"host", "acme.localhost"}, "tenant_mismatch", 403},
		"the name goes before the host":            {acme, []string{"x-tenant-id", "acme", "host", "globex.localhost"}, "", 200},
		"a tenant that does not exist":             {acme, []string{"x-tenant-id", "initech"}, "tenant_not_found", 404},
		"a tenant that cannot exist":               {acme, []string{"x-tenant-id", "../acme"}, "tenant_not_found", 404},
		"a host that is nobody's, the key decides": {acme, []string{"host", "example.org"}, "", 200},
		"a key without the scope":                  {search, nil, "scope_denied", 403},
		"the open tenant asks for no key":          {"", []string{"x-tenant-id", "demo"}, "job_not_found", 404},
		"the open tenant by its host":              {"", []string{"host", "demo.localhost"}, "job_not_found", 404},
		"but a key must be its own":                {acme, []string{"x-tenant-id", "demo"}, "tenant_mismatch", 403},
		"and a key must be one":                    {unknown, []string{"x-tenant-id", "demo"}, "unauthorized", 401},
	} {
		t.Run(name, func(t *testing.T) {
			u := user{t: t, url: platform.URL, key: c.key}
			a := u.do(http.MethodGet, "/jobs/"+mine.JobID, nil, c.headers...)
			assert.Equal(t, c.status, a.Status, "%s", a.Body)
			assert.Equal(t, c.code, a.Error.Code)
			if c.status == 401 || c.status == 403 {
				none := u.do(http.MethodGet, "/jobs/none", nil, c.headers...)
				assert.Equal(t, c.code, none.Error.Code, "who is not let in learns nothing of what is inside")
			}
		})
	}
	u := user{t: t, url: platform.URL, key: search}
	assert.True(t, u.do(http.MethodPost, "/search", map[string]any{"query": "door", "answer": false}).OK, "the scope it holds")
	for path, body := range map[string]any{"/ingest": document{Text: "x"}, "/documents/door": nil, "/documents/door/content": nil} {
		method := http.MethodGet
		if body != nil {
			method = http.MethodPost
		}
		assert.Equal(t, "scope_denied", u.do(method, path, body).Error.Code, path)
	}
}

// Keys are published as their hashes: who reads the configuration cannot call.
func TestNobodyPublishesKeys(t *testing.T) {
	config := platform.KV(stack.API, "CONFIG")
	names, err := config.Keys(t.Context(), "")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		value, _, err := config.Get(t.Context(), name)
		require.NoError(t, err)
		for _, key := range platform.Keys {
			assert.NotContains(t, name+string(value), key)
		}
	}
}
