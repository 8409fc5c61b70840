package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// conformant are the scenarios of the official suite that need no fixtures of its own. The others call tools, read resources and get prompts that only a
// server made for the suite has, or are about what is not advertised: completion, subscriptions, sampling, elicitation, streams that are resumed.
var conformant = []string{"server-initialize", "ping", "tools-list", "resources-list", "prompts-list", "dns-rebinding-protection"}

// The suite cannot send a key, so something in between adds it.
func TestTheProtocolConforms(t *testing.T) {
	suite := filepath.Join("..", "..", "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js")
	for _, tenant := range []string{"acme", "globex"} {
		door := withKey(t, as(t, tenant))
		for _, scenario := range conformant {
			t.Run(tenant+"/"+scenario, func(t *testing.T) {
				node, err := filepath.Abs(filepath.Join("..", "..", "node_modules", ".bin", "node"))
				require.NoError(t, err)
				program, err := filepath.Abs(suite)
				require.NoError(t, err)
				cmd := exec.CommandContext(t.Context(), node, program, "server", "--url", door+"/mcp", "--scenario", scenario)
				cmd.Dir = t.TempDir()
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "npm ci installs the suite\n%s", out)
			})
		}
	}
}

// withKey is the platform for somebody who sends no key.
func withKey(t *testing.T, u user) string {
	t.Helper()
	to, err := url.Parse(u.url)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		r.Out.Header.Set("Authorization", "Bearer "+u.key)
	}}
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	return s.URL
}

// The official client, in the newest revision that both speak, on the real platform.
func TestTheProtocolShowsEachTenantItsOwn(t *testing.T) {
	for _, tenant := range []string{"acme", "globex"} {
		u, id := as(t, tenant), "mcp/"+tenant
		require.Equal(t, http.StatusAccepted, u.do("POST", "/ingest", map[string]any{"docId": id, "text": "Only " + tenant + " may read this."}).Status)
		session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).
			Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: withKey(t, u) + "/mcp"}, nil)
		require.NoError(t, err)
		assert.Equal(t, "levada", session.InitializeResult().ServerInfo.Name)

		listed := map[string]bool{}
		for r, err := range session.Resources(t.Context(), nil) {
			require.NoError(t, err)
			listed[r.URI] = true
		}
		assert.True(t, listed["levada://documents/mcp%2F"+tenant], "%v", listed)
		read, err := session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "levada://documents/mcp%2F" + tenant})
		require.NoError(t, err)
		assert.Equal(t, "Only "+tenant+" may read this.", read.Contents[0].Text)
		for _, other := range []string{"acme", "globex"} {
			if other == tenant {
				continue
			}
			assert.False(t, listed["levada://documents/mcp%2F"+other])
			_, err = session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "levada://documents/mcp%2F" + other})
			assert.ErrorContains(t, err, "not found")
		}

		prompt, err := session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "grounded@1", Arguments: map[string]string{"question": "Why?", "sources": "{{question}}"}})
		require.NoError(t, err)
		require.Len(t, prompt.Messages, 2)
		assert.Contains(t, prompt.Messages[1].Content.(*mcp.TextContent).Text, "{{question}}", "what is filled in is not looked at again")

		_, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "nothing_of_this_name", Arguments: map[string]any{}})
		assert.ErrorContains(t, err, "Unknown tool")
		require.NoError(t, session.Close())
	}
}
