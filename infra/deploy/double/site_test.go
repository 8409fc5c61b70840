package double_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

// health is what a Worker says of itself.
type health struct {
	Code        int `json:"-"`
	Status      string
	Version     string
	VersionID   string
	Environment string
}

// visit asks the Worker of a host, and, with an override, for a version of it.
func (p *pool) visit(address, override string) health {
	p.t.Helper()
	r := httptest.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+address, nil)
	if override != "" {
		r.Header.Set(double.Overrides, override)
	}
	w := httptest.NewRecorder()
	p.api.Site().ServeHTTP(w, r)
	h := health{Code: w.Code}
	if w.Header().Get("Content-Type") == "application/json" {
		require.NoError(p.t, json.Unmarshal(w.Body.Bytes(), &struct{ Data *health }{&h}))
	}
	return h
}

const acmeHost = "api.acme.workers.dev"

func TestWhereAWorkerAnswers(t *testing.T) {
	p := newPool(t)
	p.acme("PUT", "/workers/scripts/plain", worker(nil)).ok()
	p.acme("POST", "/workers/scripts/plain/subdomain", object{"enabled": true}).ok()
	p.acme("POST", "/zones/"+acmeZone+"/workers/routes", object{"pattern": "*.acme.example/plain/*", "script": "plain"}).ok()
	p.acme("POST", "/zones/"+acmeZone+"/workers/routes", object{"pattern": "off.acme.example/*"}).ok()
	live := health{200, "ok", "v1", p.first, "prod"}
	for address, want := range map[string]health{
		acmeHost + "/health":              live,
		acmeHost + ":8443/health":         live,
		"chat.acme.example/health":        live,
		"acme.example/api/../health":      {Code: 404},
		"api.globex.workers.dev/health":   {Code: 404},
		"objects.acme.workers.dev/health": {Code: 404}, // is not at workers.dev
		"nobody.acme.workers.dev/health":  {Code: 404},
		"off.acme.example/health":         {Code: 404},
		acmeHost + "/chat":                {Code: 404},
		acmeHost + "/ready":               {200, "ready", "", "", ""},
		"plain.acme.workers.dev/health":   {200, "ok", "dev", "", "dev"}, // without version_metadata it knows nothing of itself
		"chat.acme.example/plain/health":  {Code: 404},
		"elsewhere.acme.example/health":   {Code: 404},
		"acme.example/health":             {Code: 404},
	} {
		assert.Equal(t, want, p.visit(address, ""), address)
	}
	p.acme("PUT", "/zones/"+acmeZone+"/workers/routes/"+p.route, object{"pattern": "https://acme.example/health", "script": "api"}).ok()
	assert.Equal(t, live, p.visit("acme.example/health", ""))
	p.acme("POST", "/workers/scripts/api/subdomain", object{"enabled": false}).ok()
	assert.Equal(t, 404, p.visit(acmeHost+"/health", "").Code)
}

// Of a hundred visits each version gets as many as it has percents, and the header asks for one of the two, also for one that gets none.
func TestVersionsTakeTurns(t *testing.T) {
	p := newPool(t)
	const path = "/workers/scripts/api/deployments"
	count := func(override string) map[string]int {
		seen := map[string]int{}
		for range 100 {
			seen[p.visit(acmeHost+"/health", override).Version]++
		}
		return seen
	}
	third := p.acme("POST", "/workers/scripts/api/versions", p.release("v3")).id("id")
	p.acme("POST", path, split(p.second, 0, p.first, 100)).ok()
	assert.Equal(t, map[string]int{"v1": 100}, count(""))
	for override, want := range map[string]string{
		fmt.Sprintf(`api="%s"`, p.second):               "v2",
		fmt.Sprintf(`objects="x", api="%s"`, p.second):  "v2",
		fmt.Sprintf(`api="%s" , objects="x"`, p.second): "v2",
		fmt.Sprintf(`api="%s"`, third):                  "v1", // is not deployed
		fmt.Sprintf(`objects="%s"`, p.second):           "v1",
		fmt.Sprintf(`api=%s`, p.second):                 "v1", // no dictionary of strings
		fmt.Sprintf(`api="%s" objects="x"`, p.second):   "v1",
		fmt.Sprintf(`api="%s",`, p.second):              "v1",
		fmt.Sprintf(`api="%s`, p.second):                "v1",
		`api="v2"`:                                      "v1",
	} {
		assert.Equal(t, want, p.visit(acmeHost+"/health", override).Version, override)
	}
	p.acme("POST", path, split(p.second, 10, p.first, 90)).ok()
	assert.Equal(t, map[string]int{"v1": 90, "v2": 10}, count(""))
	p.acme("POST", path, split(p.second, 50, p.first, 50)).ok()
	assert.Equal(t, map[string]int{"v1": 50, "v2": 50}, count(""))
	assert.Equal(t, map[string]int{"v2": 100}, count(fmt.Sprintf(`api="%s"`, p.second)))
}

// A deployment takes a while to be everywhere; meanwhile the one before answers, also whoever asks for a version of the new one.
func TestADeploymentTakesAWhile(t *testing.T) {
	p := newPool(t)
	p.api.Lag = 2
	override := fmt.Sprintf(`api="%s"`, p.second)
	p.acme("POST", "/workers/scripts/api/deployments", split(p.second, 0, p.first, 100)).ok()
	var seen []string
	for range 3 {
		seen = append(seen, p.visit(acmeHost+"/health", override).Version)
	}
	assert.Equal(t, []string{"v1", "v1", "v2"}, seen)
	p.acme("PUT", "/workers/scripts/new", worker(nil)).ok()
	p.acme("POST", "/workers/scripts/new/subdomain", object{"enabled": true}).ok()
	for _, code := range []int{404, 404, 200} {
		assert.Equal(t, code, p.visit("new.acme.workers.dev/health", "").Code)
	}
}

func TestASickVersion(t *testing.T) {
	p := newPool(t)
	p.acme("POST", "/workers/scripts/api/deployments", split(p.second, 0, p.first, 100)).ok()
	p.api.Sick(func(script, versionID, tag string) int {
		if script == "api" && tag == "v2" && versionID == p.second {
			return 503
		}
		return 0
	})
	assert.Equal(t, 200, p.visit(acmeHost+"/health", "").Code)
	assert.Equal(t, health{503, "failed", "v2", p.second, "prod"}, p.visit(acmeHost+"/health", fmt.Sprintf(`api="%s"`, p.second)))
	assert.Equal(t, 503, p.visit(acmeHost+"/ready", fmt.Sprintf(`api="%s"`, p.second)).Code)
	p.api.Sick(nil)
	assert.Equal(t, 200, p.visit(acmeHost+"/health", fmt.Sprintf(`api="%s"`, p.second)).Code)
}
