package double_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func migrating(m object) upload { return worker(object{"migrations": m}) }

func TestMigrationsThatAreRefused(t *testing.T) {
	p := newPool(t)
	const objects = "/workers/scripts/objects"
	p.refuses(t, map[string]refused{
		"without the tag that is there":     {"PUT", objects, migrating(object{"new_tag": "v2", "new_sqlite_classes": []string{"Audit"}}), 412, `"v1"`},
		"after another tag":                 {"PUT", objects, migrating(object{"old_tag": "v0", "new_tag": "v2", "new_sqlite_classes": []string{"Audit"}}), 412, "precondition"},
		"with a tag, of a new Worker":       {"PUT", "/workers/scripts/more", migrating(object{"old_tag": "v1", "new_tag": "v2"}), 412, "precondition"},
		"without a new tag":                 {"PUT", objects, migrating(object{"old_tag": "v1", "new_sqlite_classes": []string{"Audit"}}), 400, "new_tag"},
		"to the same tag":                   {"PUT", objects, migrating(object{"old_tag": "v1", "new_tag": "v1"}), 400, "new_tag"},
		"a class that is there":             {"PUT", objects, migrating(object{"old_tag": "v1", "new_tag": "v2", "new_sqlite_classes": []string{"Ledger"}}), 400, "Ledger"},
		"a class twice":                     {"PUT", objects, migrating(object{"old_tag": "v1", "new_tag": "v2", "steps": []object{{"new_sqlite_classes": []string{"A"}}, {"new_classes": []string{"A"}}}}), 400, "'A'"},
		"away with a class that is not":     {"PUT", objects, migrating(object{"old_tag": "v1", "new_tag": "v2", "deleted_classes": []string{"Audit"}}), 400, "Audit"},
		"away with a class that is bound":   {"PUT", objects, migrating(object{"old_tag": "v1", "new_tag": "v2", "deleted_classes": []string{"Ledger"}}), 400, "the Worker api (binding LEDGER)"},
		"another name for one that is not":  {"PUT", objects, migrating(object{"old_tag": "v1", "new_tag": "v2", "renamed_classes": []object{{"from": "A", "to": "B"}}}), 400, "'A'"},
		"a field that there is not":         {"PUT", objects, migrating(object{"old_tag": "v1", "new_tag": "v2", "classes": []string{"A"}}), 400, "classes"},
		"with a version":                    {"POST", objects + "/versions", migrating(object{"old_tag": "v1", "new_tag": "v2"}), 400, "migrations"},
		"right, but the rest of it is not":  {"PUT", objects, worker(object{"migrations": object{"old_tag": "v1", "new_tag": "v2", "new_classes": []string{"A"}}, "bindings": []object{{"type": "queue", "name": "X", "queue_name": "no"}}}), 400, "no"},
		"right, and deployed as a rollback": {"POST", objects + "/deployments", object{"strategy": "percentage", "versions": []object{{"version_id": "none", "percentage": 100}}}, 400, "none"},
	})
}

func TestMigrations(t *testing.T) {
	p := newPool(t)
	before := p.versions("objects")[0]
	p.acme("PUT", "/workers/scripts/objects", worker(object{
		"migrations": object{"old_tag": "v1", "new_tag": "v3", "steps": []object{{"new_sqlite_classes": []string{"Audit"}}, {"renamed_classes": []object{{"from": "Audit", "to": "Trail"}}}}},
		"bindings":   []object{{"type": "durable_object_namespace", "name": "TRAIL", "class_name": "Trail"}},
	})).ok()
	var classes []struct {
		Class  string
		SQLite bool `json:"use_sqlite"`
	}
	p.acme("GET", "/workers/durable_objects/namespaces", nil).ok(&classes)
	assert.Equal(t, "Ledger", classes[0].Class)
	assert.Equal(t, "Trail", classes[1].Class)
	assert.True(t, classes[1].SQLite)

	p.acme("POST", "/workers/scripts/objects/deployments", object{"strategy": "percentage", "versions": []object{{"version_id": before, "percentage": 100}}}).
		refused(400, `migration "v3"`)
	p.acme("PUT", "/workers/scripts/objects", worker(nil)).ok()
	var scripts []object
	p.acme("GET", "/workers/scripts", nil).ok(&scripts)
	assert.Equal(t, "v3", scripts[1]["migration_tag"], "an upload without migrations leaves the tag")
}
