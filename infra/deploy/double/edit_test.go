package double_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

// What is done in the dashboard is seen through the API.
func TestEdits(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(p *pool, a *double.Account)
		path string
		want string
	}{
		"settings": {func(_ *pool, a *double.Account) {
			a.EditSettings("api", func(s *double.Settings) { s.Observability.Enabled = false })
		}, "/workers/scripts/api/script-settings", `"observability":{"enabled":false,`},
		"a binding": {func(_ *pool, a *double.Account) {
			a.AddBinding("api", object{"name": "ENVIRONMENT", "type": "plain_text", "text": "edited"})
		}, "/workers/scripts/api/settings", `"text":"edited"`},
		"a deployment": {func(p *pool, a *double.Account) { a.Deploy("api", p.second) }, "/workers/scripts/api/deployments", `{second}`},
		"schedules":    {func(_ *pool, a *double.Account) { a.SetSchedules("api", "0 0 * * *") }, "/workers/scripts/api/schedules", `"0 0 * * *"`},
		"a host":       {func(_ *pool, a *double.Account) { a.SetSubdomain("api", false) }, "/workers/scripts/api/subdomain", `"enabled":false`},
		"a queue": {func(_ *pool, a *double.Account) {
			a.EditQueue("jobs", func(s *double.QueueSettings) { s.DeliveryPaused = true })
		}, "/queues/{queue}", `"delivery_paused":true`},
		"a consumer": {func(_ *pool, a *double.Account) {
			a.EditConsumer("jobs", func(s *double.ConsumerSettings) { s.BatchSize = 77 })
		}, "/queues/{queue}/consumers", `"batch_size":77`},
		"no consumer": {func(_ *pool, a *double.Account) { a.DeleteConsumer("jobs") }, "/queues/{queue}", `"consumers":[]`},
		"a gateway": {func(_ *pool, a *double.Account) {
			a.EditGateway("levada", func(g map[string]any) { g["cache_ttl"] = 99 })
		}, "/ai-gateway/gateways/levada", `"cache_ttl":99`},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t)
			path, want := p.named(c.path), p.named(c.want)
			require.NotContains(t, string(p.acme("GET", path, nil).ok().body), want)
			p.api.Edit(acme, func(a *double.Account) { c.edit(p, a) })
			assert.Contains(t, string(p.acme("GET", path, nil).ok().body), want)
		})
	}
}

func TestEditedCodeIsAnotherVersion(t *testing.T) {
	p := newPool(t)
	etag := func() string {
		var list []struct{ Etag string }
		p.acme("GET", "/workers/scripts", nil).ok(&list)
		return list[0].Etag
	}
	before := etag()
	p.api.Edit(acme, func(a *double.Account) { a.EditCode("api") })
	assert.NotEqual(t, before, etag())
	assert.Equal(t, p.versions("api")[0], p.visit(acmeHost+"/health", "").VersionID)
}

func TestWhatIsTakenAwayIsGone(t *testing.T) {
	p := newPool(t)
	p.api.Edit(acme, func(a *double.Account) {
		assert.Equal(t, []string{"api", "objects"}, a.Scripts())
		assert.Equal(t, []string{"jobs", "jobs-dlq"}, a.Queues())
		assert.Equal(t, map[string]float64{p.first: 100}, a.Live("api"))
		assert.Equal(t, []string{p.first, p.second}, a.Versions("api"))
		assert.Equal(t, []string{"managed-by=levada"}, a.Settings("api").Tags)
		a.RemoveBinding("api", "CONFIG")
		a.DeleteQueue("jobs")
		a.DeleteNamespace("config")
		a.DeleteBucket("corpus")
		a.DeleteIndex("bge-m3")
		a.DeleteGateway("levada")
		a.DeleteWorkflow("import")
		a.DeleteDomain("chat.acme.example")
		a.DeleteScript("objects")
	})
	for path, status := range map[string]int{
		"/queues/" + p.queue: 404, "/storage/kv/namespaces/" + p.kv: 404, "/r2/buckets/corpus": 404, "/vectorize/v2/indexes/bge-m3": 410,
		"/ai-gateway/gateways/levada": 404, "/workflows/import": 404, "/workers/domains/" + p.domain: 404, "/workers/scripts/objects/settings": 404,
		"/workers/scripts/api/settings": 200,
	} {
		assert.Equal(t, status, p.acme("GET", path, nil).status, path)
	}
	for _, mistake := range []func(*double.Account){
		func(a *double.Account) { a.DeleteQueue("jobs") }, func(a *double.Account) { a.EditCode("objects") }, func(a *double.Account) { a.DeleteBucket("corpus") },
		func(a *double.Account) { a.Deploy("api", "none") }, func(a *double.Account) { a.EditConsumer("jobs-dlq", nil) },
	} {
		assert.Panics(t, func() { p.api.Edit(acme, mistake) })
	}
	assert.Panics(t, func() { p.api.Edit("nobody", nil) })
	assert.Panics(t, func() { p.api.Account("short", "x") })
	assert.Panics(t, func() { p.api.Zone("z", "x.example", "nobody") })
}

// Two accounts are used at once, each by several: none sees the other's, and of those who make the same one does.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t)
	var wait sync.WaitGroup
	made := make(chan string, 200)
	for _, who := range []struct{ account, token, mark string }{{acme, acmeToken, "a"}, {globex, globexToken, "g"}} {
		for range 4 {
			wait.Go(func() {
				for i := range 20 {
					name := fmt.Sprintf("%s-%d", who.mark, i)
					if got := w.as(who.token, "POST", "/accounts/"+who.account+"/queues", object{"queue_name": name}); got.status == http.StatusOK {
						made <- name
					} else {
						assert.Equal(t, http.StatusConflict, got.status)
					}
					assert.Equal(t, 200, w.as(who.token, "PUT", "/accounts/"+who.account+"/workers/scripts/"+name, worker(nil)).status)
					w.api.Requests()
				}
			})
		}
	}
	wait.Wait()
	close(made)
	assert.Len(t, made, 40)
	for account, mark := range map[string]string{acme: "a-", globex: "g-"} {
		w.api.Edit(account, func(a *double.Account) {
			assert.Len(t, a.Queues(), 20)
			for _, name := range append(a.Queues(), a.Scripts()...) {
				assert.Contains(t, name, mark)
			}
			assert.Len(t, a.Versions(mark+"0"), 4)
		})
	}
	assert.Len(t, w.api.Writes(), 320)
}

// The same, asked for in the same order, is the same: ids and times too.
func TestRunsAreAlike(t *testing.T) {
	assert.Equal(t, newPool(t).snapshot(), newPool(t).snapshot())
}

func TestServing(t *testing.T) {
	api := double.New()
	api.Account(acme, "acme")
	api.Token(acmeToken, double.Token{Accounts: []string{acme}})
	url, stop, err := double.Serve(api)
	require.NoError(t, err)
	w := &world{t, api, url + double.Root}
	w.acme("GET", "/queues", nil).ok()
	stop()
	_, err = http.Get(url)
	assert.Error(t, err)
}

func TestAnalytics(t *testing.T) {
	w := newWorld(t)
	got := w.acme("POST", "/analytics_engine/sql", "SELECT 1")
	assert.JSONEq(t, `{"meta": [], "data": [], "rows": 0, "rows_before_limit_at_least": 0}`, string(got.body))
	w.api.Analytics = func(account, query string) []map[string]any {
		return []map[string]any{{"account": account, "query": query}}
	}
	got = w.acme("POST", "/analytics_engine/sql", "SELECT 2")
	assert.JSONEq(t, `{"meta": [{"name": "account", "type": "String"}, {"name": "query", "type": "String"}], "data": [{"account": "`+acme+`", "query": "SELECT 2"}],
		"rows": 1, "rows_before_limit_at_least": 1}`, string(got.body))
}
