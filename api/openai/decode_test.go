package openai_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api/openai"
	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
)

const everything = `{
	"model": "default", "store": true, "metadata": {"a": "b"}, "service_tier": "auto", "user": "u1", "n": 1,
	"prompt_cache_key": "k", "verbosity": "low", "logit_bias": {}, "modalities": [ "text" ], "logprobs": false, "top_logprobs": 0,
	"messages": [
		{"role": "developer", "content": "Be brief."},
		{"role": "user", "content": [{"type": "text", "text": "What \u00e9\ud83d\ude00\n"}, {"text": "time is it?", "type": "text"}], "name": "Ann"},
		{"role": "assistant", "content": null, "refusal": null, "annotations": [], "audio": null, "function_call": null,
			"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{\"zone\":\"UTC\"}"}}]},
		{"role": "tool", "tool_call_id": "c1", "content": "noon"}
	],
	"tools": [{"type": "function", "function": {"name": "clock", "description": "Tells the time.", "strict": true,
		"parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}}],
	"tool_choice": {"type": "function", "function": {"name": "clock"}}, "parallel_tool_calls": false,
	"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": {"type": "object"}}},
	"stream": true, "stream_options": {"include_usage": true}, "max_completion_tokens": 77,
	"temperature": 0.5, "top_p": 1, "frequency_penalty": -2, "presence_penalty": 2e0, "seed": -9223372036854775808,
	"stop": ["\n", "END"], "reasoning_effort": "low", "logit_bias": null, "audio": null
}`

func TestEverythingARequestMaySay(t *testing.T) {
	q, err := openai.DecodeChat([]byte(everything))
	require.NoError(t, err)
	no, yes, seed := false, true, int64(-9223372036854775808)
	float := func(f float64) *float64 { return &f }
	assert.Equal(t, openai.ChatRequest{
		Model: "default", IncludeUsage: true, User: "u1", CacheKey: "k", Limit: "max_completion_tokens",
		Prompt: llm.Prompt{
			Messages: []llm.Message{
				{Role: llm.System, Content: "Be brief."},
				{Role: llm.User, Content: "What é😀\n\ntime is it?", Name: "Ann"},
				{Role: llm.Assistant, ToolCalls: []llm.ToolCall{{ID: "c1", Name: "clock", Arguments: `{"zone":"UTC"}`}}},
				{Role: llm.ToolRole, Content: "noon", ToolCallID: "c1"},
			},
			Tools: []llm.Tool{{Name: "clock", Description: "Tells the time.", Strict: &yes,
				Parameters: json.RawMessage(`{"type": "object", "properties": {"zone": {"type": "string"}}}`)}},
			ToolChoice: json.RawMessage(`{"type": "function", "function": {"name": "clock"}}`),
			Format:     json.RawMessage(`{"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": {"type": "object"}}}`),
			MaxTokens:  77, Stream: true, Temperature: float(.5), TopP: float(1), FrequencyPenalty: float(-2), PresencePenalty: float(2),
			Seed: &seed, Stop: []string{"\n", "END"}, ReasoningEffort: "low", Parallel: &no,
		},
	}, q)
}

func TestADecodedRequestOwnsItsParts(t *testing.T) {
	body := []byte(everything)
	q, err := openai.DecodeChat(body)
	require.NoError(t, err)
	before, err := json.Marshal(q)
	require.NoError(t, err)
	for i := range body {
		body[i] = 'x'
	}
	after, err := json.Marshal(q)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
}

// said is a request with more parameters.
func said(more string) string {
	return `{"model":"m","messages":[{"role":"user","content":"hi"}]` + more + `}`
}

func withMessages(messages string) string { return `{"model":"m","messages":` + messages + `}` }

func TestWhatIsTaken(t *testing.T) {
	for _, body := range []string{
		said(``), said(`,"tools":[]`), said(`,"tool_choice":"auto"`), said(`,"tool_choice":"none"`), said(`,"stop":null`), said(`,"stop":"x"`),
		said(`,"response_format":{"type":"text"}`), said(`,"response_format":{"type":"json_object"}`), said(`,"stream_options":null`),
		said(`,"stream_options":{"include_obfuscation":false}`), said(`,"max_tokens":null`), said(`,"prediction":{"type":"content","content":"x"}`),
		said(`,"tools":[{"type":"function","function":{"name":"f","parameters":null}}],"tool_choice":"required"`),
		withMessages(`[{"content":"hi","role":"user"}]`), withMessages(`[{"role":"user","content":""}]`),
		withMessages(`[{"role":"assistant","content":"a","reasoning_content":"because"},{"role":"assistant","content":null,"refusal":"no"}]`),
		withMessages(`[{"role":"assistant","content":[{"type":"refusal","refusal":"no"}]}]`),
		" \n" + said(``) + "\t",
	} {
		_, err := openai.DecodeChat([]byte(body))
		assert.NoError(t, err, body)
	}
}

func TestWhatIsRefused(t *testing.T) {
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for _, tc := range []struct{ body, param, code string }{
		{`{}`, "model", "missing_required_parameter"},
		{`{"model":""}`, "model", "missing_required_parameter"},
		{`{"model":"m"}`, "messages", "missing_required_parameter"},
		{withMessages(`[]`), "messages", "empty_array"},
		{withMessages(`"hi"`), "messages", "invalid_type"},
		{withMessages(`[null]`), "messages[0]", "invalid_type"},
		{withMessages(`[{}]`), "messages[0].role", "missing_required_parameter"},
		{withMessages(`[{"role":"user"}]`), "messages[0].content", "missing_required_parameter"},
		{withMessages(`[{"role":"user","content":null}]`), "messages[0].content", "missing_required_parameter"},
		{withMessages(`[{"role":"user","content":5}]`), "messages[0].content", "invalid_type"},
		{withMessages(`[{"role":"user","content":[]}]`), "messages[0].content", "empty_array"},
		{withMessages(`[{"role":"user","content":[{"type":"text"}]}]`), "messages[0].content[0].text", "missing_required_parameter"},
		{withMessages(`[{"role":"user","content":[{"text":"x"}]}]`), "messages[0].content[0].type", "missing_required_parameter"},
		{withMessages(`[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]`), "messages[0].content[0].type", "unsupported_value"},
		{withMessages(`[{"role":"user","content":[{"input_audio":{},"type":"input_audio"}]}]`), "messages[0].content[0].type", "unsupported_value"},
		{withMessages(`[{"role":"function","content":"x"}]`), "messages[0].role", "invalid_value"},
		{withMessages(`[{"role":"user","content":"x","mood":"good"}]`), "messages[0].mood", "unknown_parameter"},
		{withMessages(`[{"role":"assistant","content":"x","function_call":{}}]`), "messages[0].function_call", "unsupported_parameter"},
		{withMessages(`[{"role":"tool","content":"x"}]`), "messages[0].tool_call_id", "missing_required_parameter"},
		{withMessages(`[{"role":"tool","content":"x","tool_call_id":"c"}]`), "messages[0].tool_call_id", "invalid_value"},
		{withMessages(`[{"role":"user","content":"x","tool_calls":[{"id":"c","function":{"name":"f"}}]}]`), "messages[0].tool_calls", "invalid_value"},
		{withMessages(`[{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f"}}]}]`), "messages[0].tool_calls[0].id", "missing_required_parameter"},
		{withMessages(`[{"role":"assistant","tool_calls":[{"id":"c","function":{}}]}]`), "messages[0].tool_calls[0].function.name", "missing_required_parameter"},
		{withMessages(`[{"role":"assistant","tool_calls":[{"id":"c","type":"custom"}]}]`), "messages[0].tool_calls[0].type", "unsupported_value"},
		{said(`,"temprature":1`), "temprature", "unknown_parameter"},
		{said(`,"temprature":null`), "temprature", "unknown_parameter"},
		{said(`,"":1`), `""`, "unknown_parameter"},
		{said(`,"temperature":"1"`), "temperature", "invalid_type"},
		{said(`,"temperature":2.1`), "temperature", "invalid_value"},
		{said(`,"temperature":1e999`), "temperature", "invalid_value"},
		{said(`,"top_p":-0.1`), "top_p", "invalid_value"},
		{said(`,"presence_penalty":3`), "presence_penalty", "invalid_value"},
		{said(`,"max_tokens":0`), "max_tokens", "invalid_value"},
		{said(`,"max_tokens":1.5`), "max_tokens", "invalid_type"},
		{said(`,"max_completion_tokens":99999999999`), "max_completion_tokens", "invalid_value"},
		{said(`,"seed":9223372036854775808`), "seed", "invalid_value"},
		{said(`,"stream":"yes"`), "stream", "invalid_type"},
		{said(`,"stream_options":{"usage":true}`), "stream_options.usage", "unknown_parameter"},
		{said(`,"stop":["a","b","c","d","e"]`), "stop", "array_above_max_length"},
		{said(`,"stop":[1]`), "stop[0]", "invalid_type"},
		{said(`,"n":2`), "n", "unsupported_value"},
		{said(`,"logprobs":true`), "logprobs", "unsupported_value"},
		{said(`,"logit_bias":{"1":2}`), "logit_bias", "unsupported_value"},
		{said(`,"modalities":["text","audio"]`), "modalities", "unsupported_value"},
		{said(`,"functions":[]`), "functions", "unsupported_parameter"},
		{said(`,"web_search_options":{}`), "web_search_options", "unsupported_parameter"},
		{said(`,"reasoning_effort":"lots"`), "reasoning_effort", "invalid_value"},
		{said(`,"response_format":{}`), "response_format.type", "missing_required_parameter"},
		{said(`,"response_format":{"type":"xml"}`), "response_format.type", "invalid_value"},
		{said(`,"response_format":{"type":"json_schema"}`), "response_format.json_schema", "missing_required_parameter"},
		{said(`,"response_format":{"type":"json_schema","json_schema":{"name":"a b"}}`), "response_format.json_schema.name", "invalid_value"},
		{said(`,"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":[]}}`), "response_format.json_schema.schema", "invalid_type"},
		{said(`,"tools":[{"type":"custom"}]`), "tools[0].type", "unsupported_value"},
		{said(`,"tools":[{"function":{"name":"f"}}]`), "tools[0].type", "missing_required_parameter"},
		{said(`,"tools":[{"type":"function","function":{"name":"a b"}}]`), "tools[0].function.name", "invalid_value"},
		{said(`,"tools":[{"type":"function","function":{"name":"f","parameters":[]}}]`), "tools[0].function.parameters", "invalid_type"},
		{said(`,"tool_choice":"required"`), "tool_choice", "invalid_value"},
		{said(`,"tool_choice":"maybe"`), "tool_choice", "invalid_value"},
		{said(`,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"g"}}`), "tool_choice.function.name", "invalid_value"},
		{said(`,"metadata":` + deep), "metadata" + strings.Repeat("[0]", 127), "invalid_value"},

		{``, "", "invalid_json"}, {`[]`, "", "invalid_json"}, {`null`, "", "invalid_json"}, {`{"model":"m"`, "", "invalid_json"},
		{`{"model":"m",}`, "", "invalid_json"}, {said(``) + `x`, "", "invalid_json"}, {`{"model":"\x"}`, "", "invalid_json"},
		{`{"model":"\ud800"}`, "", "invalid_json"}, {"{\"model\":\"a\nb\"}", "", "invalid_json"}, {"{\"model\":\"\xff\"}", "", "invalid_json"},
		{`{"model":tru}`, "", "invalid_json"}, {`{"temperature":01}`, "", "invalid_json"}, {`{"temperature":1.}`, "", "invalid_json"}, {`{'model':1}`, "", "invalid_json"},
	} {
		_, err := openai.DecodeChat([]byte(tc.body))
		require.Error(t, err, tc.body)
		f := fault.As(err)
		assert.Equal(t, fault.Invalid, f.Kind, tc.body)
		assert.Equal(t, tc.code, f.Code, tc.body)
		assert.Equal(t, tc.param, f.Field, tc.body)
		if tc.param != "" {
			assert.Contains(t, f.Message, "'"+tc.param+"'", tc.body)
		}
	}
}

func TestBrokenJSONHasItsPosition(t *testing.T) {
	_, err := openai.DecodeChat([]byte("{\n \"model\": \"m\",\n \"messages\": [}\n}"))
	assert.Equal(t, "The body is not the JSON it should be: expected a value at byte 31 (line 3, column 15).", fault.As(err).Message)
}

func TestEmbeddingRequests(t *testing.T) {
	q, err := openai.DecodeEmbedding([]byte(`{"model":"default","input":["a","b"],"encoding_format":"base64","dimensions":1024,"user":null}`))
	require.NoError(t, err)
	assert.Equal(t, openai.EmbeddingRequest{Model: "default", Input: []string{"a", "b"}, Base64: true, Dimensions: 1024}, q)
	q, err = openai.DecodeEmbedding([]byte(`{"model":"default","input":"a"}`))
	require.NoError(t, err)
	assert.Equal(t, openai.EmbeddingRequest{Model: "default", Input: []string{"a"}}, q)

	many := `"x"` + strings.Repeat(`,"x"`, 2048)
	for body, want := range map[string]string{
		`{"input":"a"}`:                                        "model missing_required_parameter",
		`{"model":"m"}`:                                        "input missing_required_parameter",
		`{"model":"m","input":[]}`:                             "input empty_array",
		`{"model":"m","input":""}`:                             "input invalid_value",
		`{"model":"m","input":["a",""]}`:                       "input[1] invalid_value",
		`{"model":"m","input":[1,2]}`:                          "input unsupported_value",
		`{"model":"m","input":[[1],[2]]}`:                      "input unsupported_value",
		`{"model":"m","input":{}}`:                             "input invalid_type",
		`{"model":"m","input":["a",{}]}`:                       "input[1] invalid_type",
		`{"model":"m","input":[` + many + `]}`:                 "input array_above_max_length",
		`{"model":"m","input":"a","encoding_format":"binary"}`: "encoding_format invalid_value",
		`{"model":"m","input":"a","dimensions":0}`:             "dimensions invalid_value",
		`{"model":"m","input":"a","truncate":true}`:            "truncate unknown_parameter",
		`{"model":"m","input":"a"`:                             " invalid_json",
	} {
		_, err := openai.DecodeEmbedding([]byte(body))
		require.Error(t, err, body)
		f := fault.As(err)
		assert.Equal(t, want, f.Field+" "+f.Code, body)
	}
}

// TestNullIsNothing: SDKs of some languages send what was not set as null.
func TestNullIsNothing(t *testing.T) {
	want, err := openai.DecodeChat([]byte(said(``)))
	require.NoError(t, err)
	for _, name := range []string{
		"stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty",
		"seed", "stop", "reasoning_effort", "tools", "tool_choice", "parallel_tool_calls", "response_format", "user", "safety_identifier",
		"prompt_cache_key", "store", "metadata", "service_tier", "prompt_cache_retention", "prompt_cache_options", "verbosity", "prediction",
		"n", "logprobs", "top_logprobs", "logit_bias", "modalities", "audio", "moderation", "web_search_options", "functions", "function_call",
	} {
		got, err := openai.DecodeChat([]byte(said(`,"` + name + `":null`)))
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
}

// FuzzValues looks for JSON that is taken for none, or the other way round.
func FuzzValues(f *testing.F) {
	for _, seed := range []string{`null`, `[1,-0.5e+3,"\u00e9\ud83d\ude00",{"a":{}}]`, `{"a":1,"a":[]}`, `"\/\b"`, `01`, `"\ud800"`, ` true `, `[1,]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		_, err := openai.DecodeChat([]byte(said(`,"metadata":` + value)))
		whole := json.Valid([]byte(value)) && utf8.ValidString(value) && !strings.Contains(strings.ToLower(value), `\ud`)
		if err != nil && fault.As(err).Code == "invalid_json" && whole {
			t.Fatalf("%q: %v", value, err)
		}
	})
}

// FuzzDecode looks for a request that panics, that is taken though it is no JSON, or whose refusal does not say where.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{everything, said(``), `{"model":"m","input":["a"],"encoding_format":"base64"}`, `{"a":[1e5,-0,"\u00e9",{}]}`, `{"":0}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, chat := openai.DecodeChat(body)
		_, embedding := openai.DecodeEmbedding(body)
		for _, err := range []error{chat, embedding} {
			if err == nil {
				if !json.Valid(body) {
					t.Fatalf("taken, and no JSON: %q", body)
				}
				continue
			}
			e := fault.As(err)
			if e.Kind != fault.Invalid || e.Code == "" {
				t.Fatalf("%q: %v", body, err)
			}
			if lost := e.Field == ""; lost != (e.Code == "invalid_json") || lost && !strings.Contains(e.Message, "at byte") {
				t.Fatalf("%q: neither parameter nor position: %v", body, err)
			}
			if !json.Valid(openai.AppendError(nil, e, 400)) {
				t.Fatalf("%q: the error is no JSON", body)
			}
		}
	})
}

func ExampleDecodeChat() {
	_, err := openai.DecodeChat([]byte(`{"model":"default","messages":[{"role":"user","content":7}]}`))
	fmt.Println(err)
	// Output: invalid_type at messages[0].content: 'messages[0].content' must be a string or an array, not a number.
}

// Long conversations and many texts fit; a body of nothing but values does not, wherever they are.
func TestValuesAreCounted(t *testing.T) {
	list := func(n int, v string) string { return "[" + strings.TrimSuffix(strings.Repeat(v+",", n), ",") + "]" }
	q, err := openai.DecodeChat([]byte(`{"model":"m","messages":` + list(7_000, `{"role":"user","content":[{"type":"text","text":"a"}]}`) + `}`))
	require.NoError(t, err)
	assert.Len(t, q.Prompt.Messages, 7_000)
	e, err := openai.DecodeEmbedding([]byte(`{"model":"m","input":` + list(2_048, `"a"`) + `}`))
	require.NoError(t, err)
	assert.Len(t, e.Input, 2_048)
	for body, field := range map[string]string{
		`{"model":"m","messages":` + list(200_000, `{"role":"user","content":"a"}`) + `}`:                                                            "messages[16665].content",
		`{"model":"m","messages":[{"role":"user","content":` + list(200_000, `{}`) + `}]}`:                                                           "messages[0].content[0].type",
		`{"model":"m","messages":[{"role":"user","annotations":` + list(200_000, `1`) + `,"content":"a"}]}`:                                          "messages[0].annotations[49994]",
		`{"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":{"enum":` + list(200_000, `1`) + `}}}],"messages":[]}`:         "tools[0].function.parameters.enum[49991]",
		`{"model":"m","metadata":{"a":` + list(200_000, `1`) + `},"messages":[{"role":"user","content":"a"}]}`:                                       "metadata.a[49996]",
		`{"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"x":` + list(200_000, `[]`) + `}}},"messages":[]}`: "response_format.json_schema.schema.x[49992]",
	} {
		_, err := openai.DecodeChat([]byte(body))
		f := fault.As(err)
		assert.Equal(t, field, f.Field)
		assert.Contains(t, []string{"json_too_complex", "missing_required_parameter"}, f.Code)
	}
}
