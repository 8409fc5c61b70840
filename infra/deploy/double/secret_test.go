package double_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

func TestSecrets(t *testing.T) {
	p := newPool(t)
	const secrets = "/workers/scripts/api/secrets"
	put := object{"name": "KEY", "type": "secret_text", "text": "new-s3cr3t"}
	p.acme("PUT", secrets, put).refused(400, "isn't currently deployed")
	p.acme("POST", "/workers/scripts/api/deployments", split(p.first, 50, p.second, 50)).ok()
	p.acme("PUT", secrets, put).refused(400, "isn't currently deployed")
	p.acme("POST", "/workers/scripts/api/deployments", split(p.second, 100)).ok()
	p.acme("PUT", secrets, put).ok()
	assert.Len(t, p.versions("api"), 3, "a secret is a version")
	p.acme("PUT", secrets, object{"name": "MORE", "type": "secret_text", "text": "more-s3cr3t"}).ok()
	var list []struct{ Name, Type, Text string }
	p.acme("GET", secrets, nil).ok(&list)
	assert.Len(t, list, 2)
	p.acme("DELETE", secrets+"/KEY", nil).ok()
	p.acme("GET", secrets+"/KEY", nil).refused(404, "KEY")
	p.acme("GET", secrets+"/MORE", nil).ok()
	p.acme("DELETE", secrets+"/KEY", nil).refused(404, "KEY")
	p.acme("PUT", secrets, object{"name": "CONFIG", "type": "secret_text", "text": "x"}).refused(400, "already in use")
	p.acme("PUT", secrets, object{"name": "X", "type": "plain_text", "text": "x"}).refused(400, "secret_text")
	p.acme("PUT", secrets, object{"name": "X", "type": "secret_text", "text": strings.Repeat("x", 5121)}).refused(400, "5120")
	p.acme("PUT", secrets, object{"name": "X", "type": "secret_text", "value": "x"}).refused(400, "value")
	p.api.Edit(acme, func(a *double.Account) {
		assert.True(t, a.HasSecret("api", "MORE", "more-s3cr3t"))
		assert.False(t, a.HasSecret("api", "MORE", "other"))
		assert.False(t, a.HasSecret("api", "KEY", "new-s3cr3t"))
	})
}

// Neither an answer nor what is remembered of a request has a secret's text, a token or a value of KV.
func TestNoSecretIsToldAgain(t *testing.T) {
	p := newPool(t)
	p.acme("POST", "/workers/scripts/api/deployments", split(p.second, 100)).ok()
	p.acme("PUT", "/workers/scripts/api/secrets", object{"name": "K2", "type": "secret_text", "text": "s3cr3t-2"}).ok()
	p.acme("PATCH", "/workers/scripts/api/secrets-bulk", object{"secrets": object{"K3": object{"name": "K3", "type": "secret_text", "text": "s3cr3t-3"}}}).ok()
	p.acme("PUT", "/workers/scripts/api/secrets", `{"name": "K4", "type": "secret_text", "text": "s3cr3t-4"`).refused(400)
	p.acme("PUT", "/storage/kv/namespaces/"+p.kv+"/bulk", []object{{"key": "sealed", "value": "s3cr3t-5"}}).ok()
	p.acme("PUT", "/storage/kv/namespaces/"+p.kv+"/values/x", "s3cr3t-6").ok()
	told := p.snapshot()
	for _, v := range p.versions("api") {
		told += string(p.acme("GET", "/workers/scripts/api/versions/"+v, nil).ok().body)
	}
	requests, err := json.Marshal(p.api.Requests())
	require.NoError(t, err)
	told += string(requests) + fmt.Sprintf("%+v", p.api.Requests()) + strings.Join(p.api.Writes(), " ")
	assert.NotContains(t, told, "s3cr3t")
	assert.NotContains(t, told, acmeToken)
	assert.Contains(t, told, `"K2"`)
	assert.Contains(t, told, `{"key":"sealed","value":8}`)
}
