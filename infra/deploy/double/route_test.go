package double_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAddressesThatAreRefused(t *testing.T) {
	p := newPool(t)
	const routes = "/zones/{zone}/workers/routes"
	route := func(pattern, script string) object { return object{"pattern": pattern, "script": script} }
	p.refuses(t, map[string]refused{
		"a route that is there":          {"POST", routes, route("acme.example/api/*", "objects"), 409, "duplicate"},
		"a route of another zone":        {"POST", routes, route("globex.example/*", "api"), 400, "acme.example"},
		"a route of a longer name":       {"POST", routes, route("notacme.example/*", "api"), 400, "acme.example"},
		"a route to nobody":              {"POST", routes, route("acme.example/*", "nobody"), 404, "nobody"},
		"a route with a star in between": {"POST", routes, route("acme.example/*/x", "api"), 400, "not valid"},
		"a route with a query":           {"POST", routes, route("acme.example/?a=b", "api"), 400, "not valid"},
		"a route without a pattern":      {"POST", routes, object{"script": "api"}, 400, "not valid"},
		"a route with a field":           {"POST", routes, object{"pattern": "acme.example/*", "zone_name": "acme.example"}, 400, "zone_name"},
		"a route that there is not":      {"PUT", routes + "/none", route("acme.example/*", "api"), 404, "route_not_found"},
		"a domain in no zone":            {"PUT", "/workers/domains", object{"hostname": "chat.elsewhere.example", "service": "api"}, 400, "no zone"},
		"a domain in another's zone":     {"PUT", "/workers/domains", object{"hostname": "chat.globex.example", "service": "api"}, 400, "no zone"},
		"a domain that says another":     {"PUT", "/workers/domains", object{"hostname": "new.acme.example", "service": "api", "zone_id": globexZone}, 400, "no zone"},
		"a domain of nobody":             {"PUT", "/workers/domains", object{"hostname": "new.acme.example", "service": "nobody"}, 404, "nobody"},
		"a domain of another":            {"PUT", "/workers/domains", object{"hostname": "chat.acme.example", "service": "objects"}, 409, `"api"'s`},
		"a domain of an environment":     {"PUT", "/workers/domains", object{"hostname": "new.acme.example", "service": "api", "environment": "staging"}, 400, "staging"},
		"a domain that there is not":     {"GET", "/workers/domains/none", nil, 404, "not exist"},
		"away with no domain":            {"DELETE", "/workers/domains/none", nil, 404, "not exist"},
	})
}

func TestAddresses(t *testing.T) {
	p := newPool(t)
	const routes = "/zones/" + acmeZone + "/workers/routes"
	var r object
	p.acme("PUT", routes+"/"+p.route, object{"pattern": "acme.example/*", "script": "objects"}).ok(&r)
	assert.Equal(t, object{"id": p.route, "pattern": "acme.example/*", "script": "objects"}, r)
	p.acme("PUT", routes+"/"+p.route, object{"pattern": "acme.example/*"}).ok(&r)
	p.acme("GET", routes+"/"+p.route, nil).ok()
	p.acme("DELETE", routes+"/"+p.route, nil).ok()
	p.acme("GET", routes+"/"+p.route, nil).refused(404)

	var d, again object
	p.acme("GET", "/workers/domains/"+p.domain, nil).ok(&d)
	p.acme("PUT", "/workers/domains", object{"hostname": "chat.acme.example", "service": "objects", "override_existing_origin": true}).ok(&again)
	assert.Equal(t, d["id"], again["id"])
	var list []object
	p.acme("GET", "/workers/domains?service=api", nil).ok(&list)
	assert.Empty(t, list)
	p.acme("GET", "/workers/domains?hostname=chat.acme.example&zone_name=acme.example", nil).ok(&list)
	require.Len(t, list, 1)
	assert.Equal(t, "objects", list[0]["service"])
	p.acme("DELETE", "/workers/domains/"+p.domain, nil).ok()
	p.acme("GET", "/workers/domains", nil).ok(&list)
	assert.Empty(t, list)
}
