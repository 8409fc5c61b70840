package localai

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRefusals is the table of errors: code, status, and the field at fault.
func TestRefusals(t *testing.T) {
	c := start(t, Options{})
	const llama = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
	for name, row := range map[string]struct {
		model        string
		inputs       any
		gateway      object
		status, code int
		text         string
	}{
		"unknown model":     {model: "@cf/baai/bge-m4", inputs: object{"text": "x"}, status: 400, code: 5007, text: "No such model @cf/baai/bge-m4"},
		"no model id":       {model: "gpt-4", inputs: object{"text": "x"}, status: 404, code: 3042, text: `Invalid model id "gpt-4"`},
		"retired model":     {model: "@cf/meta/llama-3.1-8b-instruct", inputs: object{"prompt": "x"}, status: 400, code: 5007, text: "No such model"},
		"hash size":         {model: "@local/embed-hash-1537", inputs: object{"text": "x"}, status: 400, code: 5007, text: "No such model"},
		"no inputs":         {model: "@cf/baai/bge-m3", status: 400, code: 3003, text: "inputs are missing"},
		"inputs not object": {model: "@cf/baai/bge-m3", inputs: "x", status: 400, code: 5006, text: "'/'"},
		"no text":           {model: "@cf/baai/bge-m3", inputs: object{}, status: 400, code: 5006, text: "required properties at '/' are 'text'"},
		"text a number":     {model: "@cf/baai/bge-m3", inputs: object{"text": 5}, status: 400, code: 5006, text: "at '/text'"},
		"text null":         {model: "@cf/baai/bge-m3", inputs: object{"text": nil}, status: 400, code: 5006, text: "at '/text'"},
		"empty text":        {model: "@cf/baai/bge-m3", inputs: object{"text": ""}, status: 400, code: 5006, text: "Length of '/text' must be >= 1"},
		"no items":          {model: "@cf/baai/bge-m3", inputs: object{"text": []string{}}, status: 400, code: 5006, text: "1 to 100 items, got 0"},
		"101 items":         {model: "@cf/baai/bge-m3", inputs: object{"text": manyTexts(101)}, status: 400, code: 5006, text: "1 to 100 items, got 101"},
		"33 items":          {model: "@cf/qwen/qwen3-embedding-0.6b", inputs: object{"text": manyTexts(33)}, status: 400, code: 5006, text: "1 to 32 items, got 33"},
		"item a number":     {model: "@cf/baai/bge-m3", inputs: object{"text": []any{"x", 5}}, status: 400, code: 5006, text: "at '/text/1'"},
		"item empty":        {model: "@cf/baai/bge-m3", inputs: object{"text": []any{"x", ""}}, status: 400, code: 5006, text: "'/text/1' must be >= 1"},
		"contexts":          {model: "@cf/baai/bge-m3", inputs: object{"query": "x", "contexts": []int{}}, status: 400, code: 5006, text: "/contexts"},
		"query":             {model: "@cf/baai/bge-m3", inputs: object{"contexts": []object{{"text": "x"}}}, status: 400, code: 5006, text: "/query"},
		"too large":         {model: "@cf/baai/bge-m3", inputs: object{"text": strings.Repeat("x", maxRequest)}, status: 413, code: 3006, text: "the limit is 10485760 bytes"},

		"no messages":      {model: llama, inputs: object{"max_tokens": 5}, status: 400, code: 5006, text: "'prompt' or 'messages'"},
		"messages empty":   {model: llama, inputs: object{"messages": []any{}}, status: 400, code: 5006, text: "/messages"},
		"message role":     {model: llama, inputs: object{"messages": []any{object{"content": "x"}}}, status: 400, code: 5006, text: "at '/messages/0'"},
		"message content":  {model: llama, inputs: object{"messages": []any{object{"role": "user", "content": 5}}}, status: 400, code: 5006, text: "/messages/0/content"},
		"prompt a number":  {model: llama, inputs: object{"prompt": 5}, status: 400, code: 5006, text: "/prompt"},
		"stream a string":  {model: llama, inputs: object{"prompt": "x", "stream": "yes"}, status: 400, code: 5006, text: "/stream"},
		"context window":   {model: llama, inputs: object{"prompt": strings.Repeat("many words ", 15_000)}, status: 413, code: 5021, text: "context window limit (24000)"},
		"format a string":  {model: llama, inputs: object{"prompt": "x", "response_format": "json"}, status: 400, code: 5006, text: "/response_format"},
		"format unknown":   {model: llama, inputs: object{"prompt": "x", "response_format": object{"type": "xml"}}, status: 400, code: 5006, text: "/response_format/type"},
		"schema missing":   {model: llama, inputs: object{"prompt": "x", "response_format": object{"type": "json_schema"}}, status: 400, code: 5006, text: "/response_format/json_schema"},
		"schema wrong":     {model: llama, inputs: object{"prompt": "x", "response_format": object{"type": "json_schema", "json_schema": object{"type": "thing"}}}, status: 400, code: 5006, text: "not a JSON Schema"},
		"schema of a file": {model: llama, inputs: object{"prompt": "x", "response_format": object{"type": "json_schema", "json_schema": object{"$ref": "file:///etc/hostname"}}}, status: 400, code: 5006, text: "not a JSON Schema"},
		"script of none":   {model: "@local/script", inputs: object{"prompt": "hello"}, status: 400, code: 5006, text: "last user message"},
		"script not JSON":  {model: "@local/script", inputs: object{"prompt": `{"script": {`}, status: 400, code: 5006, text: "not JSON"},
		"script not turns": {model: "@local/script", inputs: object{"prompt": `{"script": 5}`}, status: 400, code: 5006, text: "not a turn"},

		"gateway id":       {model: "@cf/baai/bge-m3", inputs: object{"text": "x"}, gateway: object{"id": "Levada!"}, status: 400, code: 2001, text: "gateway.id"},
		"gateway option":   {model: "@cf/baai/bge-m3", inputs: object{"text": "x"}, gateway: acme(object{"cachettl": 60, "other": 1}), status: 400, code: 2001, text: "other"},
		"metadata entries": {model: "@cf/baai/bge-m3", inputs: object{"text": "x"}, gateway: object{"id": "levada", "metadata": object{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}}, status: 400, code: 2001, text: "takes 5 entries, got 6"},
		"metadata value":   {model: "@cf/baai/bge-m3", inputs: object{"text": "x"}, gateway: object{"id": "levada", "metadata": object{"a": []int{1}}}, status: 400, code: 2001, text: "gateway.metadata.a"},
		"cache time":       {model: "@cf/baai/bge-m3", inputs: object{"text": "x"}, gateway: acme(object{"cacheTtl": 59}), status: 400, code: 2001, text: "60 to 2592000 seconds, got 59"},
		"attempts":         {model: "@cf/baai/bge-m3", inputs: object{"text": "x"}, gateway: acme(object{"retries": object{"maxAttempts": 6}}), status: 400, code: 2001, text: "1 to 5, got 6"},
	} {
		t.Run(name, func(t *testing.T) {
			gateway := row.gateway
			if gateway == nil {
				gateway = acme(nil)
			}
			r := c.run(row.model, row.inputs, gateway)
			assert.Equal(t, row.status, r.status)
			body := r.json(t)
			assert.Equal(t, float64(row.code), body["internalCode"])
			assert.Contains(t, body["description"], row.text)
			failure := body["errors"].([]any)[0].(object)
			assert.Equal(t, body["internalCode"], failure["code"])
			assert.Equal(t, body["description"], failure["message"])
			assert.NotEmpty(t, r.header.Get("cf-ai-req-id"))
		})
	}
	r := c.send("@cf/baai/bge-m3", "not an envelope")
	assert.Equal(t, 3003.0, r.json(t)["internalCode"])
	r = c.send("@cf/baai/bge-m3", object{"inputs": object{"requests": 1}, "options": object{"queueRequest": true}})
	assert.Equal(t, http.StatusBadRequest, r.status)
}

func TestRefusedCallsAreLogged(t *testing.T) {
	c := start(t, Options{})
	r := c.run("@cf/none/such", object{"text": "x"}, acme(nil))
	log := c.last()
	assert.Equal(t, r.header.Get("cf-aig-log-id"), log.ID)
	assert.Equal(t, 400, log.StatusCode)
	assert.False(t, log.Success)
	assert.Contains(t, log.ResponseHead, "5007")
	assert.Equal(t, "acme", log.Metadata["tenant_id"])
	require.Equal(t, 0, c.page("/ungated").Info.Total)
}
