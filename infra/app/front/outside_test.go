package front_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/app"
	"levada.dev/infra/app/front"
	"levada.dev/infra/mcp"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/mcp/line/linetest"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/llm/llmtest"
)

// platform is the API on the ports in memory, for two tenants.
type platform struct {
	t       *testing.T
	handler http.Handler
	url     string
	keys    tenants.Keys
	vault   *tenants.Vault

	mu   sync.Mutex
	sent []string // method, address and what opens it
}

// newPlatform is one that listens, whose tenants have a tool of one name.
func newPlatform(t *testing.T) *platform {
	p := build(t, func(c *tenants.Config) {
		c.Models.Chat = "@local/script"
		c.Tools = tenants.Tools{Enabled: []string{"order_status"}, InChat: []string{"order_status"}, HTTP: []tenants.HTTPTool{{
			Name: "order_status", Description: "Where an order is.", Method: "GET", URL: "https://" + string(c.ID) + ".example.com/orders/{order}",
			Input: json.RawMessage(`{"type":"object","required":["order"],"properties":{"order":{"type":"string"}}}`), Auth: &tenants.ToolAuth{Secret: "shop-api"},
		}}}
	})
	s := httptest.NewServer(p.handler)
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

// build is a platform whose tenants have what change gives them.
func build(t *testing.T, change func(c *tenants.Config)) *platform {
	p := &platform{t: t}
	var configs []tenants.Config
	for _, id := range []string{"acme", "globex"} {
		configs = append(configs, tenantstest.Config(t, id, change))
	}
	directory, keys := tenantstest.Directory(t, configs...)
	p.keys, p.vault = keys, tenantstest.Vault(t, configs...)
	shelf := memory.NewShelf(time.Now)
	sessions := memory.NewSessions(shelf, time.Now)
	trail, ledger := &memory.Trail{}, memory.NewLedger(time.Now)
	p.handler = front.API(app.Ports{
		Directory: directory, Secrets: tenantstest.Secrets(t, p.vault, configs...), Outside: p.outside, MCP: line.Line{Do: linetest.Do(mcp.Handler())},
		Texts: &memory.Texts{}, Ledger: ledger, Catalogue: ledger, Imports: ledger, Erasures: ledger, Moves: ledger, Transfers: ledger, Letters: memory.NewLetters(time.Now),
		Calls: memory.NewCalls(time.Now), Meters: memory.NewMeters(time.Now), Speech: memory.NewSpeech(time.Now), Sounds: &memory.Sounds{}, Vectors: memory.NewVectors(time.Now), Embedder: &llmtest.Embedder{}, Reranker: &llmtest.Reranker{}, Model: &memory.Model{}, Money: memory.NewQuota(time.Now),
		Sessions: sessions, Summaries: sessions, Shelf: shelf, Cache: memory.NewCache(time.Now), Trail: trail, Publisher: trail.Publisher(),
	}, app.Options{Version: "test", Environment: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	return p
}

// outside is the servers of both tenants: each says its host.
func (p *platform) outside(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization"))
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"host":"` + r.URL.Host + `"}`)),
	}, nil
}

// do sends a request as a tenant and answers what it said.
func (p *platform) do(tenant, method, path, body string) string {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, bytes.NewReader([]byte(body)))
	require.NoError(p.t, err)
	for name, value := range map[string]string{"Authorization": "Bearer " + p.keys[tenants.ID(tenant)], "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "order_status"} {
		if path == "/mcp" || !strings.HasPrefix(name, "Mcp-") && name != "Accept" {
			req.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, resp.StatusCode, "%s", said)
	return string(said)
}

// A tenant's tool is in the list, and called by a request, by the Model Context Protocol and by a model, for its tenant alone.
func TestATenantsToolIsCalledOnEveryWay(t *testing.T) {
	p := newPlatform(t)
	for _, tenant := range []string{"acme", "globex"} {
		p.sent = nil
		want := tenant + ".example.com"
		listed := p.do(tenant, "GET", "/schema/tools", "")
		assert.Contains(t, listed, `"name":"order_status"`)
		assert.Contains(t, listed, `"cost":"outside"`)
		assert.NotContains(t, listed, "shop-api")
		assert.NotContains(t, listed, "example.com", "where it is and what opens it is the tenant's own matter")

		assert.Contains(t, p.do(tenant, "POST", "/tools/execute", `{"tool_name":"order_status","params":{"order":"1"}}`), `"data":{"host":"`+want+`"}`)
		assert.Contains(t, p.do(tenant, "POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"order_status","arguments":{"order":"2"},
			"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`), want)
		message, err := json.Marshal(map[string]any{"script": []any{
			map[string]any{"toolCalls": []any{map[string]any{"id": "c1", "name": "order_status", "arguments": map[string]string{"order": "3"}}}},
			map[string]any{"tokens": []string{"On its way."}},
		}})
		require.NoError(t, err)
		body, err := json.Marshal(map[string]any{"message": string(message), "stream": false})
		require.NoError(t, err)
		assert.Contains(t, p.do(tenant, "POST", "/chat", string(body)), "On its way.")
		var wanted []string
		for i := range 3 {
			wanted = append(wanted, fmt.Sprintf("GET https://%s/orders/%d Bearer %s", want, i+1, p.vault.Secrets[tenants.ID(tenant)]["shop-api"]))
		}
		assert.Equal(t, wanted, p.sent)
	}
}
