//go:build unix

package mcp_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/mcp/mcptest"
)

const maxRead = 4 << 20

func TestDocumentsAreListed(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		c.api.on("GET /documents?limit=100", says(`{"documents":[
			{"docId":"`+c.api.tenant+`/é b","title":"One","source":"cms","url":"https://example.com/1","contentType":"text/plain","state":"ready","bytes":5,"updatedAt":"2026-11-22T04:00:00.5Z"},
			{"docId":"gone","state":"deleted"},{"docId":"two","source":"cms","state":"failed"}],"next":"c 1"}`))
		c.api.on("GET /documents?cursor=c+1&limit=100", says(`{"documents":[]}`))
		for range 2 {
			a := c.asks("resources/list", nil)
			listed := a.Result["resources"].([]any)
			require.Len(t, listed, 2, "what was deleted is not there")
			first := listed[0].(map[string]any)
			assert.Equal(t, "levada://documents/"+c.api.tenant+"%2F%C3%A9%20b", first["uri"])
			assert.Equal(t, []any{"One", "https://example.com/1", "text/plain", 5.0}, []any{first["title"], first["description"], first["mimeType"], first["size"]})
			assert.Equal(t, "2026-11-22T04:00:00Z", first["annotations"].(map[string]any)["lastModified"])
			assert.Equal(t, "cms", listed[1].(map[string]any)["description"])
			assert.Equal(t, "c 1", a.Result["nextCursor"])
			a = c.asks("resources/list", map[string]any{"cursor": "c 1"})
			assert.Equal(t, []any{}, a.Result["resources"])
			assert.Nil(t, a.Result["nextCursor"])
			assert.Equal(t, []string{"GET /documents?limit=100", "GET /documents?cursor=c+1&limit=100"}, c.api.questions())
		}
		a := c.asks("resources/templates/list", nil)
		assert.Contains(t, a.Result["resourceTemplates"].([]any)[0], "uriTemplate")
		assert.Empty(t, c.api.questions())
		c.api.on("GET /documents?limit=100", refuses(http.StatusForbidden, "scope_denied", ""))
		assert.Equal(t, []any{}, c.asks("resources/list", nil).Result["resources"])
		c.api.on("GET /documents?cursor=x&limit=100", refuses(http.StatusBadRequest, "cursor_invalid", ""))
		code, message, data := c.fails("resources/list", map[string]any{"cursor": "x"})
		assert.Equal(t, []any{-32602, "it says cursor_invalid", "cursor_invalid"}, []any{code, message, data["code"]})
	})
}

func TestDocumentsAreRead(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		read := func(uri string) map[string]any {
			t.Helper()
			a := c.asks("resources/read", map[string]any{"uri": uri})
			require.Nil(t, a.Error, uri)
			contents := a.Result["contents"].([]any)
			require.Len(t, contents, 1)
			return contents[0].(map[string]any)
		}
		c.api.on("GET /documents/a%2Fb+c/content", raw(http.StatusOK, "text/markdown; charset=utf-8", "# é😀 "+c.api.tenant))
		for _, uri := range []string{"levada://documents/a%2Fb+c", "levada://documents/a/b+c"} {
			one := read(uri)
			assert.Equal(t, []any{uri, "text/markdown; charset=utf-8", "# é😀 " + c.api.tenant, nil}, []any{one["uri"], one["mimeType"], one["text"], one["blob"]})
		}

		pdf := "%PDF-1.7\x00\xff\xfe " + c.api.tenant
		c.api.on("GET /documents/p.pdf/content", refuses(http.StatusNotFound, "text_not_found", "?original=true has its bytes"))
		c.api.on("GET /documents/p.pdf/content?original=true", raw(http.StatusOK, "application/pdf", pdf))
		for range 2 {
			one := read("levada://documents/p.pdf")
			assert.Equal(t, []any{"application/pdf", base64.StdEncoding.EncodeToString([]byte(pdf)), nil}, []any{one["mimeType"], one["blob"], one["text"]})
		}
		c.api.on("GET /documents/t/content", refuses(http.StatusNotFound, "text_not_found", "?original=true has its bytes"))
		c.api.on("GET /documents/t/content?original=true", raw(http.StatusOK, "text/html", "<b>"))
		assert.Equal(t, base64.StdEncoding.EncodeToString([]byte("<b>")), read("levada://documents/t")["blob"], "an original is bytes")

		c.api.on("GET /documents/full/content", raw(http.StatusOK, "text/plain", strings.Repeat("x", maxRead)))
		assert.Len(t, read("levada://documents/full")["text"], maxRead)
	})
}

func TestWhatCannotBeRead(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		missing := -32002
		if c.revision >= mcptest.Stateless {
			missing = -32602
		}
		c.api.on("GET /documents/mine/content", raw(http.StatusOK, "text/plain", "mine"))
		c.api.on("GET /documents/not-yet/content", refuses(http.StatusNotFound, "text_not_found", ""))
		for _, uri := range []string{
			"levada://documents/theirs", "levada://documents/not-yet", "levada://documents/", "levada://documents", "levada://documents/%zz", "levada://other/mine", "file:///etc/passwd",
			"levada://documents/..%2Fadmin", "levada://documents/mine%2Fcontent%3Foriginal=true", "http://127.0.0.1/documents/mine/content", "mine",
		} {
			code, message, data := c.fails("resources/read", map[string]any{"uri": uri})
			assert.Equal(t, []any{missing, "Resource not found", uri}, []any{code, message, data["uri"]})
		}
		for _, q := range c.api.questions() {
			assert.Regexp(t, `^GET /documents/[^/?]+/content$`, q, "an id is one part of the path")
		}

		c.api.on("GET /documents/large/content", raw(http.StatusOK, "text/plain", strings.Repeat("x", maxRead+1)))
		c.api.on("GET /documents/scan/content", refuses(http.StatusNotFound, "text_not_found", "?original=true has its bytes"))
		c.api.on("GET /documents/scan/content?original=true", raw(http.StatusOK, "application/pdf", strings.Repeat("\x00", maxRead+1)))
		for _, id := range []string{"large", "scan"} {
			code, message, _ := c.fails("resources/read", map[string]any{"uri": "levada://documents/" + id})
			assert.Equal(t, -32000, code)
			assert.Contains(t, message, "4194304 bytes")
			assert.Contains(t, message, "GET /documents/"+id+"/content")
		}
		assert.Equal(t, "mine", c.asks("resources/read", map[string]any{"uri": "levada://documents/mine"}).Result["contents"].([]any)[0].(map[string]any)["text"])
	})
}

// What goes wrong with a question is told apart: what the caller got wrong, what it may not do, and what went wrong here.
func TestWhatGoesWrongWithAQuestion(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		const question = "GET /documents/a/content"
		for _, tc := range []struct {
			h    http.HandlerFunc
			code int
			says string
		}{
			{refuses(http.StatusBadRequest, "doc_id_invalid", "an id has 256 characters at most"), -32602, "doc_id_invalid"},
			{refuses(http.StatusForbidden, "scope_denied", ""), -32000, "scope_denied"},
			{refuses(http.StatusTooManyRequests, "rate_limited", ""), -32000, "rate_limited"},
			{refuses(http.StatusConflict, "tenant_moving", ""), -32000, "tenant_moving"},
			{refuses(http.StatusServiceUnavailable, "storage_unavailable", ""), -32603, "storage_unavailable"},
			{refuses(http.StatusInternalServerError, "internal", ""), -32603, "internal"},
			{raw(http.StatusBadGateway, "text/html", "<h1>"), -32603, ""},
			{breaks("text/plain", "half"), -32603, ""},
			{func(http.ResponseWriter, *http.Request) { panic("secret") }, -32603, ""},
		} {
			c.api.on(question, tc.h)
			code, message, data := c.fails("resources/read", map[string]any{"uri": "levada://documents/a"})
			assert.Equal(t, tc.code, code, tc.says)
			if tc.says == "" {
				assert.Equal(t, "the platform did not answer", message)
				continue
			}
			assert.Equal(t, []any{"it says " + tc.says, tc.says, "r-1", 5.0}, []any{message, data["code"], data["requestId"], data["retryAfterMs"]})
		}
		for _, broken := range []http.HandlerFunc{raw(http.StatusOK, "application/json", `{"data":`), says(`{"documents":7}`), breaks("application/json", `{"ok":true,"data":{"documents":[`)} {
			c.api.on("GET /documents?limit=100", broken)
			code, message, _ := c.fails("resources/list", nil)
			assert.Equal(t, []any{-32603, "the platform did not answer"}, []any{code, message})
		}
	})
}
