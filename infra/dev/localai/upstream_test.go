package localai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// upstream is an OpenAI-compatible server that records what it is asked.
type upstream struct {
	status int
	chunks []string
	asked  object
	key    string
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.asked, u.key = nil, r.Header.Get("Authorization")
	json.NewDecoder(r.Body).Decode(&u.asked)
	if u.status != 0 {
		w.WriteHeader(u.status)
		fmt.Fprint(w, "no")
		return
	}
	for _, chunk := range u.chunks {
		fmt.Fprintf(w, "data: %s\n\n", chunk)
	}
}

func TestUpstream(t *testing.T) {
	u := &upstream{}
	server := httptest.NewServer(u)
	defer server.Close()
	c := start(t, Options{OpenAI: OpenAI{BaseURL: server.URL + "/v1/", Key: "secret", Model: "tiny"}})
	u.chunks = []string{
		`{"choices":[{"delta":{"role":"assistant","content":""}}]}`,
		`{"choices":[{"delta":{"content":"Hel"}}]}`,
		`{"choices":[{"delta":{"content":"lo"}}]}`,
		`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"add","arguments":"{\"x\""}}]}}]}`,
		`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}`,
		`{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}`,
		`{"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":5}}`,
		`[DONE]`,
	}
	inputs := object{"prompt": "hi", "temperature": 0.1, "tools": []object{{"name": "add", "parameters": object{}}}}
	r := c.run(llama, inputs, acme(nil)).json(t)
	assert.Equal(t, "Hello", r["response"])
	assert.Equal(t, []any{object{"name": "add", "arguments": object{"x": 1.0}}}, r["tool_calls"])
	assert.Equal(t, 16.0, r["usage"].(object)["total_tokens"])
	assert.Equal(t, "Bearer secret", u.key)
	assert.Equal(t, object{
		"model": "tiny", "stream": true, "stream_options": object{"include_usage": true}, "temperature": 0.1,
		"messages": []any{object{"role": "user", "content": "hi"}},
		"tools":    []any{object{"type": "function", "function": object{"name": "add", "parameters": object{}}}},
	}, u.asked)

	data, done := readEvents(t, c.run(gemma, streaming(object{"messages": []object{{"role": "user", "content": "hi"}}}), acme(nil)).body)
	assert.True(t, done)
	call := data[2]["choices"].([]any)[0].(object)["delta"].(object)["tool_calls"].([]any)[0].(object)
	assert.Equal(t, `{"x":1}`, call["function"].(object)["arguments"])
	assert.Equal(t, 11, c.last().TokensIn)

	t.Run("cut", func(t *testing.T) {
		u.chunks = []string{`{"choices":[{"delta":{"content":"Hel"}}]}`}
		r := c.run(gemma, streaming(object{"prompt": "hi"}), acme(nil))
		assert.True(t, r.broken)
		assert.Equal(t, 500, c.run(gemma, object{"prompt": "hi"}, acme(nil)).status)
	})
	t.Run("errors", func(t *testing.T) {
		for status, code := range map[int]float64{429: 3040, 503: 3040, 400: 5006, 500: 3043, 401: 3043} {
			u.status = status
			assert.Equal(t, code, c.run(llama, object{"prompt": "hi"}, acme(nil)).json(t)["internalCode"], status)
		}
		server.Close()
		r := c.run(llama, object{"prompt": "hi"}, acme(nil))
		assert.Equal(t, 500, r.status)
		require.Contains(t, r.body, "reach the OpenAI-compatible server")
	})
}
