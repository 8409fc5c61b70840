package localai

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var hash1 = object{"text": "one"}

const hashed = "@local/embed-hash"

func TestLog(t *testing.T) {
	dir := t.TempDir()
	c := start(t, Options{State: dir})
	r := c.run("@cf/baai/bge-m3", hash1, acme(object{"eventId": "e1"}))
	id := r.header.Get("cf-aig-log-id")
	assert.Equal(t, uuid.Version(7), uuid.MustParse(id).Version())

	got := c.get("/gateways/levada/logs/" + id).json(t)["result"].(object)
	assert.Equal(t, id, got["id"])
	assert.Equal(t, "workers-ai", got["provider"])
	assert.Equal(t, object{"tenant_id": "acme", "route": "chat"}, got["metadata"])
	assert.Equal(t, "e1", got["event_id"])
	assert.Equal(t, 404, c.get("/gateways/other/logs/"+id).status)
	assert.Equal(t, 404, c.get("/gateways/levada/logs/none").status)

	patch := func(body string) int {
		request, err := http.NewRequest("PATCH", c.url+"/gateways/levada/logs/"+id, strings.NewReader(body))
		require.NoError(t, err)
		return c.do(request).status
	}
	assert.Equal(t, 200, patch(`{"score": 70, "metadata": {"tenant_id": "acme", "verdict": "good"}}`))
	assert.Equal(t, 400, patch(`{"metadata": {"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}}`))
	assert.Equal(t, 400, patch(`no`))

	c.run(hashed, hash1, nil)
	c.run(hashed, hash1, acme(object{"collectLog": false}))
	assert.Equal(t, 1, c.logs(nil).Info.Total)
	ungated := c.page("/ungated").Result
	require.Len(t, ungated, 1, "a call past the gateway is seen")
	assert.Equal(t, hashed, ungated[0].Model)

	// The log survives a kill in the middle of a line, and says the same again.
	before := c.logs(nil)
	path := filepath.Join(dir, "gateway.jsonl")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(whole, `{"gateway":"levada","log":{"id":"to`...), 0o644))
	again := start(t, Options{State: dir})
	assert.Equal(t, before, again.logs(nil))
	assert.Equal(t, 70.0, *again.last().Score)
	assert.Equal(t, "good", again.last().Metadata["verdict"])
	again.run(hashed, hash1, acme(nil))
	assert.Equal(t, 2, start(t, Options{State: dir}).logs(nil).Info.Total)

	require.NoError(t, os.WriteFile(path, append([]byte("not JSON\n"), whole...), 0o644))
	_, err = New(Options{State: dir, Weights: weights})
	assert.ErrorContains(t, err, "byte 0")
}

func TestLogFilters(t *testing.T) {
	c := start(t, Options{})
	for i := range 12 {
		tenant := []string{"acme", "globex"}[i%2]
		c.run(hashed, hash1, object{"id": "levada", "metadata": object{"tenant_id": tenant, "other": "acme", "n": i}})
	}
	c.run("@cf/none/such", hash1, object{"id": "levada"})
	count := func(filters string) int { return c.logs(url.Values{"filters": {filters}}).Info.Total }
	for filters, want := range map[string]int{
		`[]`: 13,
		`[{"key":"metadata.key","operator":"eq","value":["tenant_id"]},{"key":"metadata.value","operator":"eq","value":["acme"]}]`: 6,
		`[{"key":"metadata.value","operator":"eq","value":["acme"]}]`:                                                              12,
		`[{"key":"metadata.key","operator":"neq","value":["tenant_id"]}]`:                                                          1,
		`[{"key":"metadata.key","operator":"eq","value":["n"]},{"key":"metadata.value","operator":"lt","value":[3]}]`:              3,
		`[{"key":"success","operator":"eq","value":[false]}]`:                                                                      1,
		`[{"key":"model","operator":"contains","value":["hash"]}]`:                                                                 12,
		`[{"key":"status_code","operator":"gt","value":[399]},{"key":"cached","operator":"eq","value":[false]}]`:                   1,
		`[{"key":"model","operator":"eq","value":["@local/embed-hash","@cf/none/such"]}]`:                                          13,
	} {
		assert.Equal(t, want, count(filters), filters)
	}
	for _, query := range []string{"filters=no", "per_page=51", "page=0", "page=x",
		"filters=" + url.QueryEscape(`[{"key":"colour","operator":"eq","value":[1]}]`),
		"filters=" + url.QueryEscape(`[{"key":"cost","operator":"about","value":[1]}]`),
		"filters=" + url.QueryEscape(`[{"key":"cost","operator":"lt","value":["x"]}]`)} {
		assert.Equal(t, 400, c.get("/gateways/levada/logs?"+query).status, query)
	}

	seen := map[string]bool{}
	for _, number := range []string{"1", "2", "3", "4"} {
		p := c.logs(url.Values{"page": {number}, "per_page": {"5"}})
		assert.Equal(t, 13, p.Info.Total)
		for _, log := range p.Result {
			assert.False(t, seen[log.ID])
			seen[log.ID] = true
		}
	}
	assert.Len(t, seen, 13)
	assert.Equal(t, "@cf/none/such", c.last().Model, "newest first")
}

func TestCache(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	c := start(t, Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	status := func(inputs, gateway object) string {
		return c.run(hashed, inputs, gateway).header.Get("cf-aig-cache-status")
	}
	ttl := acme(object{"cacheTtl": 60})
	assert.Equal(t, "BYPASS", status(hash1, acme(nil)))
	assert.Equal(t, "MISS", status(hash1, ttl))
	assert.Equal(t, "HIT", status(hash1, ttl))
	assert.True(t, c.last().Cached)
	assert.Zero(t, c.last().TokensIn)
	assert.Equal(t, "MISS", status(object{"text": "two"}, ttl))
	assert.Equal(t, "MISS", status(hash1, object{"id": "other", "cacheTtl": 60}))
	assert.Equal(t, "BYPASS", status(hash1, acme(object{"cacheTtl": 60, "skipCache": true})))
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	assert.Equal(t, "MISS", status(hash1, ttl))

	key := acme(object{"cacheKey": "acme:answer"})
	assert.Equal(t, "MISS", status(hash1, key))
	assert.Equal(t, "HIT", status(object{"text": "anything"}, key), "a key is shared by whoever sends it")

	failing := scriptOf(object{"error": object{"code": 3040, "status": 429, "text": "busy"}, "times": 1, "tokens": []string{"ok"}})
	assert.Equal(t, 429, c.run("@local/script", failing, ttl).status)
	assert.Equal(t, 200, c.run("@local/script", failing, ttl).status, "errors are not kept")
}

func TestRetries(t *testing.T) {
	c := start(t, Options{})
	fails := func(code, status, times int) object {
		return scriptOf(object{"error": object{"code": code, "status": status, "text": "no"}, "times": times, "tokens": []string{"ok"}})
	}
	three := acme(object{"retries": object{"maxAttempts": 3, "retryDelayMs": 1, "backoff": "exponential"}})
	assert.Equal(t, 200, c.run("@local/script", fails(3040, 429, 2), three).status)
	assert.Equal(t, 2, c.last().Step)
	assert.Equal(t, 1, c.logs(nil).Info.Total, "one call, one line")
	assert.Equal(t, 429, c.run("@local/script", fails(3040, 429, 3), three).status)
	assert.Equal(t, 429, c.run("@local/script", fails(3036, 429, 1), three).status, "a used-up quota is not retried")
	assert.Equal(t, 200, c.run("@local/script", streaming(fails(3043, 500, 1)), three).status)
}

func TestRequestTimeout(t *testing.T) {
	c := start(t, Options{})
	r := c.run("@local/script", scriptOf(object{"tokens": []string{"late"}, "firstDelayMs": 3_600_000}), acme(object{"requestTimeoutMs": 1}))
	assert.Equal(t, http.StatusRequestTimeout, r.status)
	assert.Equal(t, 3007.0, r.json(t)["internalCode"])
}

func TestRejectIfBusy(t *testing.T) {
	c := start(t, Options{Capacity: 1})
	c.server.slots <- struct{}{} // a call that runs
	envelope := object{"inputs": hash1, "options": object{"rejectIfBusy": true, "gateway": acme(nil)}}
	assert.Equal(t, 3040.0, c.send(hashed, envelope).json(t)["internalCode"])
	<-c.server.slots
	assert.Equal(t, 200, c.send(hashed, envelope).status)
}

// TestClientLeaves: a call whose caller goes away ends, and is logged with what it
// used.
func TestClientLeaves(t *testing.T) {
	c := start(t, Options{})
	ctx, leave := context.WithCancel(t.Context())
	inputs := streaming(scriptOf(object{"tokens": []string{"first", "never"}, "delayMs": 3_600_000}))
	body, err := json.Marshal(object{"inputs": inputs, "options": object{"gateway": acme(nil)}})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(ctx, "POST", c.url+"/ai-gateway/run", bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("cf-consn-model-id", "@local/script")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	first, err := bufio.NewReader(response.Body).ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, first, "first")
	leave()
	response.Body.Close()
	c.listener.Close() // waits for every call
	logs := c.server.Logs("levada")
	require.Len(t, logs, 1)
	assert.Equal(t, clientClosed, logs[0].StatusCode)
	assert.False(t, logs[0].Success)
	assert.Positive(t, logs[0].TokensOut)
}
