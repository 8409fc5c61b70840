package dialect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
)

func TestWhole(t *testing.T) {
	usage := &llm.Usage{Prompt: 9, Completion: 4, Cached: 2}
	const told = `"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":2}}`
	tools := []llm.ToolCall{{ID: "call_a1_0", Name: "look", Arguments: `{"at":"sea"}`}}
	tests := []struct {
		name, body string
		want       answered
	}{
		{"classic", `{"response":"The sea.",` + told + `}`, answered{Text: "The sea.", Finish: llm.FinishStop, Usage: usage, Pieces: 2}},
		{"classic, as REST wraps it", `{"result":{"response":"The sea.",` + told + `},"success":true,"errors":[],"messages":[]}`,
			answered{Text: "The sea.", Finish: llm.FinishStop, Usage: usage, Pieces: 2}},
		{"classic, a number", `{"response":42}`, answered{Text: "42", Finish: llm.FinishStop, Pieces: 2}},
		{"classic, JSON mode", `{"response":{"at": ["sea"]}}`, answered{Text: `{"at":["sea"]}`, Finish: llm.FinishStop, Pieces: 2}},
		{"classic, calls with an object", `{"response":null,"tool_calls":[{"name":"look","arguments":{"at":"sea"}}]}`,
			answered{Tools: tools, Finish: llm.FinishTools, Pieces: 2}},
		{"classic, calls with text", `{"response":"","tool_calls":[{"name":"look","arguments":"{\"at\":\"sea\"}"}]}`,
			answered{Tools: tools, Finish: llm.FinishTools, Pieces: 2}},
		{"classic, no calls", `{"response":"x","tool_calls":[]}`, answered{Text: "x", Finish: llm.FinishStop, Pieces: 2}},
		{"classic, all tokens used up", `{"response":"x","usage":{"prompt_tokens":1,"completion_tokens":64}}`,
			answered{Text: "x", Finish: llm.FinishLength, Usage: &llm.Usage{Prompt: 1, Completion: 64}, Pieces: 2}},
		{"openai", `{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"The sea.","reasoning_content":"Hm."},"finish_reason":"length"}],` + told + `}`,
			answered{Text: "The sea.", Reasoning: "Hm.", Finish: llm.FinishLength, Usage: usage, Pieces: 2}},
		{"openai, reasoning by its other name", `{"choices":[{"message":{"content":"x","reasoning":"Hm."},"finish_reason":"stop"}]}`,
			answered{Text: "x", Reasoning: "Hm.", Finish: llm.FinishStop, Pieces: 2}},
		{"openai, calls with text, and one without arguments", `{"choices":[{"message":{"content":null,"tool_calls":[
			{"id":"t1","type":"function","function":{"name":"look","arguments":"{\"at\":\"sea\"}"}},{"id":"t2","type":"function","function":{"name":"leave","arguments":""}}]},"finish_reason":"tool_calls"}]}`,
			answered{Tools: []llm.ToolCall{{ID: "t1", Name: "look", Arguments: `{"at":"sea"}`}, {ID: "t2", Name: "leave", Arguments: "{}"}}, Finish: llm.FinishTools, Pieces: 4}},
		{"openai, calls with an object", `{"choices":[{"message":{"tool_calls":[{"id":"t1","function":{"name":"look","arguments":{"at":"sea"}}}]},"finish_reason":"stop"}]}`,
			answered{Tools: []llm.ToolCall{{ID: "t1", Name: "look", Arguments: `{"at":"sea"}`}}, Finish: llm.FinishTools, Pieces: 2}},
		{"openai, without a word", `{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}`, answered{Finish: llm.FinishStop, Pieces: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := dialect.NewWhole([]byte(tt.body), to)
			require.NoError(t, err)
			got, err := collect(t, w)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestNoAnswer(t *testing.T) {
	for body, code := range map[string]string{
		`{`: "model_answer", `[]`: "model_answer", `{}`: "model_answer", `null`: "model_answer", `{"image":"x"}`: "model_answer",
		`{"errors":[{"code":3040,"message":"busy"}],"success":false}`: "model_busy",
		`{"error":{"message":"boom"}}`:                                "model_unavailable",
	} {
		_, err := dialect.NewWhole([]byte(body), to)
		assert.Equal(t, code, fault.As(err).Code, body)
	}
}

func TestRefusal(t *testing.T) {
	tests := []struct {
		status int
		body   string
		kind   fault.Kind
		code   string
	}{
		{429, `{"internalCode":3040,"name":"AiError","description":"Capacity temporarily exceeded"}`, fault.Unavailable, "model_busy"},
		{429, `{"errors":[{"code":3036,"message":"daily free allocation"}]}`, fault.Limited, "model_quota"},
		{429, `{"error":{"code":"rate_limited","message":"slow down"}}`, fault.Unavailable, "model_busy"},
		{429, `no JSON`, fault.Unavailable, "model_busy"},
		{408, `{"internalCode":3007,"description":"timeout"}`, fault.Unavailable, "model_unavailable"},
		{500, `{"internalCode":"x"}`, fault.Unavailable, "model_unavailable"},
		{502, ``, fault.Unavailable, "model_unavailable"},
		{413, `{"internalCode":3006,"description":"Request is too large"}`, fault.Invalid, "prompt_too_long"},
		{413, `{"errors":[{"code":5021,"message":"The estimated number of input tokens exceeded"}]}`, fault.Invalid, "prompt_too_long"},
		{400, `{"errors":[{"code":5006,"message":"not so"}]}`, fault.Invalid, "model_refused"},
		{403, `{"errors":[{"code":5016,"message":"licence"}]}`, fault.Unavailable, "model_unavailable"},
		{401, `{"errors":[{"code":10000,"message":"auth error"}]}`, fault.Unavailable, "model_unavailable"},
		{400, `{"error":"not so"}`, fault.Invalid, "model_refused"},
	}
	for _, tt := range tests {
		f := fault.As(dialect.Refusal("@test/model", tt.status, []byte(tt.body), time.Time{}))
		assert.Equal(t, tt.kind, f.Kind, tt.body)
		assert.Equal(t, tt.code, f.Code, tt.body)
	}
	quota := dialect.Refusal("@test/model", 429, []byte(`{"errors":[{"code":3036}]}`), time.Date(2026, 11, 22, 22, 30, 0, 0, time.UTC))
	assert.Equal(t, 90*time.Minute, fault.As(quota).RetryAfter, "until the next day")
	assert.ErrorContains(t, dialect.Refusal("@test/model", 400, []byte(`{"error":"not so"}`), time.Time{}), "not so")
}
