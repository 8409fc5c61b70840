package openai_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api/openai"
	"levada.dev/api/openai/openaitest"
	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
)

var head = openai.Head{ID: "chatcmpl-1", Created: 1_795_000_000, Model: `@cf/x/"y"`}

// told is an answer with everything in it.
var told = []llm.Delta{
	{Reasoning: "Hm."},
	{Text: "It is\n"}, {Text: "\"noon\" \\ \u2028 é😀\x00"}, {Text: "broken \xff byte"},
	{Tool: &llm.ToolDelta{Index: 0, ID: "c1", Name: "clock", Arguments: `{"zo`}},
	{Tool: &llm.ToolDelta{Index: 0, Arguments: `ne":"UTC"}`}},
	{Tool: &llm.ToolDelta{Index: 1, ID: "c2", Name: "date"}},
	{Finish: llm.FinishTools},
	{Usage: &llm.Usage{Prompt: 12, Completion: 5, Cached: 3}},
}

const text = "It is\n\"noon\" \\ \u2028 é😀\x00broken \uFFFD byte"

// parsed is what SDKs see of an answer or a chunk.
type parsed struct {
	ID, Object, Model string
	Created           int64
	Choices           []struct {
		Message, Delta struct {
			Role             string
			Content          *string
			ReasoningContent string `json:"reasoning_content"`
			ToolCalls        []struct {
				Index    int
				ID, Type string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
		}
		FinishReason *string `json:"finish_reason"`
	}
	Usage *struct {
		PromptTokens        int `json:"prompt_tokens"`
		CompletionTokens    int `json:"completion_tokens"`
		TotalTokens         int `json:"total_tokens"`
		PromptTokensDetails struct {
			CachedTokens int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	}
}

func parse(t *testing.T, s string) (p parsed) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(s), &p), s)
	return p
}

func TestCompletion(t *testing.T) {
	var c openai.Completion
	for _, d := range told {
		c.Add(d)
	}
	b := c.Append(nil, head)
	openaitest.Valid(t, openaitest.Completion, b)
	p := parse(t, string(b))
	assert.Equal(t, []any{head.ID, head.Model, head.Created}, []any{p.ID, p.Model, p.Created})
	m := p.Choices[0].Message
	assert.Equal(t, text, *m.Content)
	assert.Equal(t, "Hm.", m.ReasoningContent)
	require.Len(t, m.ToolCalls, 2)
	assert.Equal(t, `{"zone":"UTC"}`, m.ToolCalls[0].Function.Arguments)
	assert.Equal(t, "date", m.ToolCalls[1].Function.Name)
	assert.Equal(t, "tool_calls", *p.Choices[0].FinishReason)
	assert.Equal(t, 17, p.Usage.TotalTokens)
	assert.Equal(t, 3, p.Usage.PromptTokensDetails.CachedTokens)
}

func TestCompletionsThatSayLittle(t *testing.T) {
	var nothing openai.Completion
	b := nothing.Append(nil, head)
	openaitest.Valid(t, openaitest.Completion, b)
	p := parse(t, string(b))
	assert.Empty(t, *p.Choices[0].Message.Content)
	assert.Equal(t, "stop", *p.Choices[0].FinishReason)

	var call openai.Completion
	call.Add(llm.Delta{Tool: &llm.ToolDelta{ID: "c", Name: "f", Arguments: "{}"}})
	b = call.Append(nil, head)
	openaitest.Valid(t, openaitest.Completion, b)
	p = parse(t, string(b))
	assert.Nil(t, p.Choices[0].Message.Content)
	assert.Equal(t, "tool_calls", *p.Choices[0].FinishReason, "nobody said why it ended")
}

func TestChunks(t *testing.T) {
	for _, usage := range []bool{true, false} {
		c := openai.NewChunks(head, usage)
		var b []byte
		for _, d := range told {
			b = c.Append(b, d)
		}
		b = c.End(b)
		chunks, end := openaitest.Events(t, string(b))
		assert.Equal(t, "[DONE]", end)
		said, reasoned, arguments, finishes := "", "", map[int]string{}, 0
		for i, chunk := range chunks {
			p := parse(t, chunk)
			assert.Equal(t, "chat.completion.chunk", p.Object)
			assert.Equal(t, head.ID, p.ID)
			if usage && i == len(chunks)-1 {
				assert.Empty(t, p.Choices)
				assert.Equal(t, 12, p.Usage.PromptTokens)
				continue
			}
			assert.Nil(t, p.Usage)
			assert.Equal(t, usage, strings.Contains(chunk, `"usage":null`))
			d := p.Choices[0].Delta
			assert.Equal(t, i == 0, d.Role == "assistant", "the first chunk says who speaks")
			if d.Content != nil {
				said += *d.Content
			}
			reasoned += d.ReasoningContent
			for _, call := range d.ToolCalls {
				arguments[call.Index] += call.ID + call.Type + call.Function.Name + call.Function.Arguments
			}
			if p.Choices[0].FinishReason != nil {
				finishes++
			}
		}
		assert.Equal(t, text, said)
		assert.Equal(t, "Hm.", reasoned)
		assert.Equal(t, map[int]string{0: `c1functionclock{"zone":"UTC"}`, 1: "c2functiondate"}, arguments)
		assert.Equal(t, 1, finishes)
	}
}

func TestAStreamThatSaysNothingIsOne(t *testing.T) {
	chunks, end := openaitest.Events(t, string(openai.NewChunks(head, false).End(nil)))
	assert.Len(t, chunks, 2)
	assert.Equal(t, "[DONE]", end)
	assert.Equal(t, "stop", *parse(t, chunks[1]).Choices[0].FinishReason)
}

func TestAStreamThatBreaksOff(t *testing.T) {
	c := openai.NewChunks(head, true)
	b := c.Append(nil, llm.Delta{Text: "It is"})
	b = c.Fail(b, fault.Unavailablef(nil, "model_broke_off", "the model broke off"), 503)
	chunks, end := openaitest.Events(t, string(b))
	assert.Len(t, chunks, 2)
	assert.JSONEq(t, `{"error":{"message":"the model broke off","type":"server_error","param":null,"code":"model_broke_off"}}`, end)
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		code         string
		kind         fault.Kind
		status, want int
		typ, as      string
	}{
		{"unauthorized", fault.Denied, 401, 401, "invalid_request_error", "invalid_api_key"},
		{"tenant_required", fault.Invalid, 400, 401, "invalid_request_error", "invalid_api_key"},
		{"scope_denied", fault.Denied, 403, 403, "invalid_request_error", "scope_denied"},
		{"model_unknown", fault.Invalid, 400, 404, "invalid_request_error", "model_not_found"},
		{"model_not_allowed", fault.Denied, 403, 403, "invalid_request_error", "model_not_allowed"},
		{"message_too_long", fault.Invalid, 413, 400, "invalid_request_error", "context_length_exceeded"},
		{"body_too_large", fault.Invalid, 413, 413, "invalid_request_error", "body_too_large"},
		{"rate_limited", fault.Limited, 429, 429, "requests", "rate_limit_exceeded"},
		{"budget_exhausted", fault.Limited, 429, 429, "insufficient_quota", "insufficient_quota"},
		{"internal", fault.Internal, 500, 500, "server_error", "internal"},
		{"model_busy", fault.Unavailable, 503, 503, "server_error", "model_busy"},
	} {
		f := fault.New(tc.kind, tc.code, "Why \"so\"", nil).WithHint("and how not")
		status := openai.Status(f, tc.status)
		assert.Equal(t, tc.want, status, tc.code)
		b := openai.AppendError(nil, f, status)
		openaitest.Valid(t, openaitest.Error, b)
		var e struct{ Error map[string]any }
		require.NoError(t, json.Unmarshal(b, &e))
		assert.Equal(t, map[string]any{"message": `Why "so" (and how not)`, "type": tc.typ, "code": tc.as, "param": nil}, e.Error)
		assert.Equal(t, tc.typ == "insufficient_quota", openai.Permanent(f), tc.code)
	}
}

func TestEmbeddingsAreTheSameInBothForms(t *testing.T) {
	vectors := [][]float32{{0, -0.5, 1e-20, 3.4028235e38, 1.0 / 3}, make([]float32, 20_000)}
	for i := range vectors[1] {
		vectors[1][i] = float32(math.Sin(float64(i)))
	}
	var plain, encoded bytes.Buffer
	require.NoError(t, openai.WriteEmbeddings(&plain, "m", vectors, false, 9))
	require.NoError(t, openai.WriteEmbeddings(&encoded, "m", vectors, true, 9))
	openaitest.Valid(t, openaitest.Embeddings, plain.Bytes())
	var a struct {
		Data []struct {
			Index     int
			Embedding []float32
		}
	}
	var b struct{ Data []struct{ Embedding string } }
	require.NoError(t, json.Unmarshal(plain.Bytes(), &a))
	require.NoError(t, json.Unmarshal(encoded.Bytes(), &b))
	for i, want := range vectors {
		assert.Equal(t, i, a.Data[i].Index)
		assert.Equal(t, want, a.Data[i].Embedding)
		raw, err := base64.StdEncoding.DecodeString(b.Data[i].Embedding)
		require.NoError(t, err)
		got := make([]float32, len(raw)/4)
		_, err = binary.Decode(raw, binary.LittleEndian, got)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestModels(t *testing.T) {
	b := openai.AppendModels(nil, []string{"default", "@cf/meta/llama", "@local/script"})
	openaitest.Valid(t, openaitest.Models, b)
	assert.Contains(t, string(b), `{"id":"@cf/meta/llama","object":"model","created":0,"owned_by":"meta"}`)
	openaitest.Valid(t, openaitest.Model, openai.AppendModel(nil, "default"))
}
