package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/mcp/mcptest"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// speaker is a client that speaks a revision of the protocol with the shared platform.
type speaker struct {
	user
	revision, session string
}

func (u user) speaks(revision string) speaker {
	u.t.Helper()
	s := speaker{user: u, revision: revision}
	if revision < mcptest.Stateless {
		a, _ := s.sends("initialize", map[string]any{"protocolVersion": revision, "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "e2e", "version": "1"}})
		s.session = a.Header.Get("Mcp-Session-Id")
		require.NotEmpty(u.t, s.session, "%s", a.Body)
	}
	return s
}

// spoken is what was said to a message.
type spoken struct {
	Result struct {
		IsError           bool
		Tools             []struct{ Name string }
		StructuredContent map[string]any
		Content           []struct{ Text string }
		Contents          []struct{ MIMEType, Text, Blob string }
		Resources         []struct{ URI string }
		NextCursor        string
		Meta              map[string]struct{ Code, Field, AuditID string } `json:"_meta"`
	}
	Error *struct {
		Code    int
		Message string
		Data    struct{ Code string }
	}
}

// sends sends a message; headers are pairs.
func (s speaker) sends(method string, params map[string]any, headers ...string) (answer, spoken) {
	s.t.Helper()
	body, header := mcptest.Message(s.revision, method, params)
	for name := range header {
		headers = append(headers, name, header.Get(name))
	}
	if s.session != "" {
		headers = append(headers, "Mcp-Session-Id", s.session)
	}
	a := s.do(http.MethodPost, "/mcp", json.RawMessage(body), headers...)
	var m spoken
	_ = json.Unmarshal(a.Body, &m) // what is none of the protocol's has no members of its
	return a, m
}

func (s speaker) asks(method string, params map[string]any) spoken {
	s.t.Helper()
	a, m := s.sends(method, params)
	require.True(s.t, m.Error != nil || a.Status == http.StatusOK, "%d %s", a.Status, a.Body)
	return m
}

func (s speaker) calls(name string, arguments map[string]any) spoken {
	s.t.Helper()
	return s.asks("tools/call", map[string]any{"name": name, "arguments": arguments})
}

func (s speaker) listed() (names []string) {
	s.t.Helper()
	for _, tool := range s.asks("tools/list", nil).Result.Tools {
		names = append(names, tool.Name)
	}
	return names
}

// limited is the user with a key of the same tenant that holds fewer scopes.
func (u user) limited(scopes ...tenants.APIScope) user {
	u.t.Helper()
	id := tenants.ID(u.tenant)
	key, err := tenants.NewKey(strings.NewReader(strings.Repeat(uuid.NewString(), 4)), id)
	require.NoError(u.t, err)
	hash := tenants.HashKey(key)
	config := platform.Tenants[slices.IndexFunc(platform.Tenants, func(c tenants.Config) bool { return c.ID == id })]
	entries, err := tenants.Publish([]tenants.Config{config}, map[string]tenants.Grant{hash: {Tenant: id, Name: "limited", Scopes: scopes}}, nil)
	require.NoError(u.t, err)
	require.NoError(u.t, platform.KV(stack.API, "CONFIG").Put(u.t.Context(), "key/"+hash, entries["key/"+hash]))
	u.key = key
	return u
}

// twoSpeak runs a test for two tenants in either revision; the other is who must not see what is the first one's.
func twoSpeak(t *testing.T, a, b user, test func(t *testing.T, s, other speaker)) {
	for _, revision := range mcptest.Revisions {
		for _, pair := range [][2]user{{a, b}, {b, a}} {
			t.Run(revision+"/"+pair[0].tenant, func(t *testing.T) {
				pair[0].t, pair[1].t = t, t
				test(t, pair[0].speaks(revision), pair[1].speaks(revision))
			})
		}
	}
}

// Tools through the API and the MCP Worker on workerd: what runs, what does not fit, what the tenant has not, and what is on record of each.
func TestToolsThroughTheProtocol(t *testing.T) {
	twoSpeak(t, as(t, "acme"), as(t, "globex"), func(t *testing.T, s, _ speaker) {
		for range 2 {
			sum := s.calls("calculator", map[string]any{"operation": "add", "a": 0.1, "b": 0.2})
			assert.Equal(t, map[string]any{"result": 0.3}, sum.Result.StructuredContent)
			assert.Equal(t, `{"result":0.3}`, sum.Result.Content[0].Text)
		}
		for field, arguments := range map[string]map[string]any{
			"params.a": {"operation": "add", "a": "two", "b": 1}, "params.b": {"operation": "divide", "a": 1, "b": 0}, "params.operation": {"operation": "guess", "a": 1},
		} {
			wrong := s.calls("calculator", arguments)
			told := wrong.Result.Meta["levada.dev/error"]
			assert.True(t, wrong.Result.IsError)
			assert.Equal(t, []string{"VALIDATION_FAILED", field}, []string{told.Code, told.Field})
			assert.Contains(t, wrong.Result.Content[0].Text, field)
			assert.Contains(t, []events.Outcome{events.OutcomeRefused, events.OutcomeFailed}, s.act("calls/"+told.AuditID).Outcome)
		}
		if s.tenant == "globex" {
			denied := s.calls("calculator", map[string]any{"operation": "power", "a": 2, "b": 3})
			assert.Equal(t, []string{"PERMISSION_DENIED", "params.operation"}, []string{denied.Result.Meta["levada.dev/error"].Code, denied.Result.Meta["levada.dev/error"].Field})
			assert.NotContains(t, s.listed(), "tag_chunk_docs")
		}
		assert.Equal(t, s.tools(), s.listed())
		missing := map[string]string{"acme": "no_such_tool", "globex": "tag_chunk_docs"}[s.tenant]
		unknown := s.calls(missing, map[string]any{"content": "a"})
		require.NotNil(t, unknown.Error)
		assert.Equal(t, []any{-32602, "Unknown tool: " + missing}, []any{unknown.Error.Code, unknown.Error.Message})

		a, _ := s.sends("tools/call", map[string]any{"name": "calculator", "arguments": map[string]any{"operation": "add", "a": 1, "b": 2}, "_meta": map[string]any{"progressToken": 3}})
		assert.True(t, strings.HasPrefix(a.Header.Get("Content-Type"), "text/event-stream"), "who wants to be told is answered by a stream")
		assert.Equal(t, 1, bytes.Count(a.Body, []byte(`"structuredContent":{"result":3}`)), "%s", a.Body)
	})
}

// A key with fewer scopes sees less, and is refused the rest.
func TestScopesThroughTheProtocol(t *testing.T) {
	twoSpeak(t, as(t, "acme"), as(t, "globex"), func(t *testing.T, s, _ speaker) {
		tool, none := s.limited(tenants.ScopeTools).speaks(s.revision), s.limited(tenants.ScopeSearch).speaks(s.revision)
		assert.Contains(t, s.listed(), "search_docs")
		assert.Contains(t, tool.listed(), "calculator")
		assert.NotContains(t, tool.listed(), "search_docs")
		assert.Empty(t, none.listed())
		search := map[string]any{"query": "water"}
		assert.False(t, s.calls("search_docs", search).Result.IsError)
		for _, refused := range []spoken{
			tool.calls("search_docs", search), none.calls("search_docs", search), none.calls("no_such_tool", search), tool.asks("resources/read", map[string]any{"uri": "levada://documents/a"}),
			tool.asks("prompts/get", map[string]any{"name": "grounded@1"}),
		} {
			require.NotNil(t, refused.Error)
			assert.Equal(t, -32000, refused.Error.Code)
			assert.Contains(t, []string{"PERMISSION_DENIED", "scope_denied"}, refused.Error.Data.Code)
		}
		assert.Empty(t, tool.asks("resources/list", nil).Result.Resources)
	})
}

// Documents as resources: text as it was taken out of them, the bytes of those that have none, up to a size; and nobody else's.
func TestResourcesThroughTheProtocol(t *testing.T) {
	encrypted, err := os.ReadFile(filepath.Join("..", "..", "workflows", "corpus", "extract", "pdf", "testdata", "aes-256-secret.pdf"))
	require.NoError(t, err)
	large := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 4<<20)...) // nothing is taken out of it
	a, b := newcomer(t, "reader"), newcomer(t, "scholar")
	for _, u := range []user{a, b} {
		for id, d := range map[string][]byte{"text.pdf": pdfOf("Only " + u.tenant + " reads of walnuts."), "locked.pdf": encrypted, "large.png": large} {
			contentType := "application/pdf"
			if id == "large.png" {
				contentType = ""
			}
			u.submit(bytesDocument{DocID: "mcp/" + u.tenant + "/" + id, Base64: base64.StdEncoding.EncodeToString(d), ContentType: contentType})
		}
	}
	twoSpeak(t, a, b, func(t *testing.T, s, other speaker) {
		uri := func(id string) string { return "levada://documents/" + url.PathEscape("mcp/"+s.tenant+"/"+id) }
		read := func(s speaker, id string) spoken { return s.asks("resources/read", map[string]any{"uri": uri(id)}) }
		uris := func(s speaker) (all []string) {
			for cursor := ""; ; {
				params := map[string]any{}
				if cursor != "" {
					params["cursor"] = cursor
				}
				page := s.asks("resources/list", params).Result
				for _, r := range page.Resources {
					all = append(all, r.URI)
				}
				if cursor = page.NextCursor; cursor == "" {
					return all
				}
			}
		}
		assert.Subset(t, uris(s), []string{uri("text.pdf"), uri("locked.pdf"), uri("large.png")})
		assert.NotContains(t, uris(other), uri("text.pdf"))
		for range 2 {
			text := read(s, "text.pdf").Result.Contents
			require.Len(t, text, 1)
			assert.Contains(t, text[0].Text, "Only "+s.tenant+" reads of walnuts.")
			blob := read(s, "locked.pdf").Result.Contents
			require.Len(t, blob, 1)
			assert.Equal(t, []string{"application/pdf", base64.StdEncoding.EncodeToString(encrypted), ""}, []string{blob[0].MIMEType, blob[0].Blob, blob[0].Text})
		}
		over := read(s, "large.png")
		require.NotNil(t, over.Error)
		assert.Equal(t, -32000, over.Error.Code)
		assert.Contains(t, over.Error.Message, "more than the 4194304 bytes that a resource may have")
		missing := -32002
		if s.revision >= mcptest.Stateless {
			missing = -32602
		}
		for _, no := range []spoken{read(other, "text.pdf"), read(other, "locked.pdf"), read(other, "large.png"), read(s, "none")} {
			require.NotNil(t, no.Error)
			assert.Equal(t, []any{missing, "Resource not found"}, []any{no.Error.Code, no.Error.Message})
		}
	})
}

// Sessions, pages of elsewhere, and what is no message at all, on workerd.
func TestWhatTheProtocolRefuses(t *testing.T) {
	twoSpeak(t, as(t, "acme"), as(t, "globex"), func(t *testing.T, s, other speaker) {
		_, header := mcptest.Message(s.revision, "tools/list", nil)
		send := func(u user, body, session string, headers ...string) answer {
			t.Helper()
			for name := range header {
				headers = append([]string{name, header.Get(name)}, headers...)
			}
			if session != "" {
				headers = append(headers, "Mcp-Session-Id", session)
			}
			return u.do(http.MethodPost, "/mcp", body, headers...)
		}
		whole, _ := mcptest.Message(s.revision, "tools/list", nil)
		message := string(whole)
		require.Equal(t, http.StatusOK, send(s.user, message, s.session).Status)
		if s.session != "" {
			for _, session := range []string{other.session, "x", s.session[:len(s.session)-2] + "AA"} {
				a := send(s.user, message, session)
				assert.Equal(t, []any{http.StatusNotFound, "mcp_session_not_found"}, []any{a.Status, a.Error.Code})
			}
			a := send(s.limited(tenants.AllScopes...), message, s.session)
			assert.Equal(t, []any{http.StatusNotFound, "mcp_session_not_found"}, []any{a.Status, a.Error.Code}, "another key's")
			a = send(s.user, message, "")
			assert.Equal(t, []any{http.StatusBadRequest, "mcp_session_required"}, []any{a.Status, a.Error.Code})
		}
		nobody := s.user
		nobody.key = ""
		assert.Equal(t, http.StatusUnauthorized, send(nobody, message, s.session, "host", s.tenant+".localhost").Status)
		a := send(s.user, message, s.session, "Origin", "https://evil.example")
		assert.Equal(t, []any{http.StatusForbidden, "origin_denied"}, []any{a.Status, a.Error.Code})
		own := map[string]string{"acme": "https://app.acme.example.com", "globex": "https://search.globex.example.com"}
		assert.Equal(t, http.StatusOK, send(s.user, message, s.session, "Origin", own[s.tenant]).Status)
		assert.Equal(t, http.StatusForbidden, send(s.user, message, s.session, "Origin", own[other.tenant]).Status)
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			assert.Equal(t, http.StatusMethodNotAllowed, s.do(method, "/mcp", nil).Status)
		}
		for _, c := range []struct {
			status     int
			body, says string
			headers    []string
		}{
			{400, message[:20], "malformed payload", nil},
			{400, "[" + message + "]", "batching is not supported", nil},
			{400, `{"id":1}`, "version tag", nil},
			{400, message, "Accept must contain both", []string{"Accept", "application/json"}},
			{415, message, "unsupported_media_type", []string{"Content-Type", "text/plain"}},
			{413, `"` + strings.Repeat("x", 16<<20) + `"`, "body_too_large", nil},
		} {
			a := send(s.user, c.body, s.session, c.headers...)
			assert.Equal(t, c.status, a.Status, c.says)
			assert.Contains(t, string(a.Body), c.says)
		}
		a = send(s.user, message, s.session, "Mcp-Protocol-Version", "1999-12-31")
		assert.Equal(t, http.StatusBadRequest, a.Status, "%s", a.Body)
		assert.Equal(t, http.StatusOK, send(s.user, message, s.session).Status, fmt.Sprint("it goes on after ", a.Status))
	})
}
