package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asked is a script of a model that has something computed, asks for what there is not, and then answers.
func asked(who string) string {
	return script([]any{
		map[string]any{"tokens": []string{"Let me see."}, "usage": map[string]int{"prompt": 100, "completion": 20}, "toolCalls": []any{
			call("c1", "calculator", `{"operation":"add","a":2,"b":40}`), call("c2", "calculator", `{"operation":"power","a":2,"b":3}`), call("c3", "no_such_tool", `{}`),
		}},
		map[string]any{"tokens": []string{"It is 42, ", who, "."}, "usage": map[string]int{"prompt": 200, "completion": 10}},
	})
}

// outcomes are the results of the platform's tools, in the order of the calls.
func outcomes(all []happening) (results []string) {
	place := map[string]int{}
	for _, h := range all {
		switch h.Type {
		case "tool_call":
			place[h.field("id")] = len(results)
			results = append(results, "")
		case "tool_result":
			results[place[h.field("id")]] = h.field("content")
		}
	}
	return results
}

// Two tenants on the real platform have their models' calls made, each as it may: one by what its turns have by themselves, the other by name and
// under a policy. Who comes back, who repeats the request, and who reads the history find the same.
func TestToolsInATurn(t *testing.T) {
	t.Parallel()
	named := map[string]any{"tools": []any{map[string]any{"type": "platform", "name": "calculator"}}}
	for tenant, more := range map[string]map[string]any{"larch": {}, "linden": named} {
		t.Run(tenant, func(t *testing.T) {
			t.Parallel()
			u, key := as(t, tenant), uuid.NewString()
			session := "tools-" + key
			body := map[string]any{"sessionId": session}
			for k, v := range more {
				body[k] = v
			}
			s, err := u.say(asked(tenant), body, "Idempotency-Key", key)
			require.NoError(t, err)
			all, err := s.rest()
			require.NoError(t, err)
			assert.Equal(t, "done", inOrder(t, all).Type)
			assert.Equal(t, "Let me see.\n\nIt is 42, "+tenant+".", said(all))
			came := outcomes(all)
			require.Len(t, came, 3)
			assert.JSONEq(t, `{"result":42}`, came[0])
			assert.Contains(t, came[2], "TOOL_NOT_FOUND")
			if tenant == "larch" {
				assert.JSONEq(t, `{"result":8}`, came[1])
			} else {
				assert.Contains(t, came[1], "PERMISSION_DENIED", "its policy")
			}
			var done struct {
				Usage struct{ PromptTokens, CompletionTokens int }
			}
			require.NoError(t, json.Unmarshal(all[len(all)-1].Data, &done))
			assert.Equal(t, []int{300, 30}, []int{done.Usage.PromptTokens, done.Usage.CompletionTokens}, "the sum of both steps")

			again, err := u.say(asked(tenant), body, "Idempotency-Key", key)
			require.NoError(t, err)
			assert.Equal(t, s.Stream, again.Stream)
			same, err := again.rest()
			require.NoError(t, err)
			assert.Equal(t, came, outcomes(same), "nothing is called again")

			h := u.history(session)
			var roles []string
			for _, m := range h.Messages {
				roles = append(roles, m.Role)
			}
			assert.Equal(t, []string{"user", "assistant", "tool", "tool", "tool", "assistant"}, roles)
			prompt := said(u.tells(script(map[string]any{"echo": true}), map[string]any{"sessionId": session}))
			assert.Contains(t, prompt, "result-", "the next turn is shown what came")
			assert.Contains(t, prompt, "It is 42, "+tenant)
		})
	}
}

// In OpenAI's form the platform's calls are not seen.
func TestToolsInACompletion(t *testing.T) {
	t.Parallel()
	for _, tenant := range []string{"larch", "linden"} {
		a := as(t, tenant).do(http.MethodPost, "/v1/chat/completions", map[string]any{
			"model": "default", "messages": []any{map[string]any{"role": "user", "content": asked(tenant)}},
			"tools": []any{map[string]any{"type": "platform", "name": "calculator"}},
		})
		var c struct {
			Choices []struct {
				Message struct {
					Content   string
					ToolCalls []any `json:"tool_calls"`
				}
				FinishReason string `json:"finish_reason"`
			}
			Usage struct {
				TotalTokens int `json:"total_tokens"`
			}
		}
		require.NoError(t, json.Unmarshal(a.Body, &c), "%s", a.Body)
		require.Len(t, c.Choices, 1, "%s", a.Body)
		assert.Equal(t, "Let me see.\n\nIt is 42, "+tenant+".", c.Choices[0].Message.Content)
		assert.Equal(t, "stop", c.Choices[0].FinishReason)
		assert.Empty(t, c.Choices[0].Message.ToolCalls)
		assert.Equal(t, 330, c.Usage.TotalTokens)
	}
}

// A tool that is run first is what the answer rests on; with a key it is run once, and on record once.
func TestAToolIsRunBeforeATurn(t *testing.T) {
	t.Parallel()
	for _, tenant := range []string{"larch", "linden"} {
		u, key := as(t, tenant), uuid.NewString()
		body := map[string]any{
			"message": script(map[string]any{"echo": true}), "stream": false, "tool_name": "calculator", "tool_params": json.RawMessage(`{"operation":"add","a":1,"b":2}`),
		}
		var first, again struct {
			Message   string
			ToolSteps []struct{ ID, Content string }
		}
		u.do(http.MethodPost, "/chat", body, "Idempotency-Key", key).into(t, &first)
		assert.Contains(t, first.Message, "result-")
		require.Len(t, first.ToolSteps, 1)
		assert.JSONEq(t, `{"result":3}`, first.ToolSteps[0].Content)
		u.do(http.MethodPost, "/chat", body, "Idempotency-Key", key).into(t, &again)
		assert.Equal(t, first, again)

		body["tool_params"] = json.RawMessage(`{"operation":"add","a":"one"}`)
		a := u.do(http.MethodPost, "/chat", body)
		assert.Equal(t, []any{http.StatusBadRequest, "VALIDATION_FAILED"}, []any{a.Status, a.Error.Code})
		assert.Contains(t, a.Error.Details.Field, "tool_params")
	}
}
