package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/logbook"
)

// Two tenants send a canary as everything that people write: texts, titles, names, queries, arguments, messages of webhooks, headers and keys, and much of it so that it
// is refused or fails. No line has it, here and at the end of the suite (clean), and each request has its line, of its own tenant.
func TestWhatPeopleWriteIsNotLogged(t *testing.T) {
	for _, name := range []string{"robin", "wren"} {
		u := newcomer(t, name)
		said := func(text string) string { return canary + " " + text + " " + canary + ".person@canary.example" }
		loud := []string{"x-user-id", canary, "user-agent", canary, "referer", "https://" + canary + ".example.com", "cookie", "s=" + canary, "tracestate", "v=" + canary, "baggage", "k=" + canary}
		u.index(document{Text: said("The robin sings in winter."), Title: canary, Source: "https://" + canary + ".example.com/a", Metadata: map[string]any{"category": canary}})
		type line struct{ route, tenant string }
		want := map[string]line{} // by trace
		ask := func(method, path, route string, body any, headers ...string) {
			whose := u.tenant
			if route == "/" || len(headers) > 0 && headers[0] == "authorization" {
				whose = "" // nobody's
			}
			a := u.do(method, path, body, append(headers, loud...)...)
			require.Len(t, a.Header.Get("traceparent"), 55)
			want[a.Header.Get("traceparent")[3:35]] = line{route, whose}
		}
		ask(http.MethodPost, "/search", "/search", map[string]any{"query": said("Who sings?"), "answer": false, "filter": map[string]any{"category": canary}})
		ask(http.MethodPost, "/search", "/search", map[string]any{"query": said("Who sings? ") + script(map[string]any{"tokens": []string{canary, " [1]."}})})
		ask(http.MethodPost, "/chat", "/chat", map[string]any{"message": said("") + script(map[string]any{"tokens": []string{canary}}), "stream": false})
		ask(http.MethodPost, "/chat", "/chat", map[string]any{"message": said("") + script(map[string]any{"status": 500}), "stream": false})
		ask(http.MethodPost, "/chat", "/chat", map[string]any{"message": canary, "model": canary, canary: canary})
		ask(http.MethodPost, "/chat", "/chat", map[string]any{"message": said("Call +41 71 526 88 77."), "sessionId": "no such: " + canary})
		ask(http.MethodGet, "/documents/"+canary+".person@canary.example", "/documents/{id}", nil)
		ask(http.MethodPost, "/v1/chat/completions", "/v1/chat/completions", map[string]any{"model": "default", "user": canary, "messages": []map[string]string{{"role": "user", "content": said("")}}})
		ask(http.MethodPost, "/v1/embeddings", "/v1/embeddings", map[string]any{"model": canary, "input": canary})
		ask(http.MethodPost, "/tools/execute", "/tools/execute", map[string]any{"tool_name": "calculator", "params": map[string]any{"expression": canary}})
		ask(http.MethodPost, "/tools/execute", "/tools/execute", map[string]any{"tool_name": canary, "params": map[string]any{canary: canary}})
		ask(http.MethodPost, "/tts", "/tts", map[string]any{"text": said("Sing."), "voice": canary})
		ask(http.MethodPost, "/ingest", "/ingest", `{"text": "`+canary)
		ask(http.MethodPost, "/ingest", "/ingest", map[string]any{"url": "https://" + canary + ".invalid/", canary: canary})
		ask(http.MethodPost, "/ingest/webhooks/"+canary, "/ingest/webhooks/{sourceId}", said(""), "webhook-id", canary, "webhook-signature", "v1,"+canary)
		ask(http.MethodGet, "/documents?cursor="+canary, "/documents", nil)
		ask(http.MethodGet, "/"+canary+"?"+canary+"="+canary, "/", nil)
		ask(http.MethodGet, "/documents", "/documents", nil, "authorization", "Bearer lv_"+canary)
		for trace, is := range want {
			var lines []logbook.Line
			eventually(t, "the request has its line", func() bool {
				lines = requestLines(t, trace)
				return len(lines) > 0
			})
			assert.Len(t, lines, 1)
			assert.Equal(t, is, line{lines[0].Route, lines[0].Tenant}, "%s", lines[0].Raw)
		}
	}
	require.NoError(t, clean(sharedState))
}

// requestLines are the lines of the requests of a trace.
func requestLines(t *testing.T, trace string) (lines []logbook.Line) {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(sharedState, "workers.log"))
	require.NoError(t, err)
	for raw := range bytes.Lines(log) {
		if !bytes.Contains(raw, []byte(trace)) { // the log is long, and read again and again
			continue
		}
		l := logbook.Parse(bytes.TrimSpace(raw))
		if l.Message == "request" && l.Trace == trace {
			lines = append(lines, l)
		}
	}
	return lines
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
