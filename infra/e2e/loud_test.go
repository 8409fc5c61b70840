package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/mcp/mcptest"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
	"levada.dev/tenants/seal"
)

// loud is a tenant whose requests have the canary wherever there is room for it.
type loud struct {
	sender
	server   string            // has the canary in its address, and says it: well, or as the last part of a path says
	lines    map[string]line   // that the requests should have, by trace
	bodies   map[string]bool   // the operations whose body had the canary
	jobs     []string          // that were begun
	sessions map[string]string // of the Model Context Protocol, by revision
}

// line is what the line of a request should say.
type line struct{ route, tenant string }

// shouts makes a tenant that is loud in its configuration, too, with a source that signs and tools of its own.
func shouts(t *testing.T, name string) *loud {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(says))
	t.Cleanup(server.Close)
	l := &loud{server: server.URL + "/" + canary, lines: map[string]line{}, bodies: map[string]bool{}, sessions: map[string]string{}}
	id := tenants.ID(name + "-" + uuid.NewString()[:8])
	l.user = user{t, platform.URL, string(id), ""}
	var err error
	l.secret, err = tenants.NewSecret(rand.Reader)
	require.NoError(t, err)
	key, err := seal.ParseKey(platform.Vault.SealKey)
	require.NoError(t, err)
	sealed, err := key.Seal(l.secret, string(id), "cms-1")
	require.NoError(t, err)
	require.NoError(t, platform.KV(stack.API, "CONFIG").Put(t.Context(), "secret/"+string(id)+"/cms-1", []byte(sealed)))
	input := json.RawMessage(`{"type":"object","properties":{"how":{"type":"string"},"note":{"type":"string"}},"required":["how"]}`)
	l.user.key = l.publish(func(c *tenants.Config) {
		c.Name, c.Chat.System = canary, "You are "+canary+"."
		c.Sources = []tenants.Source{{ID: "cms", Name: canary, Webhook: &tenants.Webhook{Secrets: []string{"cms-1"}}}}
		c.Ingest.Fetch.Private = true
		c.Tools = tenants.Tools{Enabled: []string{"calculator", "ask_shop", "ask_nobody"}, InChat: []string{"ask_shop"}, HTTP: []tenants.HTTPTool{
			{Name: "ask_shop", Description: canary, Method: http.MethodGet, URL: l.server + "/{how}", Private: true, Input: input},
			{Name: "ask_nobody", Description: canary, URL: "https://" + canary + ".invalid/{how}", Input: input},
		}}
	})
	return l
}

// says is a server of which everything has the canary.
func says(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Canary", canary)
	said := fmt.Sprintf(`{"said":%q}`, canary)
	if strings.Contains(r.URL.Path, "/tenant/") { // it is taken for another deployment
		w.WriteHeader(http.StatusConflict)
		said = fmt.Sprintf(`{"ok":false,"error":{"code":%q,"message":%[1]q}}`, canary)
	}
	switch path.Base(r.URL.Path) {
	case "page":
		w.Header().Set("Content-Type", "text/html")
		said = "<html><head><title>" + canary + "</title></head><body><main><p>The robin of " + canary + " sings in winter.</p></main></body></html>"
	case "404":
		w.WriteHeader(http.StatusNotFound)
	case "500":
		w.WriteHeader(http.StatusInternalServerError)
	case "broken":
		said = said[:len(said)-2]
	case "cut":
		w.Header().Set("Content-Length", "100")
	case "moved":
		w.Header().Set("Location", "http://169.254.169.254/"+canary)
		w.WriteHeader(http.StatusFound)
	case "nowhere":
		w.Header().Set("Location", "http://"+canary+"!.example.com/") // no name of a host
		w.WriteHeader(http.StatusFound)
	}
	_, _ = w.Write([]byte(said))
}

// ask sends a request with all its headers. The route is what its line should say.
func (l *loud) ask(method, path, route string, body any, headers ...string) answer {
	l.t.Helper()
	is := line{route, l.tenant}
	if route == "/" || len(headers) > 0 && headers[0] == "authorization" {
		is.tenant = "" // nobody's
	}
	a := l.do(method, path, body, slices.Concat([]string{
		"x-user-id", canary, "user-agent", canary, "referer", "https://" + canary + ".example.com", "cookie", "s=" + canary, "tracestate", "v=" + canary, "baggage", "k=" + canary,
		"traceparent", "00-" + canary + "-00f067aa0ba902b7-01", "x-request-id", (canary + strings.Repeat("0", 36))[:36], "idempotency-key", canary + uuid.NewString(),
	}, headers)...)
	require.Len(l.t, a.Header.Get("traceparent"), 55)
	l.lines[a.Header.Get("traceparent")[3:35]] = is
	text, isText := body.(string)
	if !isText {
		raw, err := json.Marshal(body)
		require.NoError(l.t, err)
		text = string(raw)
	}
	if strings.Contains(text, canary) {
		l.bodies[method+" "+route] = true
	}
	return a
}

// take is ask for what is not refused. Whatever it begins comes to its end in rest.
func (l *loud) take(method, path, route string, body any, headers ...string) answer {
	l.t.Helper()
	a := l.ask(method, path, route, body, headers...)
	require.Less(l.t, a.Status, 300, "%s %s: %s", method, path, a.Body)
	var began struct {
		JobID    string
		Accepted []struct{ JobID string }
	}
	if json.Unmarshal(a.Data, &began) == nil {
		if began.JobID != "" && !strings.HasPrefix(route, "/tts") {
			l.jobs = append(l.jobs, began.JobID)
		}
		for _, one := range began.Accepted {
			l.jobs = append(l.jobs, one.JobID)
		}
	}
	return a
}

// rest waits for the end of all that was begun.
func (l *loud) rest() {
	l.t.Helper()
	for _, id := range l.jobs {
		l.finished(id)
	}
}

// deliver signs events and sends them.
func (l *loud) deliver(contentType, body string) answer {
	l.t.Helper()
	return l.take(http.MethodPost, "/ingest/webhooks/cms", "/ingest/webhooks/{sourceId}", body, l.signed(canary+uuid.NewString(), time.Now(), contentType, body)...)
}

// message sends a message of the Model Context Protocol.
func (l *loud) message(revision, method string, params map[string]any) answer {
	l.t.Helper()
	body, header := mcptest.Message(revision, method, params)
	var headers []string
	for name := range header {
		headers = append(headers, name, header.Get(name))
	}
	if session := l.sessions[revision]; session != "" {
		headers = append(headers, "Mcp-Session-Id", session)
	}
	a := l.ask(http.MethodPost, "/mcp", "/mcp", json.RawMessage(body), headers...)
	if method == "initialize" {
		l.sessions[revision] = a.Header.Get("Mcp-Session-Id")
	}
	return a
}
