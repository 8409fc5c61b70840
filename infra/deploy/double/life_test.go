package double_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A pool's whole way: resources, two Workers, a release by versions, back again. What is written is there when it is read.
func TestLife(t *testing.T) {
	p := newPool(t)
	assert.Equal(t, "v1", p.visit(acmeHost+"/health", "").Version, "a version is not deployed by being uploaded")
	p.acme("POST", "/workers/scripts/api/deployments", split(p.second, 100)).ok()
	assert.Equal(t, health{200, "ok", "v2", p.second, "prod"}, p.visit(acmeHost+"/health", ""))

	assert.Equal(t, []string{p.second, p.first}, p.versions("api"), "the newest first")
	p.acme("POST", "/workers/scripts/api/deployments", split(p.first, 100)).ok()
	assert.Equal(t, "v1", p.visit(acmeHost+"/health", "").Version)

	var scripts []struct {
		ID           string
		Tags         []string
		MigrationTag string `json:"migration_tag"`
	}
	p.acme("GET", "/workers/scripts", nil).ok(&scripts)
	require.Len(t, scripts, 2)
	assert.Equal(t, []string{"managed-by=levada"}, scripts[0].Tags)
	assert.Equal(t, "v1", scripts[1].MigrationTag)

	var all []any
	for _, path := range []string{"/workers/scripts", "/queues", "/storage/kv/namespaces", "/vectorize/v2/indexes", "/ai-gateway/gateways", "/workflows", "/workers/domains", "/workers/durable_objects/namespaces"} {
		p.as(globexToken, "GET", "/accounts/"+globex+path, nil).ok(&all)
		assert.Empty(t, all, "another account has none of it: "+path)
	}
}
