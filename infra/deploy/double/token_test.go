package double_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

// Whom it does not concern gets the same answer, whatever the reason.
func TestWhoMay(t *testing.T) {
	p := newPool(t)
	p.api.Token("reader", double.Token{Accounts: []string{acme}, Zones: []string{}, Groups: []string{"Workers Scripts Read", "Queues Read", "Zone Read", "Workers KV Storage Read"}})
	p.api.Token("queues", double.Token{Accounts: []string{acme}, Groups: []string{"Queues Write"}})
	p.api.Token("routes", double.Token{Accounts: []string{acme}, Zones: []string{acmeZone}, Groups: []string{"Workers Routes Write", "Zone Read"}})
	p.api.Token("both", double.Token{Accounts: []string{acme, globex}})
	p.api.Token("off", double.Token{Accounts: []string{acme}, Status: "disabled"})
	const a, b = "/accounts/" + acme, "/accounts/" + globex
	queue := object{"queue_name": "new"}
	for _, c := range []struct {
		token, method, path string
		body                any
		may                 bool
	}{
		{acmeToken, "GET", a + "/queues", nil, true},
		{acmeToken, "GET", b + "/queues", nil, false},
		{acmeToken, "GET", b + "/queues/" + p.queue, nil, false},
		{globexToken, "GET", a + "/workers/scripts", nil, false},
		{globexToken, "PUT", a + "/workers/scripts/api", worker(nil), false},
		{globexToken, "DELETE", a + "/queues/" + p.queue, nil, false},
		{globexToken, "GET", a, nil, false},
		{"both", "GET", b + "/queues", nil, true},
		{"unknown", "GET", a + "/queues", nil, false},
		{"", "GET", a + "/queues", nil, false},
		{"off", "GET", a + "/queues", nil, false},
		{acmeToken, "GET", "/accounts/cccccccccccccccccccccccccccccccc/queues", nil, false},
		{"reader", "GET", a + "/queues", nil, true},
		{"reader", "POST", a + "/queues", queue, false},
		{"reader", "GET", a + "/workers/scripts/api/versions", nil, true},
		{"reader", "GET", a + "/workflows", nil, true},
		{"reader", "GET", a + "/r2/buckets", nil, false},
		{"reader", "GET", a + "/vectorize/v2/indexes", nil, false},
		{"reader", "GET", a + "/ai-gateway/gateways", nil, false},
		{"reader", "POST", a + "/storage/kv/namespaces/" + p.kv + "/bulk/get", object{"keys": []string{"x"}}, true},
		{"reader", "POST", a + "/storage/kv/namespaces/" + p.kv + "/bulk/delete", []string{"x"}, false},
		{"reader", "POST", a + "/analytics_engine/sql", "SELECT 1", false},
		{"reader", "GET", "/zones/" + acmeZone, nil, false},
		{"queues", "POST", a + "/queues", queue, true},
		{"queues", "GET", a + "/queues", nil, true},
		{"queues", "GET", a + "/workers/scripts", nil, false},
		{"routes", "GET", "/zones/" + acmeZone + "/workers/routes", nil, true},
		{"routes", "GET", "/zones/" + globexZone + "/workers/routes", nil, false},
		{"queues", "GET", "/zones/" + acmeZone + "/workers/routes", nil, false},
		{acmeToken, "GET", "/zones/" + globexZone + "/workers/routes", nil, false},
		{acmeToken, "GET", "/zones/none/workers/routes", nil, false},
	} {
		t.Run(c.token+" "+c.method+" "+c.path, func(t *testing.T) {
			w := &world{t, p.api, p.url}
			got := w.as(c.token, c.method, c.path, c.body)
			if c.may {
				assert.Equal(t, 200, got.status, "%s", got.body)
				return
			}
			got.refused(403, "Authentication error")
			assert.Equal(t, 10000, got.Errors[0].Code)
		})
	}
}

func TestTokensAreVerified(t *testing.T) {
	w := newWorld(t)
	w.api.Token("user", double.Token{Accounts: []string{acme}, User: true})
	w.api.Token("late", double.Token{Accounts: []string{acme}, Status: "expired"})
	status := func(a *answer) string {
		var v struct{ ID, Status string }
		a.ok(&v)
		require.NotEmpty(t, v.ID)
		return v.Status
	}
	const path = "/accounts/" + acme + "/tokens/verify"
	assert.Equal(t, "active", status(w.as(acmeToken, "GET", path, nil)))
	assert.Equal(t, "active", status(w.as("user", "GET", "/user/tokens/verify", nil)))
	assert.Equal(t, "expired", status(w.as("late", "GET", path, nil)))
	w.as(acmeToken, "GET", "/user/tokens/verify", nil).refused(401, "Invalid API Token")
	w.as("user", "GET", path, nil).refused(401, "Invalid API Token")
	w.as("unknown", "GET", path, nil).refused(401, "Invalid API Token")
	w.as(globexToken, "GET", path, nil).refused(403, "Authentication error")
}

func TestAListHasWhatTheTokenIsGoodFor(t *testing.T) {
	w := newWorld(t)
	w.api.Zone("a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1", "acme.test", acme)
	w.api.Token("one", double.Token{Accounts: []string{acme}, Zones: []string{acmeZone}})
	names := func(token, path string) (all []string) {
		var list []struct{ Name string }
		w.as(token, "GET", path, nil).ok(&list)
		for _, l := range list {
			all = append(all, l.Name)
		}
		return all
	}
	assert.Equal(t, []string{"acme.example", "acme.test"}, names(acmeToken, "/zones"))
	assert.Equal(t, []string{"acme.example"}, names("one", "/zones"))
	assert.Equal(t, []string{"acme.test"}, names(acmeToken, "/zones?name=acme.test"))
	assert.Empty(t, names(acmeToken, "/zones?name=globex.example"))
	assert.Empty(t, names(acmeToken, "/zones?account.id="+globex))
	assert.Equal(t, []string{"acme"}, names(acmeToken, "/accounts"))
	var account object
	w.acme("GET", "", nil).ok(&account)
	assert.Equal(t, acme, account["id"])
}

// The headers of another way to say who one is are the ambient account's: they do not belong beside a token.
func TestAmbientCredentialsAreRefused(t *testing.T) {
	w := newWorld(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/accounts/"+acme+"/queues", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+acmeToken)
	r.Header.Set("X-Auth-Email", "ops@globex.example")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, 400, response.StatusCode)
}
