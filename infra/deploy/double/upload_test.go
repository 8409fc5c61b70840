package double_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/deploy/double"
)

// with is an upload of one module with more metadata.
func with(more object) upload { return worker(more) }

// bound is an upload with one binding.
func bound(b object) upload {
	all := object{"name": "X"}
	maps.Copy(all, b)
	return worker(object{"bindings": []object{all}})
}

func TestUploadsThatAreRefused(t *testing.T) {
	p := newPool(t)
	long := strings.Repeat("x", 101)
	modules := func(all ...file) upload {
		return upload{object{"main_module": "index.mjs"}, all}
	}
	bodies := map[string]struct {
		body   any
		status int
		words  string
	}{
		"JSON, as the client's own types make": {object{"metadata": object{"main_module": "index.mjs"}}, 400, "multipart/form-data"},
		"no metadata":                          {upload{nil, []file{{"index.mjs", esModule, ""}}}, 400, "no part metadata"},
		"metadata that is no JSON":             {upload{"{", []file{{"index.mjs", esModule, ""}}}, 400, "metadata"},
		"a field that there is not":            {with(object{"compatibility_day": "2026-11-01"}), 400, "compatibility_day"},
		"no module":                            {modules(), 400, "index.mjs"},
		"another main module":                  {with(object{"main_module": "main.mjs"}), 400, `No such module "main.mjs"`},
		"a main module in a folder":            {modules(file{"lib/index.mjs", esModule, ""}), 400, "No such module"},
		"a main module that is a script":       {modules(file{"index.mjs", "application/javascript", ""}), 400, "no ES module"},
		"a content type of no module":          {modules(file{"index.mjs", esModule, ""}, file{"a.png", "image/png", ""}), 400, "image/png"},
		"a module twice":                       {modules(file{"index.mjs", esModule, ""}, file{"index.mjs", esModule, ""}), 400, "two modules"},
		"a date that is none":                  {with(object{"compatibility_date": "today"}), 400, "no date"},
		"a date to come":                       {with(object{"compatibility_date": "2099-01-01"}), 400, "future"},
		"a flag twice":                         {with(object{"compatibility_flags": []string{"a", "a"}}), 400, "twice"},
		"too much CPU":                         {with(object{"limits": object{"cpu_ms": 300_001}}), 400, "cpu_ms"},
		"too many subrequests":                 {with(object{"limits": object{"subrequests": -1}}), 400, "subrequests"},
		"a usage model of old":                 {with(object{"usage_model": "bundled"}), 400, "bundled"},
		"a tag of a version that is too long":  {with(object{"annotations": object{"workers/tag": long}}), 400, "101 bytes"},
		"a message that is too long":           {with(object{"annotations": object{"workers/message": long}}), 400, "101 bytes"},
		"another annotation":                   {with(object{"annotations": object{"release": "v1"}}), 400, "release"},
		"a strategy that there is not":         {with(object{"code_update_strategy": object{"mode": "never"}}), 400, "code_update_strategy"},
		"a sampling rate in percent":           {with(object{"observability": object{"enabled": true, "head_sampling_rate": 50}}), 400, "head_sampling_rate"},
		"logs to a Worker that there is not":   {with(object{"tail_consumers": []object{{"service": "nobody"}}}), 400, "nobody"},

		"a binding without a name":             {bound(object{"name": "", "type": "ai"}), 400, "name"},
		"a binding with a name of no variable": {bound(object{"name": "a-b", "type": "ai"}), 400, "a-b"},
		"a binding without a type":             {bound(object{}), 400, "type"},
		"a type that there is not":             {bound(object{"type": "kv"}), 400, `"kv"`},
		"a binding twice":                      {with(object{"bindings": []object{{"name": "X", "type": "ai"}, {"name": "X", "type": "ai"}}}), 400, "already in use"},
		"a binding without its target":         {bound(object{"type": "queue"}), 400, "queue_name"},
		"a binding with another's field":       {bound(object{"type": "ai", "queue_name": "jobs"}), 400, "queue_name"},
		"a namespace by its title":             {bound(object{"type": "kv_namespace", "namespace_id": "config"}), 400, "config"},
		"a queue that is not there":            {bound(object{"type": "queue", "queue_name": "nothing"}), 400, "nothing"},
		"a bucket that is not there":           {bound(object{"type": "r2_bucket", "bucket_name": "nothing"}), 400, "nothing"},
		"an index that is not there":           {bound(object{"type": "vectorize", "index_name": "nothing"}), 400, "nothing"},
		"a Worker that is not there":           {bound(object{"type": "service", "service": "nobody"}), 400, "nobody"},
		"a class that no migration made":       {bound(object{"type": "durable_object_namespace", "class_name": "Quota"}), 400, "Quota"},
		"a class of a Worker without":          {bound(object{"type": "durable_object_namespace", "class_name": "Quota", "script_name": "objects"}), 400, "Quota"},
		"a class of nobody":                    {bound(object{"type": "durable_object_namespace", "class_name": "Quota", "script_name": "nobody"}), 400, "nobody"},
		"a Workflow of nobody":                 {bound(object{"type": "workflow", "workflow_name": "import", "script_name": "nobody"}), 400, "nobody"},
		"a text that is too long":              {bound(object{"type": "plain_text", "text": strings.Repeat("x", 5121)}), 400, "5120"},
		"a text that is a number":              {bound(object{"type": "plain_text", "text": 5}), 400, "text"},
		"a secret without a text":              {bound(object{"type": "secret_text"}), 400, "text"},
		"inherited from nothing":               {bound(object{"type": "inherit"}), 400, "inherit"},
	}
	cases := map[string]refused{}
	for name, b := range bodies {
		cases[name] = refused{"PUT", "/workers/scripts/api?bindings_inherit=strict", b.body, b.status, b.words}
		cases[name+", as a version"] = refused{"POST", "/workers/scripts/api/versions?bindings_inherit=strict", b.body, b.status, b.words}
	}
	maps.Copy(cases, map[string]refused{
		"a name that a Worker cannot have": {"PUT", "/workers/scripts/Api", worker(nil), 400, `"Api"`},
		"a name that is too long":          {"PUT", "/workers/scripts/" + strings.Repeat("a", 64), worker(nil), 400, "63"},
		"a version of no Worker":           {"POST", "/workers/scripts/nobody/versions", worker(nil), 404, "does not exist"},
		"another word for strict":          {"PUT", "/workers/scripts/api?bindings_inherit=lax", worker(nil), 400, "lax"},
		"too many tags":                    {"PUT", "/workers/scripts/api", with(object{"tags": strings.Split("a b c d e f g h i j k", " ")}), 400, "10 tags"},
	})
	p.refuses(t, cases)
}

// What a version has of the one before it, it has because the upload says so.
func TestWhatStaysAndWhatGoes(t *testing.T) {
	p := newPool(t)
	names := func(version string) []string {
		var v struct {
			Resources struct{ Bindings []struct{ Name string } }
		}
		p.acme("GET", "/workers/scripts/api/versions/"+version, nil).ok(&v)
		var all []string
		for _, b := range v.Resources.Bindings {
			all = append(all, b.Name)
		}
		return all
	}
	assert.Contains(t, names(p.second), "KEY", "kept by keep_bindings")
	inherits := worker(object{"bindings": []object{{"type": "inherit", "name": "JOBS"}, {"type": "inherit", "name": "MORE", "old_name": "JOBS"}, {"type": "inherit", "name": "NONE"}}})
	third := p.acme("POST", "/workers/scripts/api/versions", inherits).id("id")
	assert.Equal(t, []string{"JOBS", "MORE"}, names(third), "a secret that is not kept is gone, and what there is not to inherit is left out")
	fourth := p.acme("POST", "/workers/scripts/api/versions", worker(object{"bindings": []object{{"type": "inherit", "name": "KEY", "version_id": p.second}}})).id("id")
	assert.Equal(t, []string{"KEY"}, names(fourth))
	p.api.Edit(acme, func(a *double.Account) { assert.True(t, a.HasSecret("api", "KEY", "s3cr3t-of-acme")) })

	before := p.acme("GET", "/workers/scripts/api/script-settings", nil).ok().Result
	p.acme("POST", "/workers/scripts/api/versions", with(object{"tags": []string{"new"}, "logpush": true, "observability": object{"enabled": false}})).ok()
	assert.Equal(t, before, p.acme("GET", "/workers/scripts/api/script-settings", nil).Result, "a version sets nothing that is not in versions")
	var settings struct{ Tags []string }
	p.acme("PUT", "/workers/scripts/api", with(object{"tags": []string{"new"}})).ok()
	p.acme("GET", "/workers/scripts/api/script-settings", nil).ok(&settings)
	assert.Equal(t, []string{"new"}, settings.Tags, "an upload of the whole does")
}

// The same modules have the same etag, in whatever order they come.
func TestTheEtagIsThatOfTheModules(t *testing.T) {
	w := newWorld(t)
	etag := func(u upload) string { return w.acme("PUT", "/workers/scripts/api", u).id("etag") }
	main, lib := file{"index.mjs", esModule, "import './lib/a.mjs'"}, file{"lib/a.mjs", esModule, "1"}
	first := etag(upload{object{"main_module": "index.mjs"}, []file{main, lib}})
	assert.Equal(t, first, etag(upload{object{"main_module": "index.mjs", "tags": []string{"x"}}, []file{lib, main}}))
	lib.body = "2"
	assert.NotEqual(t, first, etag(upload{object{"main_module": "index.mjs"}, []file{main, lib}}))
}
