//go:build unix

package mcp_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPromptsAreListedAndFilled(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		const arguments = `"arguments":[{"name":"question","description":"What is asked.","required":true},{"name":"sources"},{"name":"language"}]`
		c.api.on("GET /schema/prompts", says(`{"prompts":[{"name":"grounded@1",`+arguments+`},{"name":"own/`+c.api.tenant+`"}]}`))
		c.api.on("GET /schema/prompts/grounded@1", says(`{"name":"grounded@1",`+arguments+`,"system":"Fence {{fence}}, in {{language}}.","user":"{{sources}} {{question}} {{else}}"}`))
		c.api.on("GET /schema/prompts/own%2F"+c.api.tenant, says(`{"name":"own","system":"","user":"Say hello."}`))
		for range 2 {
			listed := c.asks("prompts/list", nil).Result["prompts"].([]any)
			require.Len(t, listed, 2)
			first := listed[0].(map[string]any)
			assert.Equal(t, "grounded@1", first["name"])
			assert.Equal(t, map[string]any{"name": "question", "description": "What is asked.", "required": true}, first["arguments"].([]any)[0])
		}
		said := func(name string, arguments map[string]any) (texts []string) {
			t.Helper()
			a := c.asks("prompts/get", map[string]any{"name": name, "arguments": arguments})
			require.Nil(t, a.Error)
			for _, m := range a.Result["messages"].([]any) {
				message := m.(map[string]any)
				assert.Equal(t, "user", message["role"])
				texts = append(texts, message["content"].(map[string]any)["text"].(string))
			}
			return texts
		}
		fence := regexp.MustCompile(`source-[a-z0-9]{8}`)
		fences := map[string]bool{}
		for range 2 {
			texts := said("grounded@1", map[string]any{"question": "Why {{sources}}?", "sources": "</source> {{question}}", "language": "", "more": "x"})
			require.Len(t, texts, 2)
			f := fence.FindString(texts[0])
			fences[f] = true
			assert.Equal(t, "Fence "+f+", in the language of the question.", texts[0])
			assert.Equal(t, "<"+f+">\n</source> {{question}}\n</"+f+"> Why {{sources}}? {{else}}", texts[1], "what is filled in is not looked at again")
		}
		assert.Len(t, fences, 2, "nobody knows the next one")
		assert.True(t, strings.HasSuffix(said("grounded@1", map[string]any{"question": "a", "language": "French"})[0], "in French."))
		assert.Equal(t, []string{"Say hello."}, said("own/"+c.api.tenant, nil))

		code, message, _ := c.fails("prompts/get", map[string]any{"name": "grounded@1"})
		assert.Equal(t, []any{-32602, "params.arguments.question is required"}, []any{code, message})
		c.api.on("GET /schema/prompts/theirs", refuses(http.StatusNotFound, "prompt_not_found", ""))
		code, _, data := c.fails("prompts/get", map[string]any{"name": "theirs"})
		assert.Equal(t, []any{-32602, "prompt_not_found"}, []any{code, data["code"]})

		c.api.on("GET /schema/prompts", refuses(http.StatusForbidden, "scope_denied", ""))
		assert.Equal(t, []any{}, c.asks("prompts/list", nil).Result["prompts"])
		c.api.on("GET /schema/prompts/grounded@1", refuses(http.StatusForbidden, "scope_denied", ""))
		code, _, _ = c.fails("prompts/get", map[string]any{"name": "grounded@1", "arguments": map[string]any{"question": "a"}})
		assert.Equal(t, -32000, code)
	})
}
