package double_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pool is a world in which the first account has some of everything: the Workers objects and api, two versions of the latter, of which the
// first is deployed.
type pool struct {
	*world
	queue, dead, consumer, kv, first, second, route, domain string // ids
}

// release is an upload of the Worker api.
func (p *pool) release(tag string, more ...object) upload {
	all := []object{
		{"type": "durable_object_namespace", "name": "LEDGER", "class_name": "Ledger", "script_name": "objects"},
		{"type": "workflow", "name": "IMPORT", "workflow_name": "import", "class_name": "Import"},
		{"type": "kv_namespace", "name": "CONFIG", "namespace_id": p.kv}, {"type": "queue", "name": "JOBS", "queue_name": "jobs"},
		{"type": "r2_bucket", "name": "CORPUS", "bucket_name": "corpus"}, {"type": "vectorize", "name": "VECTORS", "index_name": "bge-m3"},
		{"type": "service", "name": "OBJECTS", "service": "objects"}, {"type": "ai", "name": "AI"},
		{"type": "version_metadata", "name": "DEPLOYED"}, {"type": "plain_text", "name": "ENVIRONMENT", "text": "prod"},
	}
	return worker(object{"annotations": object{"workers/tag": tag, "workers/message": "release " + tag}, "keep_bindings": []string{"secret_text"}, "bindings": append(all, more...)})
}

func newPool(t *testing.T) *pool {
	t.Helper()
	w := newWorld(t)
	p := &pool{world: w}
	p.dead = w.acme("POST", "/queues", object{"queue_name": "jobs-dlq"}).id("queue_id")
	p.queue = w.acme("POST", "/queues", object{"queue_name": "jobs", "settings": object{"delivery_delay": 5}}).id("queue_id")
	p.kv = w.acme("POST", "/storage/kv/namespaces", object{"title": "config"}).id("id")
	w.acme("POST", "/r2/buckets", object{"name": "corpus"}).ok()
	w.acme("POST", "/vectorize/v2/indexes", object{"name": "bge-m3", "config": object{"dimensions": 1024, "metric": "cosine"}}).ok()
	w.acme("POST", "/vectorize/v2/indexes/bge-m3/metadata_index/create", object{"propertyName": "docId", "indexType": "string"}).ok()
	w.acme("POST", "/ai-gateway/gateways", gateway(object{"id": "levada"})).ok()
	w.acme("PUT", "/workers/scripts/objects", worker(object{
		"migrations": object{"new_tag": "v1", "steps": []object{{"new_sqlite_classes": []string{"Ledger"}}}},
		"bindings":   []object{{"type": "durable_object_namespace", "name": "LEDGER", "class_name": "Ledger"}},
	})).ok()
	w.acme("PUT", "/workers/scripts/api?bindings_inherit=strict", p.release("v1", object{"type": "secret_text", "name": "KEY", "text": "s3cr3t-of-acme"})).ok()
	w.acme("PUT", "/workflows/import", object{"script_name": "api", "class_name": "Import"}).ok()
	p.consumer = w.acme("POST", "/queues/"+p.queue+"/consumers", object{"type": "worker", "script_name": "api", "dead_letter_queue": "jobs-dlq", "settings": object{"max_concurrency": 2}}).id("consumer_id")
	w.acme("PUT", "/workers/scripts/api/schedules", []object{{"cron": "*/5 * * * *"}}).ok()
	w.acme("POST", "/workers/scripts/api/subdomain", object{"enabled": true}).ok()
	w.acme("PATCH", "/workers/scripts/api/script-settings", object{"tags": []string{"managed-by=levada"}, "observability": object{"enabled": true}}).ok()
	p.domain = w.acme("PUT", "/workers/domains", object{"hostname": "chat.acme.example", "service": "api"}).id("id")
	p.route = w.acme("POST", "/zones/"+acmeZone+"/workers/routes", object{"pattern": "acme.example/api/*", "script": "api"}).id("id")
	p.first = w.versions("api")[0]
	p.second = w.acme("POST", "/workers/scripts/api/versions", p.release("v2")).id("id")
	return p
}

// gateway is a gateway with all that it needs.
func gateway(more object) object {
	g := object{"cache_invalidate_on_update": true, "cache_ttl": 0, "collect_logs": true, "rate_limiting_interval": 0, "rate_limiting_limit": 0}
	maps.Copy(g, more)
	return g
}

// id is a field of the result.
func (a *answer) id(name string) string {
	a.t.Helper()
	var result object
	a.ok(&result)
	id, _ := result[name].(string)
	require.NotEmpty(a.t, id)
	return id
}

// versions are the ids of a Worker's versions, the newest first.
func (w *world) versions(script string) []string {
	w.t.Helper()
	var list struct{ Items []struct{ ID string } }
	w.acme("GET", "/workers/scripts/"+script+"/versions", nil).ok(&list)
	var ids []string
	for _, v := range list.Items {
		ids = append(ids, v.ID)
	}
	return ids
}

// snapshot is all that the API tells of the first account.
func (p *pool) snapshot() string {
	p.t.Helper()
	var b strings.Builder
	for _, path := range []string{
		"/queues", "/queues/" + p.queue + "/consumers", "/storage/kv/namespaces", "/storage/kv/namespaces/" + p.kv + "/keys", "/r2/buckets",
		"/vectorize/v2/indexes", "/vectorize/v2/indexes/bge-m3/metadata_index/list", "/ai-gateway/gateways", "/workflows", "/workers/scripts",
		"/workers/scripts/api/settings", "/workers/scripts/api/script-settings", "/workers/scripts/api/versions", "/workers/scripts/api/deployments",
		"/workers/scripts/api/schedules", "/workers/scripts/api/subdomain", "/workers/scripts/api/secrets", "/workers/scripts/objects/versions",
		"/workers/domains", "/workers/durable_objects/namespaces", "/zones/" + acmeZone + "/workers/routes",
	} {
		a := p.acme("GET", path, nil).ok()
		fmt.Fprintf(&b, "%s %s\n", path, a.Result)
	}
	return b.String()
}

// refused is a request that is refused.
type refused struct {
	method, path string
	body         any
	status       int
	words        string
}

// refuses makes each of the requests, which may name things of the pool as {kv}, and finds it refused and nothing changed.
func (p *pool) refuses(t *testing.T, cases map[string]refused) {
	t.Helper()
	before := p.snapshot()
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			w := &world{t, p.api, p.url}
			w.acme(c.method, p.named(c.path), c.body).refused(c.status, c.words)
			assert.Equal(t, before, p.snapshot(), "what is refused changes nothing")
		})
	}
}

// named puts the pool's ids in place of their names.
func (p *pool) named(path string) string {
	return strings.NewReplacer("{kv}", p.kv, "{queue}", p.queue, "{dead}", p.dead, "{consumer}", p.consumer, "{first}", p.first, "{second}", p.second,
		"{route}", p.route, "{domain}", p.domain, "{zone}", acmeZone).Replace(path)
}
