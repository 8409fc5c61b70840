package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/workflows/speech/audio"
)

// client knows the base URL and a key, and nothing else.
func client(s server, tenant tenants.ID, more ...option.RequestOption) openai.Client {
	return openai.NewClient(append([]option.RequestOption{option.WithBaseURL(s.url), option.WithAPIKey(s.keys[tenant])}, more...)...)
}

// asks is a question that scripts its answer.
func asks(model, script string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(`{"script":` + script + `}`)},
	}
}

// both runs a test with either dialect of the models.
func both(t *testing.T, test func(t *testing.T, s server, model string)) {
	each(t, func(t *testing.T, s server) {
		for _, model := range []string{"default", "@local/script-openai"} {
			t.Run(strings.TrimPrefix(model, "@local/"), func(t *testing.T) { test(t, s, model) })
		}
	})
}

func TestGoChat(t *testing.T) {
	both(t, func(t *testing.T, s server, model string) {
		c := client(s, "acme")
		answer, err := c.Chat.Completions.New(t.Context(), asks(model, `{"tokens":["Water ","flows."],"usage":{"prompt":9,"completion":2}}`))
		require.NoError(t, err)
		require.Len(t, answer.Choices, 1)
		assert.Equal(t, "Water flows.", answer.Choices[0].Message.Content)
		assert.Equal(t, "stop", answer.Choices[0].FinishReason)
		assert.EqualValues(t, 11, answer.Usage.TotalTokens)
		assert.Contains(t, answer.Model, "@local/script")
	})
}

func TestGoStream(t *testing.T) {
	both(t, func(t *testing.T, s server, model string) {
		c := client(s, "acme")
		params := asks(model, `{"tokens":["Wa","ter ","é😀"],"delayMs":5,"usage":{"prompt":9,"completion":3}}`)
		params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: param.NewOpt(true)}
		stream := c.Chat.Completions.NewStreaming(t.Context(), params)
		var all openai.ChatCompletionAccumulator
		for stream.Next() {
			require.True(t, all.AddChunk(stream.Current()))
		}
		require.NoError(t, stream.Err())
		assert.Equal(t, "Water é😀", all.Choices[0].Message.Content)
		assert.EqualValues(t, 12, all.Usage.TotalTokens)
	})
}

func TestGoTools(t *testing.T) {
	both(t, func(t *testing.T, s server, model string) {
		c := client(s, "acme")
		params := asks(model, `[{"toolCalls":[{"id":"c1","name":"clock","arguments":{"zone":"UTC"}},{"id":"c2","name":"clock","arguments":{"zone":"CET"}}]},{"tokens":["It is noon."]}]`)
		params.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
			Name: "clock", Description: param.NewOpt("Tells the time."),
			Parameters: shared.FunctionParameters{"type": "object", "properties": map[string]any{"zone": map[string]any{"type": "string"}}},
		})}
		params.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: param.NewOpt("required")}
		first, err := c.Chat.Completions.New(t.Context(), params)
		require.NoError(t, err)
		called := first.Choices[0].Message
		assert.Equal(t, "tool_calls", first.Choices[0].FinishReason)
		require.Len(t, called.ToolCalls, 2)
		assert.JSONEq(t, `{"zone":"CET"}`, called.ToolCalls[1].Function.Arguments)
		assert.NotEqual(t, called.ToolCalls[0].ID, called.ToolCalls[1].ID)

		stream := c.Chat.Completions.NewStreaming(t.Context(), params)
		var streamed openai.ChatCompletionAccumulator
		for stream.Next() {
			require.True(t, streamed.AddChunk(stream.Current()))
		}
		require.NoError(t, stream.Err())
		require.Len(t, streamed.Choices[0].Message.ToolCalls, 2)
		assert.JSONEq(t, `{"zone":"UTC"}`, streamed.Choices[0].Message.ToolCalls[0].Function.Arguments)

		params.Messages = append(params.Messages, called.ToParam())
		for _, call := range called.ToolCalls {
			params.Messages = append(params.Messages, openai.ToolMessage("noon", call.ID))
		}
		params.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{}
		second, err := c.Chat.Completions.New(t.Context(), params)
		require.NoError(t, err)
		assert.Equal(t, "It is noon.", second.Choices[0].Message.Content)
	})
}

func TestGoJSONMode(t *testing.T) {
	both(t, func(t *testing.T, s server, model string) {
		c := client(s, "acme")
		params := asks(model, `{"echo":true}`)
		params.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
				Name: "answer", Schema: map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}}, Strict: param.NewOpt(true),
			}},
		}
		answer, err := c.Chat.Completions.New(t.Context(), params)
		require.NoError(t, err)
		var seen struct {
			Format struct{ Type string } `json:"response_format"`
		}
		require.NoError(t, json.Unmarshal([]byte(answer.Choices[0].Message.Content), &seen), answer.Choices[0].Message.Content)
		assert.Equal(t, "json_schema", seen.Format.Type, "the model was told")
	})
}

func TestGoEmbeddings(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		for _, tenant := range []tenants.ID{"acme", "globex"} {
			c := client(s, tenant)
			answer, err := c.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
				Model: "default", Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"water", "fire"}},
			})
			require.NoError(t, err)
			require.Len(t, answer.Data, 2)
			assert.Len(t, answer.Data[1].Embedding, 1024)
			assert.Positive(t, answer.Usage.TotalTokens)
		}
	})
}

func TestGoModels(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		c := client(s, "acme")
		page, err := c.Models.List(t.Context())
		require.NoError(t, err)
		var ids []string
		for _, m := range page.Data {
			ids = append(ids, m.ID)
		}
		assert.Equal(t, []string{"default", "@local/script", "@local/script-openai", "@cf/baai/bge-m3", "@local/voice"}, ids)
		m, err := c.Models.Get(t.Context(), "@local/script-openai")
		require.NoError(t, err)
		assert.Equal(t, "@local/script-openai", m.ID)
		other := client(s, "globex")
		_, err = other.Models.Get(t.Context(), "@local/script")
		assert.Equal(t, 404, failed(t, err).StatusCode)
	})
}

func failed(t *testing.T, err error) *openai.Error {
	t.Helper()
	var e *openai.Error
	require.ErrorAs(t, err, &e)
	return e
}

func TestGoErrors(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		ask := func(tenant tenants.ID, params openai.ChatCompletionNewParams, more ...option.RequestOption) *openai.Error {
			c := client(s, tenant, append(more, option.WithMaxRetries(0))...)
			_, err := c.Chat.Completions.New(t.Context(), params)
			return failed(t, err)
		}
		hello := asks("default", `{"tokens":["hi"]}`)

		e := ask("acme", hello, option.WithAPIKey("sk-nonsense"))
		assert.Equal(t, []any{401, "invalid_api_key"}, []any{e.StatusCode, e.Code})
		e = ask("acme", asks("gpt-4o", `{"tokens":["hi"]}`))
		assert.Equal(t, []any{404, "model_not_found", "model"}, []any{e.StatusCode, e.Code, e.Param})
		e = ask("globex", asks("@local/script", `{"tokens":["hi"]}`))
		assert.Equal(t, []any{403, "model_not_allowed"}, []any{e.StatusCode, e.Code}, "another tenant's model")
		e = ask("acme", openai.ChatCompletionNewParams{Model: "default"})
		assert.Equal(t, []any{400, "invalid_request_error"}, []any{e.StatusCode, e.Type})
		e = ask("poor", hello, option.WithMaxRetries(2))
		assert.Equal(t, []any{429, "insufficient_quota"}, []any{e.StatusCode, e.Code})

		hello.User = param.NewOpt("ann")
		for range 20 { // an isolate may have leased a few permits at a time, but the sum is exact: one in a minute
			c := client(s, "narrow", option.WithMaxRetries(0))
			if _, err := c.Chat.Completions.New(t.Context(), hello); err != nil {
				e = failed(t, err)
				assert.Equal(t, []any{429, "rate_limit_exceeded"}, []any{e.StatusCode, e.Code})
				assert.NotEmpty(t, e.Response.Header.Get("Retry-After"))
				return
			}
		}
		t.Error("nobody was limited")
	})
}

func TestGoStreamBreaksOff(t *testing.T) {
	both(t, func(t *testing.T, s server, model string) {
		c := client(s, "acme")
		stream := c.Chat.Completions.NewStreaming(t.Context(), asks(model, `{"tokens":["a","b","c"],"delayMs":5,"cutAfter":2}`))
		said := ""
		for stream.Next() {
			for _, choice := range stream.Current().Choices {
				said += choice.Delta.Content
			}
		}
		assert.Equal(t, "ab", said)
		require.Error(t, stream.Err())
		assert.Contains(t, stream.Err().Error(), "broke off")
	})
}

// TestGoLeaves goes in the middle of a stream: what the model has said until then is paid, by estimate.
func TestGoLeaves(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		for _, tenant := range []tenants.ID{"leaves-a", "leaves-b"} { // in either dialect
			c := client(s, tenant)
			ctx, leave := context.WithCancel(t.Context())
			stream := c.Chat.Completions.NewStreaming(ctx, asks("default", `{"tokens":["a","b","c","d","e","f"],"delayMs":200}`))
			require.True(t, stream.Next())
			leave()
			for stream.Next() {
			}
			require.True(t, errors.Is(stream.Err(), context.Canceled), "%v", stream.Err())
			require.Eventually(t, func() bool { return estimated(t, c) == 1 }, 30*time.Second, 50*time.Millisecond, "it is paid")
		}
	})
}

// estimated is how many chats of the tenant are booked by estimate. The SDK asks any route with the same key.
func estimated(t *testing.T, c openai.Client) (n int) {
	t.Helper()
	var usage struct {
		Data struct {
			Lines []struct {
				Capability     string
				EstimatedCalls int
			}
		}
	}
	require.NoError(t, c.Get(t.Context(), "../usage", nil, &usage))
	for _, l := range usage.Data.Lines {
		if l.Capability == "chat" {
			n += l.EstimatedCalls
		}
	}
	return n
}

// The sound comes as it is, and is read while it is made: a text of several parts.
func TestGoSpeech(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		sounds := map[tenants.ID][]byte{}
		for _, tenant := range []tenants.ID{"acme", "globex"} {
			c := client(s, tenant)
			params := openai.AudioSpeechNewParams{
				Model: "gpt-4o-mini-tts", Input: strings.Repeat("Levadas carry water across Madeira. ", 20),
				Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: param.NewOpt("default")},
			}
			answer, err := c.Audio.Speech.New(t.Context(), params)
			require.NoError(t, err)
			sounds[tenant], err = io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			assert.Equal(t, "audio/wav", answer.Header.Get("Content-Type"))
			pcm, err := audio.ReadWAV(sounds[tenant])
			require.NoError(t, err)
			assert.Greater(t, pcm.Duration(), 5*time.Second)
			assert.Greater(t, audio.RMS(pcm), 0.005)

			params.Instructions = param.NewOpt("Cheerfully.")
			_, err = c.Audio.Speech.New(t.Context(), params)
			var refused *openai.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, []string{"unsupported_parameter", "instructions"}, []string{refused.Code, refused.Param})
		}
		assert.NotEqual(t, sounds["acme"], sounds["globex"])
	})
}
