package e2e

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
	"levada.dev/tenants"
	"levada.dev/tenants/seal"
)

// shop is a tenant with tools of its own, and the server that they call.
type shop struct {
	user
	secret string
	asked  chan *http.Request // what the server was asked, without the body
	left   chan struct{}      // a caller of /slow has left
}

// opens makes a tenant whose tools call a server of this machine, which says whose it is.
func opens(t *testing.T, name string) *shop {
	t.Helper()
	s := &shop{secret: "sk_live_" + uuid.NewString(), asked: make(chan *http.Request, 100), left: make(chan struct{}, 1)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked <- r.Clone(t.Context())
		_, _ = io.Copy(io.Discard, r.Body) // a server hears of who leaves once it has read the request
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
			s.left <- struct{}{}
		case "/orders/packed", "/orders/much":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"shop":"`+strings.Repeat("x", map[bool]int{true: 4 << 20, false: 10}[r.URL.Path == "/orders/much"])+`"}`)
			_ = z.Close()
		case "/orders/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"shop":"`)
		case "/orders/metadata":
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		case "/orders/elsewhere":
			http.Redirect(w, r, strings.Replace("http://"+r.Host, "127.0.0.1", "localhost", 1)+"/orders/5", http.StatusFound)
		case "/orders/404":
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"internal":"`+s.secret+`"}`)
		default:
			_, _ = io.WriteString(w, `{"shop":"`+name+`","path":"`+r.URL.Path+`","auth":"`+r.Header.Get("Authorization")+`"}`)
		}
	}))
	t.Cleanup(server.Close)
	id := tenants.ID(name + "-" + uuid.NewString()[:8])
	s.user = user{t, platform.URL, string(id), ""}
	key, err := seal.ParseKey(platform.Vault.SealKey)
	require.NoError(t, err)
	sealed, err := key.Seal(s.secret, string(id), "shop-api")
	require.NoError(t, err)
	require.NoError(t, platform.KV(stack.API, "CONFIG").Put(t.Context(), "secret/"+string(id)+"/shop-api", []byte(sealed)))
	s.user.key = s.publish(func(c *tenants.Config) {
		c.Auth, c.Tools = tenants.Auth{}, tenants.Tools{
			HTTP: []tenants.HTTPTool{
				{Name: "order_status", Description: "Where an order is.", Method: "GET", URL: server.URL + "/orders/{order}", Private: true, Auth: &tenants.ToolAuth{Secret: "shop-api"},
					Input: json.RawMessage(`{"type":"object","required":["order"],"additionalProperties":false,"properties":{"order":{"type":"string"}}}`)},
				{Name: "place_order", Description: "Places one.", URL: server.URL + "/orders", Private: true, Auth: &tenants.ToolAuth{Secret: "shop-api"}, Input: json.RawMessage(`{"type":"object"}`)},
				{Name: "slow_order", Description: "Takes long.", URL: server.URL + "/slow", Private: true, TimeoutSeconds: 1, Input: json.RawMessage(`{"type":"object"}`)},
				{Name: "metadata", Description: "What a cloud knows of this machine.", Method: "GET", URL: "http://169.254.169.254/latest/meta-data/", Private: true, Input: json.RawMessage(`{"type":"object"}`)},
				{Name: "printer", Description: "Not declared as private.", Method: "GET", URL: "https://127.0.0.1/", Input: json.RawMessage(`{"type":"object"}`)},
				{Name: "hidden", Description: "Not enabled.", URL: server.URL, Private: true, Input: json.RawMessage(`{"type":"object"}`)},
			},
			Enabled: []string{"order_status", "place_order", "slow_order", "metadata", "printer"}, InChat: []string{"order_status"},
		}
	})
	return s
}

// seen is the request that the server was asked last.
func (s *shop) seen() *http.Request {
	s.t.Helper()
	require.NotEmpty(s.t, s.asked)
	return <-s.asked
}

type order struct{ Shop, Path, Auth string }

// Two tenants whose tools have the same names and the same name of a secret, on the real platform: each calls its own server with its own secret, which
// nobody sees; by HTTP, by the Model Context Protocol and in a turn.
func TestToolsOfATenantsOwn(t *testing.T) {
	for _, s := range []*shop{opens(t, "florist"), opens(t, "grocer")} {
		name := s.tenant[:len(s.tenant)-9]
		want := order{name, "/orders/7", "Bearer [secret]"}
		assert.Equal(t, []string{"metadata", "order_status", "place_order", "printer", "slow_order"}, s.tools())
		assert.Equal(t, want, runs[order](s.user, "order_status", map[string]any{"order": "7"}))
		r := s.seen()
		assert.Equal(t, []string{"GET", "Bearer " + s.secret, ""}, []string{r.Method, r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key")})
		for _, header := range []string{"X-Tenant-Id", "X-User-Id", "Cookie"} {
			assert.Empty(t, r.Header.Get(header))
		}
		assert.Regexp(t, traceParent, r.Header.Get("Traceparent"), "its own logs find the request by it")

		key := uuid.NewString()
		for range 2 { // the second is the first one's answer
			assert.Equal(t, name, runs[order](s.user, "place_order", map[string]any{"n": 1}, "Idempotency-Key", key).Shop)
		}
		r = s.seen()
		assert.Equal(t, []any{"POST", int64(len(`{"n":1}`)), true}, []any{r.Method, r.ContentLength, r.Header.Get("Idempotency-Key") != ""})
		assert.Empty(t, s.asked, "once")

		a := s.tool("slow_order", `{}`)
		assert.Equal(t, []any{http.StatusGatewayTimeout, "EXECUTION_TIMEOUT"}, []any{a.Status, a.Error.Code})
		<-s.left
		_ = s.seen()
		for tool, params := range map[string]string{"metadata": `{}`, "printer": `{}`, "order_status": `{"order":"404"}`} {
			a := s.tool(tool, params)
			assert.Equal(t, []any{http.StatusBadGateway, "EXECUTION_ERROR"}, []any{a.Status, a.Error.Code}, "%s", a.Body)
			code := map[bool]string{true: "outside_refused", false: "address_denied"}[tool == "order_status"]
			assert.Contains(t, string(a.Body), code)
			assert.NotContains(t, string(a.Body), "internal")
			assert.Equal(t, code, s.act("calls/"+a.Error.Details.AuditID).Code)
		}
		_ = s.seen()
		for path, code := range map[string]string{"much": "outside_too_large", "cut": "outside_unreachable", "metadata": "address_denied"} {
			a := s.tool("order_status", `{"order":"`+path+`"}`)
			assert.Contains(t, string(a.Body), `"toolCode":"`+code+`"`, path)
			_ = s.seen()
		}
		assert.Equal(t, "xxxxxxxxxx", runs[order](s.user, "order_status", map[string]any{"order": "packed"}).Shop)
		_ = s.seen()
		assert.Empty(t, runs[order](s.user, "order_status", map[string]any{"order": "elsewhere"}).Auth, "another host is not shown the secret")
		assert.Equal(t, []string{"Bearer " + s.secret, ""}, []string{s.seen().Header.Get("Authorization"), s.seen().Header.Get("Authorization")})
		a = s.tool("order_status", `{"order":"../admin"}`)
		assert.Equal(t, []any{http.StatusBadRequest, "params.order"}, []any{a.Status, a.Error.Details.Field})
		a = s.tool("hidden", `{}`)
		assert.Equal(t, http.StatusNotFound, a.Status)
		assert.Empty(t, s.asked)

		s.speaks(want)
		s.talks(name)
		logs, err := os.ReadFile(filepath.Join(sharedState, "workers.log"))
		require.NoError(t, err)
		assert.NotContains(t, string(logs), s.secret)
	}
	assert.NotContains(t, as(t, "acme").tools(), "order_status")
}

// speaks calls a tool by the Model Context Protocol.
func (s *shop) speaks(want order) {
	t := s.t
	t.Helper()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).
		Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: withKey(t, s.user) + "/mcp"}, nil)
	require.NoError(t, err)
	listed := map[string]*mcp.Tool{}
	for tool, err := range session.Tools(t.Context(), nil) {
		require.NoError(t, err)
		listed[tool.Name] = tool
	}
	require.Contains(t, listed, "order_status")
	assert.True(t, listed["order_status"].Annotations.ReadOnlyHint)
	assert.True(t, *listed["order_status"].Annotations.OpenWorldHint)
	called, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "order_status", Arguments: map[string]any{"order": "7"}})
	require.NoError(t, err)
	require.False(t, called.IsError)
	said, err := json.Marshal(called.StructuredContent)
	require.NoError(t, err)
	var got order
	require.NoError(t, json.Unmarshal(said, &got))
	assert.Equal(t, want, got)
	assert.Equal(t, "Bearer "+s.secret, s.seen().Header.Get("Authorization"))
	require.NoError(t, session.Close())
}

// talks has a model call a tool.
func (s *shop) talks(name string) {
	t := s.t
	t.Helper()
	message := script([]any{
		map[string]any{"toolCalls": []any{map[string]any{"id": "c1", "name": "order_status", "arguments": map[string]any{"order": "8"}}}},
		map[string]any{"tokens": []string{"It is on its way."}},
	})
	turn, err := s.say(message, map[string]any{"sessionId": "own-" + uuid.NewString()}, "Idempotency-Key", uuid.NewString())
	require.NoError(t, err)
	all, err := turn.rest()
	require.NoError(t, err)
	assert.Equal(t, "It is on its way.", said(all))
	came := outcomes(all)
	require.Len(t, came, 1)
	assert.JSONEq(t, `{"shop":"`+name+`","path":"/orders/8","auth":"Bearer [secret]"}`, came[0])
	assert.Equal(t, "/orders/8", s.seen().URL.Path)
}
