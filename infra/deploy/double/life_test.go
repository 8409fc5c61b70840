package double_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A pool's whole way: resources, two Workers, a release by versions, back again. What is written is there when it is read.
func TestLife(t *testing.T) {
	w := newWorld(t)
	w.acme("POST", "/queues", object{"queue_name": "jobs-dlq"}).ok()
	var queue struct {
		QueueID string `json:"queue_id"`
	}
	w.acme("POST", "/queues", object{"queue_name": "jobs", "settings": object{"delivery_delay": 5}}).ok(&queue)
	var kv struct{ ID string }
	w.acme("POST", "/storage/kv/namespaces", object{"title": "config"}).ok(&kv)
	w.acme("POST", "/r2/buckets", object{"name": "corpus"}).ok()
	w.acme("POST", "/vectorize/v2/indexes", object{"name": "bge-m3", "config": object{"dimensions": 1024, "metric": "cosine"}}).ok()
	w.acme("POST", "/vectorize/v2/indexes/bge-m3/metadata_index/create", object{"propertyName": "docId", "indexType": "string"}).ok()

	w.acme("PUT", "/workers/scripts/objects", worker(object{
		"migrations": object{"new_tag": "v1", "steps": []object{{"new_sqlite_classes": []string{"Ledger"}}}},
		"bindings":   []object{{"type": "durable_object_namespace", "name": "LEDGER", "class_name": "Ledger"}},
	})).ok()
	release := func(tag string) upload {
		return worker(object{
			"annotations":   object{"workers/tag": tag, "workers/message": "release " + tag},
			"keep_bindings": []string{"secret_text"},
			"bindings": []object{
				{"type": "durable_object_namespace", "name": "LEDGER", "class_name": "Ledger", "script_name": "objects"},
				{"type": "workflow", "name": "IMPORT", "workflow_name": "import", "class_name": "Import"},
				{"type": "kv_namespace", "name": "CONFIG", "namespace_id": kv.ID}, {"type": "queue", "name": "JOBS", "queue_name": "jobs"},
				{"type": "r2_bucket", "name": "CORPUS", "bucket_name": "corpus"}, {"type": "vectorize", "name": "VECTORS", "index_name": "bge-m3"},
				{"type": "service", "name": "OBJECTS", "service": "objects"}, {"type": "ai", "name": "AI"},
				{"type": "version_metadata", "name": "DEPLOYED"}, {"type": "plain_text", "name": "ENVIRONMENT", "text": "prod"},
			},
		})
	}
	w.acme("PUT", "/workers/scripts/api?bindings_inherit=strict", release("v1")).ok()
	w.acme("PUT", "/workflows/import", object{"script_name": "api", "class_name": "Import"}).ok()
	w.acme("POST", "/queues/"+queue.QueueID+"/consumers", object{"type": "worker", "script_name": "api", "dead_letter_queue": "jobs-dlq", "settings": object{"max_concurrency": 2}}).ok()
	w.acme("PUT", "/workers/scripts/api/schedules", []object{{"cron": "*/5 * * * *"}}).ok()
	w.acme("POST", "/workers/scripts/api/subdomain", object{"enabled": true}).ok()
	w.acme("PATCH", "/workers/scripts/api/script-settings", object{"tags": []string{"managed-by=levada"}, "observability": object{"enabled": true}}).ok()

	var next struct{ ID string }
	w.acme("POST", "/workers/scripts/api/versions", release("v2")).ok(&next)
	site := httptest.NewServer(w.api.Site())
	defer site.Close()
	assert.Equal(t, "v1", visit(t, site, "api.acme.workers.dev", "").Version, "a version is not deployed by being uploaded")
	w.acme("POST", "/workers/scripts/api/deployments", object{"strategy": "percentage", "versions": []object{{"version_id": next.ID, "percentage": 100}}}).ok()
	assert.Equal(t, health{200, "ok", "v2", next.ID, "prod"}, visit(t, site, "api.acme.workers.dev", ""))

	var list struct{ Items []struct{ ID string } }
	w.acme("GET", "/workers/scripts/api/versions?deployable=true", nil).ok(&list)
	require.Len(t, list.Items, 2)
	assert.Equal(t, next.ID, list.Items[0].ID, "the newest first")
	w.acme("POST", "/workers/scripts/api/deployments", object{"strategy": "percentage", "versions": []object{{"version_id": list.Items[1].ID, "percentage": 100}}}).ok()
	assert.Equal(t, "v1", visit(t, site, "api.acme.workers.dev", "").Version)

	var scripts []struct {
		ID           string
		Tags         []string
		MigrationTag string `json:"migration_tag"`
	}
	w.acme("GET", "/workers/scripts", nil).ok(&scripts)
	require.Len(t, scripts, 2)
	assert.Equal(t, []string{"managed-by=levada"}, scripts[0].Tags)
	assert.Equal(t, "v1", scripts[1].MigrationTag)

	var all []any
	w.as(globexToken, "GET", "/accounts/"+globex+"/workers/scripts", nil).ok(&all)
	assert.Empty(t, all, "another account has none of it")
}

func visit(t *testing.T, site *httptest.Server, host, override string) health {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL+"/health", nil)
	require.NoError(t, err)
	r.Host = host
	if override != "" {
		r.Header.Set("Cloudflare-Workers-Version-Overrides", override)
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	return readHealth(t, response)
}
