package double_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What only wrangler calls is there, and gone when only what is documented is to be.
func TestWhatOnlyWranglerCalls(t *testing.T) {
	p := newPool(t)
	p.acme("POST", "/workers/scripts/api/deployments", split(p.second, 100)).ok()
	const api = "/workers/scripts/api"
	calls := []struct {
		method, path string
		body         any
	}{
		{"GET", "/user", nil},
		{"GET", "/workers/services/api", nil},
		{"GET", "/workers/workers/api", nil},
		{"GET", "/workers/workers/api/versions/latest", nil},
		{"PATCH", api + "/secrets-bulk", object{"secrets": object{"A": object{"name": "A", "type": "secret_text", "text": "x"}, "KEY": nil}}},
		{"PUT", api + "/routes", []object{{"pattern": "acme.example/*", "zone_name": "acme.example"}, {"pattern": "acme.example/*", "zone_id": acmeZone}}},
		{"POST", api + "/domains/changeset?replace_state=true", []object{{"hostname": "chat.acme.example"}, {"hostname": "more.acme.example"}}},
		{"PUT", api + "/domains/records", object{"origins": []object{{"hostname": "more.acme.example"}}, "override_scope": true, "override_existing_origin": true, "override_existing_dns_record": true}},
		{"GET", api + "/references", nil},
		{"GET", "/workers/tails/by-consumer/api", nil},
		{"DELETE", "/workers/services/api?force=true", nil},
	}
	p.api.DocumentedOnly = true
	before := p.snapshot()
	for _, c := range calls {
		p.acme(c.method, c.path, c.body).refused(404, "Could not route")
	}
	p.as(acmeToken, "GET", "/memberships", nil).refused(404, "Could not route")
	assert.Equal(t, before, p.snapshot())

	p.api.DocumentedOnly = false
	for _, c := range calls {
		p.acme(c.method, c.path, c.body).ok()
	}
	p.as(acmeToken, "GET", "/memberships", nil).ok()
	p.acme("GET", "/workers/services/api", nil).refused(404, "service_not_found")
}

func TestWranglersCallsThatAreRefused(t *testing.T) {
	p := newPool(t)
	const api = "/workers/scripts/api"
	p.refuses(t, map[string]refused{
		"routes of another's zone":       {"PUT", api + "/routes", []object{{"pattern": "globex.example/*", "zone_name": "globex.example"}}, 404, "zone"},
		"a route of another Worker":      {"PUT", "/workers/scripts/objects/routes", []object{{"pattern": "acme.example/api/*", "zone_name": "acme.example"}}, 409, "duplicate"},
		"a domain of another":            {"PUT", "/workers/scripts/objects/domains/records", object{"origins": []object{{"hostname": "chat.acme.example"}}}, 409, "api"},
		"a domain in another's zone":     {"PUT", api + "/domains/records", object{"origins": []object{{"hostname": "x.globex.example"}}}, 400, "no zone"},
		"secrets while it isn't newest":  {"PATCH", api + "/secrets-bulk", object{"secrets": object{"A": object{"name": "A", "type": "secret_text", "text": "x"}}}, 400, "deployed"},
		"a secret of another name":       {"PATCH", "/workers/scripts/objects/secrets-bulk", object{"secrets": object{"A": object{"name": "B", "type": "secret_text", "text": "x"}}}, 400, `"A"`},
		"away with a secret that is not": {"PATCH", "/workers/scripts/objects/secrets-bulk", object{"secrets": object{"A": nil}}, 404, `"A"`},
		"secrets as a list":              {"PATCH", "/workers/scripts/objects/secrets-bulk", object{"secrets": []object{}}, 400, "parse"},
		"a Worker that is bound":         {"DELETE", "/workers/services/objects", nil, 400, "the Worker api"},
		"a long name":                    {"GET", "/workers/workers/" + strings.Repeat("a", 70), nil, 404, "not exist"},
	})
}
