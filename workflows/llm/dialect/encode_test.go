package dialect_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
)

func ptr[T any](v T) *T { return &v }

func full() llm.Prompt {
	return llm.Prompt{
		Messages: []llm.Message{
			{Role: llm.System, Content: "Be <brief> & kind."},
			{Role: llm.User, Content: "What is at sea?", Name: "ana"},
			{Role: llm.Assistant, ToolCalls: []llm.ToolCall{{ID: "c1", Name: "look", Arguments: `{"at":"sea"}`}}},
			{Role: llm.ToolRole, ToolCallID: "c1", Content: "a boat"},
		},
		Tools: []llm.Tool{
			{Name: "look", Description: "Look.", Parameters: json.RawMessage(`{"type":"object"}`), Strict: ptr(true)},
			{Name: "leave"},
		},
		ToolChoice: json.RawMessage(`{"type":"function","function":{"name":"look"}}`),
		Format:     json.RawMessage(`{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}`),
		MaxTokens:  64, Stream: true,
		Temperature: ptr(0.0), TopP: ptr(0.9), FrequencyPenalty: ptr(0.1), PresencePenalty: ptr(-0.1), Seed: ptr(int64(7)),
		Stop: []string{"###"}, ReasoningEffort: "low", Parallel: ptr(false),
	}
}

func TestEncode(t *testing.T) {
	const messages = `"messages":[
		{"role":"system","content":"Be <brief> & kind."},
		{"role":"user","content":"What is at sea?","name":"ana"},
		{"role":"assistant","content":%,"tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"at\":\"sea\"}"}}]},
		{"role":"tool","content":"a boat","tool_call_id":"c1"}]`
	const look = `{"type":"function","function":{"name":"look","description":"Look.","parameters":{"type":"object"},"strict":true}}`
	const numbers = `"temperature":0,"top_p":0.9,"frequency_penalty":0.1,"presence_penalty":-0.1,"seed":7,"stream":true`
	tests := []struct {
		name   string
		model  llm.GenerationModel
		prompt llm.Prompt
		want   string
	}{
		{"openai", llm.GenerationModel{Dialect: llm.OpenAI}, full(), `{` + with(messages, `null`) + `,
			"tools":[` + look + `,{"type":"function","function":{"name":"leave"}}],
			"tool_choice":{"type":"function","function":{"name":"look"}},"parallel_tool_calls":false,
			"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},
			"max_completion_tokens":64,"stop":["###"],"reasoning_effort":"low","stream_options":{"include_usage":true},` + numbers + `}`},
		{"classic", llm.GenerationModel{Dialect: llm.Classic}, full(), `{` + with(messages, `""`) + `,
			"tools":[` + look + `],"tool_choice":"any","response_format":{"type":"json_schema","json_schema":{"type":"object"}},
			"max_tokens":64,` + numbers + `}`},
		{"openai, little", llm.GenerationModel{Dialect: llm.OpenAI}, llm.Prompt{Messages: []llm.Message{{Role: llm.User, Content: "x"}}, MaxTokens: 1},
			`{"messages":[{"role":"user","content":"x"}],"max_completion_tokens":1}`},
		{"classic, little", llm.GenerationModel{Dialect: llm.Classic}, llm.Prompt{Messages: []llm.Message{{Role: llm.User}}, MaxTokens: 1,
			ToolChoice: json.RawMessage(`"none"`), Format: json.RawMessage(`{"type":"json_object"}`)},
			`{"messages":[{"role":"user","content":""}],"max_tokens":1,"tool_choice":"none","response_format":{"type":"json_object"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := dialect.Encode(tt.model, tt.prompt)
			require.NoError(t, err)
			assert.JSONEq(t, tt.want, string(got))
			assert.NotContains(t, string(got), `\u003c`, "text is not made longer than it is")
			again, err := dialect.Encode(tt.model, tt.prompt)
			require.NoError(t, err)
			assert.Equal(t, got, again, "the same prompt is the same bytes, for the gateway's cache")
		})
	}
}

func with(messages, content string) string {
	for i := range messages {
		if messages[i] == '%' {
			return messages[:i] + content + messages[i+1:]
		}
	}
	return messages
}

func TestEncodeRefusesWhatIsNoJSON(t *testing.T) {
	p := full()
	p.ToolChoice = json.RawMessage(`{"type":`)
	for _, d := range []llm.Dialect{llm.Classic, llm.OpenAI} {
		_, err := dialect.Encode(llm.GenerationModel{Dialect: d}, p)
		assert.Error(t, err)
	}
}
