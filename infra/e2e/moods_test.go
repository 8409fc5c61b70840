package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/localai"
)

// calls are the model calls that one request made, the newest first, as the gateway has logged them.
func calls(t *testing.T, requestID string) []localai.Log {
	t.Helper()
	var log struct{ Result []localai.Log }
	filters := `[{"key":"metadata.key","operator":"eq","value":["request_id"]},{"key":"metadata.value","operator":"eq","value":["` + requestID + `"]}]`
	getJSON(t, platform.GatewayURL()+"/gateways/levada/logs?per_page=50&filters="+url.QueryEscape(filters), &log)
	return log.Result
}

// A model that is busy is replaced by the next one, which the answer names; one whose quota is used up is not.
func TestBusyModelIsReplaced(t *testing.T) {
	t.Parallel()
	u := as(t, "alder")
	const busyRequest, poorRequest = "0b6f0a3e-6f0e-4b53-9c53-0d3ad8f0c1a1", "0b6f0a3e-6f0e-4b53-9c53-0d3ad8f0c1a2"
	busy := script(map[string]any{"error": map[string]any{"code": 3040, "status": 429, "text": "busy"}, "times": 1, "tokens": []string{"The other one."}})
	s, err := u.say(busy, nil, "x-request-id", busyRequest)
	require.NoError(t, err)
	all, err := s.rest()
	require.NoError(t, err)
	assert.Equal(t, "The other one.", said(all))
	assert.Equal(t, "@local/script-openai", inOrder(t, all).field("model"))
	asked := calls(t, busyRequest)
	require.Len(t, asked, 2)
	assert.Equal(t, []any{"@local/script-openai", true}, []any{asked[0].Model, asked[0].Success})
	assert.Equal(t, []any{"@local/script", false}, []any{asked[1].Model, asked[1].Success})

	poor := script(map[string]any{"error": map[string]any{"code": 3036, "status": 429, "text": "no more today"}})
	a := u.do(http.MethodPost, "/chat", map[string]any{"message": poor}, "x-request-id", poorRequest)
	assert.Equal(t, []any{http.StatusTooManyRequests, "model_quota"}, []any{a.Status, a.Error.Code}, "%s", a.Body)
	assert.NotEmpty(t, a.Header.Get("retry-after"))
	assert.Len(t, calls(t, poorRequest), 1, "the other model has the same quota")
}

// An answer that is cut off ends in an error that says so, after what there was of it; the session goes on.
func TestAnswerThatIsCutOff(t *testing.T) {
	t.Parallel()
	for _, tenant := range []string{"alder", "birch"} {
		u := as(t, tenant)
		all := u.tells(script(map[string]any{"tokens": []string{"This ", "far ", "and no further"}, "delayMs": 20, "cutAfter": 2}), nil)
		end := inOrder(t, all)
		assert.Equal(t, []string{"error", "model_broke_off"}, []string{end.Type, end.field("code")})
		assert.Equal(t, "This far ", said(all))

		message, answer := tokens("next", 3, 0)
		s, err := u.say(script(map[string]any{"tokens": []string{"a", "b"}, "cutAfter": 1}), nil)
		require.NoError(t, err)
		_, err = s.rest()
		require.NoError(t, err)
		assert.Equal(t, answer, said(u.tells(message, map[string]any{"sessionId": s.Session})))
		h := u.history(s.Session)
		require.Len(t, h.Messages, 4)
		assert.Equal(t, []string{"a", "model_broke_off"}, []string{h.Messages[1].Content, h.Messages[1].Error})
	}
}

// What a model wants called goes to the client, whose outcomes are the next turn.
func TestToolsOfAConversation(t *testing.T) {
	t.Parallel()
	for _, tenant := range []string{"alder", "birch"} {
		u := as(t, tenant)
		turns := []any{
			map[string]any{"toolCalls": []any{map[string]any{"id": "c1", "name": "gauge", "arguments": map[string]any{"of": "the upper channel"}}}},
			map[string]any{"tokens": []string{"It is ", "full."}},
		}
		tools := []any{map[string]any{"type": "function", "function": map[string]any{
			"name": "gauge", "description": "Tells how much water there is.", "parameters": map[string]any{"type": "object"},
		}}}
		s, err := u.say(script(turns), map[string]any{"tools": tools})
		require.NoError(t, err)
		all, err := s.rest()
		require.NoError(t, err)
		assert.Equal(t, "tool_calls", inOrder(t, all).field("finishReason"))
		var called happening
		for _, h := range all {
			if h.Type == "tool_call" {
				called = h
			}
		}
		require.Equal(t, "gauge", called.field("name"))
		assert.JSONEq(t, `{"of":"the upper channel"}`, called.field("arguments"))

		a := u.do(http.MethodPost, "/chat", map[string]any{
			"sessionId": s.Session, "stream": false, "tools": tools,
			"toolResults": []any{map[string]any{"toolCallId": called.field("id"), "content": "98 %"}},
		})
		require.True(t, a.OK, "%s", a.Body)
		var whole struct{ Message, FinishReason string }
		require.NoError(t, json.Unmarshal(a.Data, &whole))
		assert.Equal(t, "It is full.", whole.Message)
		assert.Equal(t, "stop", whole.FinishReason)
	}
}

// The OpenAI dialect tells the same failures in its own words.
func TestCompletionsInEveryMood(t *testing.T) {
	t.Parallel()
	u := as(t, "alder")
	ask := func(turn map[string]any) answer {
		return u.do(http.MethodPost, "/v1/chat/completions", map[string]any{
			"model": "default", "messages": []any{map[string]any{"role": "user", "content": script(turn)}},
		})
	}
	var failure struct {
		Error struct{ Code, Type, Message string }
	}
	a := ask(map[string]any{"tokens": []string{"slow ", "water"}, "firstDelayMs": 600, "delayMs": 300})
	require.Equal(t, http.StatusOK, a.Status, "%s", a.Body)
	assert.Contains(t, string(a.Body), `"slow water"`)
	a = ask(map[string]any{"error": map[string]any{"code": 3036, "status": 429, "text": "no more today"}})
	require.NoError(t, json.Unmarshal(a.Body, &failure))
	assert.Equal(t, []any{http.StatusTooManyRequests, "insufficient_quota"}, []any{a.Status, failure.Error.Code}, "%s", a.Body)
	a = ask(map[string]any{"error": map[string]any{"code": 3040, "status": 429, "text": "busy"}})
	assert.Equal(t, http.StatusServiceUnavailable, a.Status, "every model is busy: %s", a.Body)
	a = ask(map[string]any{"tokens": []string{"a", "b"}, "cutAfter": 1})
	assert.Contains(t, []int{http.StatusBadGateway, http.StatusServiceUnavailable}, a.Status, "%s", a.Body)
}
