package localai

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
)

// completion gathers a whole answer.
type completion struct {
	text   strings.Builder
	tools  []toolCall
	finish string
}

func (c *completion) add(d delta) error {
	c.text.WriteString(d.text)
	if d.tool != nil {
		c.tools = append(c.tools, *d.tool)
	}
	if d.finish != "" {
		c.finish = d.finish
	}
	return nil
}

func (c *completion) reason() string {
	switch {
	case c.finish != "":
		return c.finish
	case len(c.tools) > 0:
		return "tool_calls"
	default:
		return "stop"
	}
}

// body is the answer in the model's dialect. Where JSON was asked for, the classic one has the value itself, not its text.
func (c *completion) body(asked *chat, now time.Time, u usage) []byte {
	m := asked.model
	var v any
	if m.dialect == classic {
		answer := map[string]any{"response": c.text.String(), "usage": u.wire()}
		if text := []byte(c.text.String()); asked.format != nil && json.Valid(text) {
			answer["response"] = json.RawMessage(text)
		}
		if len(c.tools) > 0 {
			answer["tool_calls"] = classicTools(c.tools)
		}
		v = answer
	} else {
		reply := map[string]any{"role": "assistant", "content": c.text.String()}
		if len(c.tools) > 0 {
			reply["tool_calls"] = openAITools(c.tools, false)
			if c.text.Len() == 0 {
				reply["content"] = nil
			}
		}
		v = map[string]any{
			"id": "chatcmpl-" + uuid.NewString(), "object": "chat.completion", "created": now.Unix(), "model": m.id,
			"choices": []any{map[string]any{"index": 0, "message": reply, "finish_reason": c.reason()}},
			"usage":   u.wire(),
		}
	}
	out, _ := json.Marshal(v)
	return out
}

func (u usage) wire() map[string]any {
	return map[string]any{
		"prompt_tokens": u.in, "completion_tokens": u.out, "total_tokens": u.in + u.out,
		"prompt_tokens_details": map[string]any{"cached_tokens": 0},
	}
}

// classicTools carry their arguments as an object.
func classicTools(tools []toolCall) []any {
	out := make([]any, len(tools))
	for i, t := range tools {
		out[i] = map[string]any{"name": t.Name, "arguments": t.Arguments}
	}
	return out
}

// openAITools carry their arguments as a string of JSON, and in a stream an index.
func openAITools(tools []toolCall, indexed bool) []any {
	out := make([]any, len(tools))
	for i, t := range tools {
		call := map[string]any{
			"id": t.ID, "type": "function",
			"function": map[string]any{"name": t.Name, "arguments": string(t.Arguments)},
		}
		if indexed {
			call["index"] = i
		}
		out[i] = call
	}
	return out
}

// events writes an answer as the dialect's server-sent events.
type events struct {
	model model
	id    string
	now   time.Time
	tools int
}

func newEvents(m model, now time.Time) *events {
	return &events{model: m, id: "chatcmpl-" + uuid.NewString(), now: now}
}

// delta is one event. A finish is an event of its own only in the OpenAI dialect.
func (e *events) delta(d delta) []byte {
	if e.model.dialect == classic {
		v := map[string]any{"response": d.text}
		if d.tool != nil {
			v["tool_calls"] = classicTools([]toolCall{*d.tool})
		}
		return event(v)
	}
	change := map[string]any{}
	if d.text != "" || d.tool == nil && d.finish == "" {
		change["content"] = d.text
	}
	if d.tool != nil {
		call := openAITools([]toolCall{*d.tool}, true)[0].(map[string]any)
		call["index"] = e.tools
		e.tools++
		change["tool_calls"] = []any{call}
	}
	return event(e.chunk(change, d.finish, nil))
}

// end is what closes a stream that was not cut: the reason, the usage, [DONE].
func (e *events) end(reason string, u usage) []byte {
	if e.model.dialect == classic {
		out := event(map[string]any{"response": "", "usage": u.wire()})
		return append(out, "data: [DONE]\n\n"...)
	}
	out := event(e.chunk(map[string]any{}, reason, nil))
	last := e.chunk(nil, "", u.wire())
	last["choices"] = []any{}
	out = append(out, event(last)...)
	return append(out, "data: [DONE]\n\n"...)
}

func (e *events) chunk(change map[string]any, finish string, usage map[string]any) map[string]any {
	var reason any
	if finish != "" {
		reason = finish
	}
	v := map[string]any{
		"id": e.id, "object": "chat.completion.chunk", "created": e.now.Unix(), "model": e.model.id,
		"choices": []any{map[string]any{"index": 0, "delta": change, "finish_reason": reason}},
	}
	if usage != nil {
		v["usage"] = usage
	}
	return v
}

func event(v any) []byte {
	body, _ := json.Marshal(v)
	out := make([]byte, 0, len(body)+8)
	out = append(out, "data: "...)
	out = append(out, body...)
	return append(out, "\n\n"...)
}
