package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/logbook"
	"levada.dev/infra/mcp/mcptest"
)

// Two tenants send a canary as everything that people write: texts, titles, names, queries, arguments, messages of webhooks, headers and keys, what their own servers say, and much of it so that it
// is refused or fails. No line has it, here and at the end of the suite (clean), and each request has its line, of its own tenant. Each operation of the contract that takes a body had it there.
func TestWhatPeopleWriteIsNotLogged(t *testing.T) {
	for _, name := range []string{"robin", "wren"} {
		u := shouts(t, name)
		said := func(text string) string { return canary + " " + text + " " + canary + ".person@canary.example" }
		winter := map[string]any{"text": said("The robin sings in winter."), "title": canary, "source": "https://" + canary + ".example.com/a", "metadata": map[string]any{"category": canary}}
		spoken := func(turn any) map[string]any {
			return map[string]any{"message": said("") + script(turn), "stream": false}
		}

		u.take(http.MethodPost, "/ingest?wait=60s", "/ingest", winter)
		u.take(http.MethodPut, "/documents/winter", "/documents/{id}", winter)
		u.ask(http.MethodPut, "/documents/"+canary, "/documents/{id}", map[string]any{"text": canary, canary: canary})
		u.ask(http.MethodGet, "/documents/"+canary+".person@canary.example", "/documents/{id}", nil)
		u.ask(http.MethodGet, "/documents?cursor="+canary, "/documents", nil)
		u.ask(http.MethodPost, "/ingest", "/ingest", `{"text": "`+canary)
		u.ask(http.MethodPost, "/ingest", "/ingest", map[string]any{"url": "https://" + canary + ".invalid/", canary: canary})
		u.ask(http.MethodPost, "/ingest", "/ingest", winter, "idempotency-key", strings.Repeat(canary, 30))
		for _, page := range []string{u.server + "/page", u.server + "/404", u.server + "/moved", u.server + "/nowhere"} {
			u.take(http.MethodPost, "/ingest", "/ingest", map[string]any{"url": page})
		}
		u.ask(http.MethodPost, "/ingest", "/ingest", map[string]any{"url": "https://" + canary + ".invalid/"}) // is tried for long
		row, err := json.Marshal(winter)
		require.NoError(t, err)
		lines := string(row) + "\n" + `{"text": "` + canary + "\n" + `{"text":"` + canary + `","` + canary + `":1}` + "\n"
		u.take(http.MethodPost, "/ingest/batch", "/ingest/batch", lines, "content-type", "application/x-ndjson")
		u.ask(http.MethodPost, "/ingest/batch", "/ingest/batch", canary, "content-type", "application/x-ndjson")
		u.take(http.MethodPost, "/imports", "/imports", map[string]any{"urls": []string{u.server + "/page", u.server + "/404", "mailto:" + canary + "@canary.example"}, "source": canary})
		u.take(http.MethodPost, "/imports", "/imports", map[string]any{"sitemap": u.server + "/broken", "source": canary})
		u.take(http.MethodPost, "/imports", "/imports", map[string]any{"prefix": canary + "/"})
		u.ask(http.MethodPost, "/imports", "/imports", map[string]any{"sitemap": canary, canary: canary})
		event := `{"specversion":"1.0","id":"2","source":"/` + canary + `","type":"com.example.` + canary + `","subject":"hook/2","` + strings.ReplaceAll(canary, "-", "") + `":"` + canary + `","data":`
		u.deliver("application/cloudevents+json", event+string(row)+"}")
		u.deliver(batchOfEvents, "["+written("1", "/"+canary, string(row))+","+event+`{"`+canary+`":1}},{"specversion":"1.0","source":"`+canary+`","type":"`+canary+`"}]`)
		u.ask(http.MethodPost, "/ingest/webhooks/cms", "/ingest/webhooks/{sourceId}", said(""), u.signed(canary, time.Now(), "application/cloudevents+json", said(""))...)
		u.ask(http.MethodPost, "/ingest/webhooks/cms", "/ingest/webhooks/{sourceId}", said(""), u.signed(canary, time.Now(), "application/cloudevents+json", "another")...)
		u.ask(http.MethodPost, "/ingest/webhooks/"+canary, "/ingest/webhooks/{sourceId}", said(""), "webhook-id", canary, "webhook-signature", "v1,"+canary)

		u.take(http.MethodPost, "/search", "/search", map[string]any{"query": said("Who sings?"), "answer": false, "filter": map[string]any{"category": canary}})
		u.take(http.MethodPost, "/search", "/search", map[string]any{"query": said("Who sings? ") + script(map[string]any{"tokens": []string{canary, " [1]."}})})
		u.take(http.MethodPost, "/chat", "/chat", spoken(map[string]any{"tokens": []string{canary}}))
		u.take(http.MethodPost, "/chat", "/chat", spoken([]any{
			map[string]any{"toolCalls": []any{map[string]any{"id": "c1", "name": "ask_shop", "arguments": map[string]any{"how": "500", "note": canary}}}}, map[string]any{"tokens": []string{canary}},
		}))
		u.ask(http.MethodPost, "/chat", "/chat", spoken(map[string]any{"status": 500}))
		u.ask(http.MethodPost, "/chat", "/chat", map[string]any{"message": canary, "model": canary, canary: canary})
		u.ask(http.MethodPost, "/chat", "/chat", map[string]any{"message": said("Call +41 71 526 88 77."), "sessionId": "no such: " + canary})
		u.ask(http.MethodPost, "/v1/chat/completions", "/v1/chat/completions", map[string]any{"model": "default", "user": canary, "messages": []map[string]string{{"role": "user", "content": said("")}}})
		u.ask(http.MethodPost, "/v1/embeddings", "/v1/embeddings", map[string]any{"model": canary, "input": canary})
		u.take(http.MethodPost, "/v1/embeddings", "/v1/embeddings", map[string]any{"model": "default", "input": canary, "user": canary})
		u.take(http.MethodPost, "/v1/audio/speech", "/v1/audio/speech", map[string]any{"model": "default", "voice": "thalia", "input": said("Sing."), "response_format": "wav"})
		u.ask(http.MethodPost, "/v1/audio/speech", "/v1/audio/speech", map[string]any{"model": canary, "voice": canary, "input": canary, "instructions": canary})
		u.take(http.MethodPost, "/tts", "/tts", map[string]any{"text": said("Sing.")})
		u.ask(http.MethodPost, "/tts", "/tts", map[string]any{"text": said("Sing."), "voice": canary})

		u.ask(http.MethodPost, "/tools/execute", "/tools/execute", map[string]any{"tool_name": "calculator", "params": map[string]any{"expression": canary}})
		u.ask(http.MethodPost, "/tools/execute", "/tools/execute", map[string]any{"tool_name": canary, "params": map[string]any{canary: canary}})
		for _, how := range []string{"well", "404", "500", "broken", "cut", "moved", "nowhere", canary} {
			a := u.ask(http.MethodPost, "/tools/execute", "/tools/execute", map[string]any{"tool_name": "ask_shop", "params": map[string]any{"how": how, "note": said("")}})
			assert.Equal(t, how == "well" || how == canary, a.Status == http.StatusOK, "%s: %s", how, a.Body)
		}
		a := u.ask(http.MethodPost, "/tools/execute", "/tools/execute", map[string]any{"tool_name": "ask_nobody", "params": map[string]any{"how": canary}})
		assert.GreaterOrEqual(t, a.Status, 500, "%s", a.Body)
		for _, revision := range mcptest.Revisions {
			if revision < mcptest.Stateless {
				u.message(revision, "initialize", map[string]any{"protocolVersion": revision, "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": canary, "version": canary}})
			}
			for _, how := range []string{"well", "500"} {
				a := u.message(revision, "tools/call", map[string]any{"name": "ask_shop", "arguments": map[string]any{"how": how, "note": said("")}, "_meta": map[string]any{"progressToken": canary}})
				assert.Equal(t, http.StatusOK, a.Status, "%s", a.Body)
				assert.Equal(t, how != "well", strings.Contains(string(a.Body), `"isError":true`), "%s", a.Body)
			}
			u.message(revision, "tools/call", map[string]any{"name": canary, "arguments": map[string]any{canary: canary}})
			u.message(revision, "resources/read", map[string]any{"uri": "levada://documents/" + canary})
			u.message(revision, "prompts/get", map[string]any{"name": canary, "arguments": map[string]any{"question": canary}})
			u.message(revision, canary, map[string]any{canary: canary})
		}
		u.ask(http.MethodPost, "/mcp", "/mcp", `{"`+canary, "mcp-session-id", canary, "mcp-protocol-version", canary)

		rule := map[string]any{"name": said("Nothing"), "metric": "dead_letters", "comparator": "<", "threshold": 0, "period": "5m"}
		u.take(http.MethodPost, "/metrics/alerts", "/metrics/alerts", rule, "idempotency-key", canary)
		u.ask(http.MethodPost, "/metrics/alerts", "/metrics/alerts", map[string]any{"id": "other", "name": canary, "metric": canary, "comparator": canary, "threshold": 1, "period": canary}, "idempotency-key", canary)
		u.ask(http.MethodDelete, "/metrics/alerts/"+canary, "/metrics/alerts/{id}", nil)
		u.ask(http.MethodPost, "/usage/estimate", "/usage/estimate", map[string]any{"capability": "ingest", "model": canary, "documents": 1, "bytes": 1})
		u.ask(http.MethodPost, "/events/replay", "/events/replay", map[string]any{"codes": []string{canary}, "types": []string{canary}, "docId": canary, "dryRun": true})
		u.ask(http.MethodPost, "/events/replay", "/events/replay", map[string]any{"stages": []string{canary}, "cursor": canary})
		u.ask(http.MethodPost, "/tenant/embedding", "/tenant/embedding", map[string]any{"model": canary, "cursor": canary, "dryRun": true})
		u.take(http.MethodPost, "/tenant/export/documents", "/tenant/export/documents", map[string]any{"ids": []string{canary}})
		u.take(http.MethodPost, "/tenant/export/sessions", "/tenant/export/sessions", map[string]any{"sessions": []map[string]any{{"sessionId": canary}}})
		u.ask(http.MethodPost, "/tenant/transfer", "/tenant/transfer", map[string]any{"state": canary})
		u.ask(http.MethodPost, "/tenant/transfer/runs", "/tenant/transfer/runs", map[string]any{"from": "https://" + canary + ".invalid", "key": canary})
		u.take(http.MethodPost, "/tenant/transfer/runs", "/tenant/transfer/runs", map[string]any{"from": u.server, "key": u.key})
		u.ask(http.MethodGet, "/"+canary+"?"+canary+"="+canary, "/", nil)
		u.ask(http.MethodGet, "/documents", "/documents", nil, "authorization", "Bearer lv_"+canary)

		u.rest()
		for _, operation := range takesBody(t, u.user) {
			assert.True(t, u.bodies[operation], "%s takes a body, and was not sent the canary in one", operation)
		}
		var logged map[string][]logbook.Line
		own := func(trace string) (lines []logbook.Line) { // what a message of the Model Context Protocol asks for has a line beside the message's
			for _, l := range logged[trace] {
				if l.Route == u.lines[trace].route {
					lines = append(lines, l)
				}
			}
			return lines
		}
		eventually(t, "each request has its line", func() bool {
			logged = requestLines(t)
			for trace := range u.lines {
				if len(own(trace)) == 0 {
					return false
				}
			}
			return true
		})
		for trace, is := range u.lines {
			assert.Len(t, own(trace), 1, "%v", is)
			for _, l := range logged[trace] {
				assert.Equal(t, is.tenant, l.Tenant, "%s", l.Raw)
			}
		}
	}
	require.NoError(t, clean(sharedState))
}

// takesBody are the operations of the contract that take a body.
func takesBody(t *testing.T, u user) (operations []string) {
	t.Helper()
	var contract struct {
		Paths map[string]map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(u.do(http.MethodGet, "/openapi.json", nil).Body, &contract))
	for path, item := range contract.Paths {
		for method, raw := range item {
			var operation struct{ RequestBody json.RawMessage }
			if strings.EqualFold(method, "parameters") {
				continue
			}
			require.NoError(t, json.Unmarshal(raw, &operation))
			if operation.RequestBody != nil {
				operations = append(operations, strings.ToUpper(method)+" "+path)
			}
		}
	}
	require.Greater(t, len(operations), 20)
	return operations
}

// requestLines are the lines of all requests so far, by their traces.
func requestLines(t *testing.T) map[string][]logbook.Line {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(sharedState, "workers.log"))
	require.NoError(t, err)
	all := map[string][]logbook.Line{}
	for raw := range bytes.Lines(log) {
		if !bytes.Contains(raw, []byte(`"msg":"request"`)) { // the log is long, and read again and again
			continue
		}
		l := logbook.Parse(bytes.TrimSpace(raw))
		all[l.Trace] = append(all[l.Trace], l)
	}
	return all
}

// A line that should not be there is found, whoever wrote it: the check of the suite can fail.
func TestTheCheckOfTheLogFinds(t *testing.T) {
	const line = `{"time":"2026-11-23T09:00:00Z","level":"WARN","msg":"search not cached","worker":"api","tenantId":"acme","error":"no"}`
	var secret string
	for _, key := range platform.Keys {
		secret = key
	}
	for what, wrong := range map[string]bool{line: false, strings.Replace(line, `"no"`, `"`+canary+`"`, 1): true, "panic: " + canary: true, strings.Replace(line, `"no"`, `"`+secret+`"`, 1): true,
		strings.Replace(line, `"error"`, `"query"`, 1): true, "panic: at " + time.Now().String(): false} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "workers.log"), []byte(line+"\n"+what+"\n"), 0o600))
		assert.Equal(t, wrong, clean(dir) != nil, what)
	}
}
