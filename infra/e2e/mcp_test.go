package e2e

import (
	"bytes"
	"encoding/json"
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

	"levada.dev/infra/mcp/mcptest"
)

// program is an npm package's program with arguments. Whatever it keeps it keeps in a folder of the test's.
func program(t *testing.T, script string, arguments ...string) *exec.Cmd {
	t.Helper()
	node, err := filepath.Abs(filepath.Join("..", "..", "node_modules", ".bin", "node"))
	require.NoError(t, err)
	script, err = filepath.Abs(script)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), node, append([]string{script}, arguments...)...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(cmd.Environ(), "HOME="+cmd.Dir)
	return cmd
}

// The official suite: the newer one, which has not been released, for each revision; and the released one, which knows but the first. What they find
// wrong is exactly what they are told of: what needs tools, resources and prompts of the suite's own, and what is not advertised.
// The suite cannot send a key, so something in between adds it.
func TestTheProtocolConforms(t *testing.T) {
	packages := filepath.Join("..", "..", "node_modules")
	next := filepath.Join(packages, "conformance-next", "dist", "index.js")
	released := filepath.Join(packages, "@modelcontextprotocol", "conformance", "dist", "index.js")
	for _, tenant := range []string{"acme", "globex"} {
		door := withKey(t, as(t, tenant))
		for _, run := range []struct {
			name, suite string
			more        []string
		}{
			{"released", released, nil},
			{mcptest.WithSessions, next, []string{"--spec-version", mcptest.WithSessions}},
			{mcptest.Stateless, next, []string{"--spec-version", mcptest.Stateless}},
		} {
			t.Run(tenant+"/"+run.name, func(t *testing.T) {
				known, err := filepath.Abs(filepath.Join("testdata", "conformance", run.name+".yml"))
				require.NoError(t, err)
				arguments := append([]string{"server", "--url", door + "/mcp", "--suite", "all", "--expected-failures", known}, run.more...)
				out, err := program(t, run.suite, arguments...).CombinedOutput()
				require.NoError(t, err, "npm ci installs the suite\n%s", out)
				assert.Contains(t, string(out), "all failures are expected")
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

// only stores a document that says whose it is, and answers its id and that of the other tenant's.
func (u user) only() (own, other string) {
	u.t.Helper()
	ids := map[string]string{}
	for _, tenant := range []string{"acme", "globex"} {
		ids[tenant] = "mcp/" + tenant
		if tenant != u.tenant {
			other = ids[tenant]
		}
	}
	own = ids[u.tenant]
	require.Equal(u.t, http.StatusAccepted, u.do("POST", "/ingest", map[string]any{"docId": own, "text": "Only " + u.tenant + " may read this."}).Status)
	return own, other
}

// The official SDK for TypeScript, in both revisions.
func TestTheTypeScriptSDKListsAndCalls(t *testing.T) {
	for _, tenant := range []string{"acme", "globex"} {
		u := as(t, tenant)
		own, other := u.only()
		for _, revision := range mcptest.Revisions {
			t.Run(tenant+"/"+revision, func(t *testing.T) {
				about, err := json.Marshal(map[string]any{
					"url": u.url + "/mcp", "key": u.key, "tenant": tenant, "revision": revision, "documents": map[string]string{"own": own, "other": other},
				})
				require.NoError(t, err)
				out, err := program(t, filepath.Join("testdata", "mcp.mjs"), string(about)).CombinedOutput()
				require.NoError(t, err, "%s", out)
			})
		}
	}
}

// inspects has the inspector do something. It ends with 5 when a tool said that it failed, or is not there, and with 1 when the protocol did.
func (u user) inspects(era string, arguments ...string) (status int, out, told string) {
	u.t.Helper()
	launcher := filepath.Join("..", "..", "node_modules", "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js")
	cmd := program(u.t, launcher, append([]string{
		"--cli", u.url + "/mcp", "--transport", "http", "--protocol-era", era, "--header", "Authorization: Bearer " + u.key, "--method",
	}, arguments...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		require.NoError(u.t, err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// The inspector, in both of what it calls eras: revisions with sessions, and without.
func TestTheInspectorListsAndCalls(t *testing.T) {
	for _, tenant := range []string{"acme", "globex"} {
		u := as(t, tenant)
		own, other := u.only()
		own, other = "levada://documents/"+url.PathEscape(own), "levada://documents/"+url.PathEscape(other)
		for _, era := range []string{"legacy", "modern"} {
			t.Run(tenant+"/"+era, func(t *testing.T) {
				u := u
				u.t = t
				status, out, told := u.inspects(era, "tools/list")
				require.Zero(t, status, told)
				var list struct{ Tools []struct{ Name string } }
				require.NoError(t, json.Unmarshal([]byte(out), &list), out)
				var names []string
				for _, tool := range list.Tools {
					names = append(names, tool.Name)
				}
				assert.Equal(t, u.tools(), names)

				calculator := []string{"tools/call", "--tool-name", "calculator", "--tool-arg", "a=1", "--tool-arg"}
				status, out, told = u.inspects(era, append(calculator, "b=2", "--tool-arg", "operation=divide")...)
				require.Zero(t, status, told)
				var called struct{ StructuredContent map[string]any }
				require.NoError(t, json.Unmarshal([]byte(out), &called), out)
				assert.Equal(t, map[string]any{"result": 0.5}, called.StructuredContent)
				status, out, _ = u.inspects(era, append(calculator, "b=0", "--tool-arg", "operation=divide")...)
				assert.Equal(t, 5, status)
				assert.Contains(t, out, `"field": "params.b"`)
				status, _, told = u.inspects(era, "tools/call", "--tool-name", "no_such_tool")
				assert.Equal(t, 5, status)
				assert.Contains(t, told, "tool_not_found")

				status, out, told = u.inspects(era, "resources/read", "--uri", own)
				require.Zero(t, status, told)
				assert.Contains(t, out, "Only "+tenant+" may read this.")
				status, _, told = u.inspects(era, "resources/read", "--uri", other)
				assert.Equal(t, 1, status)
				assert.Contains(t, told, "Resource not found")
			})
		}
	}
}

// The official SDK for Go, in the newest revision that both speak.
func TestTheProtocolShowsEachTenantItsOwn(t *testing.T) {
	for _, tenant := range []string{"acme", "globex"} {
		u := as(t, tenant)
		own, other := u.only()
		session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).
			Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: withKey(t, u) + "/mcp"}, nil)
		require.NoError(t, err)
		assert.Equal(t, "levada", session.InitializeResult().ServerInfo.Name)

		listed := map[string]bool{}
		for r, err := range session.Resources(t.Context(), nil) {
			require.NoError(t, err)
			listed[r.URI] = true
		}
		own, other = "levada://documents/"+url.PathEscape(own), "levada://documents/"+url.PathEscape(other)
		assert.True(t, listed[own], "%v", listed)
		assert.False(t, listed[other])
		read, err := session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: own})
		require.NoError(t, err)
		assert.Equal(t, "Only "+tenant+" may read this.", read.Contents[0].Text)
		_, err = session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: other})
		assert.ErrorContains(t, err, "not found")

		prompt, err := session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "grounded@1", Arguments: map[string]string{"question": "Why?", "sources": "{{question}}"}})
		require.NoError(t, err)
		require.Len(t, prompt.Messages, 2)
		assert.Contains(t, prompt.Messages[1].Content.(*mcp.TextContent).Text, "{{question}}", "what is filled in is not looked at again")

		called, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "calculator", Arguments: map[string]any{"operation": "add", "a": 2, "b": 3}})
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"result": 5.0}, called.StructuredContent)
		_, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "nothing_of_this_name", Arguments: map[string]any{}})
		assert.ErrorContains(t, err, "Unknown tool")
		require.NoError(t, session.Close())
	}
}
