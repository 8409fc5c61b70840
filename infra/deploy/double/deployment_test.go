package double_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

// split is a deployment of versions and percents, in turn.
func split(all ...any) object {
	versions := []object{}
	for i := 0; i < len(all); i += 2 {
		versions = append(versions, object{"version_id": all[i], "percentage": all[i+1]})
	}
	return object{"strategy": "percentage", "versions": versions}
}

func and(o object, name string, value any) object {
	o[name] = value
	return o
}

func TestDeploymentsThatAreRefused(t *testing.T) {
	p := newPool(t)
	const path = "/workers/scripts/api/deployments"
	objects := p.versions("objects")[0]
	p.refuses(t, map[string]refused{
		"of nothing":                  {"POST", path, split(), 400, "one or two"},
		"of three":                    {"POST", path, split(p.first, 50, p.second, 25, p.second, 25), 400, "one or two"},
		"of too little":               {"POST", path, split(p.first, 50, p.second, 40), 400, "90"},
		"of too much":                 {"POST", path, split(p.first, 100, p.second, 50), 400, "150"},
		"of one that is not all":      {"POST", path, split(p.first, 99), 400, "99"},
		"with less than nothing":      {"POST", path, split(p.first, 110, p.second, -10), 400, "110"},
		"of a version twice":          {"POST", path, split(p.first, 50, p.first, 50), 400, "twice"},
		"of a version of nobody":      {"POST", path, split("none", 100), 400, "none"},
		"of another Worker's":         {"POST", path, split(objects, 100), 400, objects},
		"by another strategy":         {"POST", path, object{"strategy": "all", "versions": []object{{"version_id": p.first, "percentage": 100}}}, 400, "strategy"},
		"with a field that is not":    {"POST", path, and(split(p.first, 100), "message", "x"), 400, "message"},
		"with a tag":                  {"POST", path, and(split(p.first, 100), "annotations", object{"workers/tag": "v1"}), 400, "workers/tag"},
		"of a Worker that is not":     {"POST", "/workers/scripts/nobody/deployments", split(p.first, 100), 404, "does not exist"},
		"with no body":                {"POST", path, nil, 400, "parse"},
		"with two bodies":             {"POST", path, `{"strategy":"percentage","versions":[]}{}`, 400, "more"},
		"as a form":                   {"POST", path, worker(nil), 400, "JSON"},
		"one that there is not, read": {"GET", path + "/none", nil, 404, "does not exist"},
		"a version that is not, read": {"GET", "/workers/scripts/api/versions/none", nil, 404, "does not exist"},
	})
}

// Back again is the same call with an older version, as long as what that is bound to is there and it is not too old.
func TestDeployments(t *testing.T) {
	p := newPool(t)
	const path = "/workers/scripts/api/deployments"
	p.acme("POST", path, and(split(p.second, 0, p.first, 100), "annotations", object{"workers/message": "canary"})).ok()
	id := p.acme("POST", path, split(p.second, 10.5, p.first, 89.5)).id("id")
	var d struct {
		ID       string
		Versions []struct {
			Percentage float64
		}
	}
	p.acme("GET", path+"/"+id, nil).ok(&d)
	assert.Equal(t, 10.5, d.Versions[0].Percentage)
	var list struct{ Deployments []struct{ ID string } }
	p.acme("GET", path, nil).ok(&list)
	require.Len(t, list.Deployments, 3)
	assert.Equal(t, id, list.Deployments[0].ID, "the newest first")

	p.acme("POST", "/queues", object{"queue_name": "new"}).ok()
	third := p.acme("POST", "/workers/scripts/api/versions", p.release("v3", object{"type": "queue", "name": "NEW", "queue_name": "new"})).id("id")
	p.api.Edit(acme, func(a *double.Account) { a.DeleteQueue("new") })
	p.acme("POST", path, split(third, 100)).refused(400, `"new"`)
	for i := range 98 {
		p.acme("POST", "/workers/scripts/api/versions", p.release(fmt.Sprint("v", i+4))).ok()
	}
	p.acme("POST", path, split(p.second, 100)).ok()
	p.acme("POST", path, split(p.first, 100)).refused(400, "too old")
	var versions struct{ Items []object }
	p.acme("GET", "/workers/scripts/api/versions?deployable=true&per_page=5", nil).ok(&versions)
	assert.Len(t, versions.Items, 100)
}
