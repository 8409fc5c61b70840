package openai

import (
	"encoding/json"
	"strconv"
	"strings"

	"levada.dev/workflows/llm"
)

// Head is what an answer and all chunks of a stream begin with.
type Head struct {
	ID      string // of the completion
	Created int64  // Unix seconds
	Model   string // who answers
}

func (h Head) append(b []byte, object string) []byte {
	b = appendString(append(b, `{"id":`...), h.ID)
	b = appendString(append(b, `,"object":`...), object)
	b = strconv.AppendInt(append(b, `,"created":`...), h.Created, 10)
	return appendString(append(b, `,"model":`...), h.Model)
}

// Completion gathers an answer that is given whole.
type Completion struct {
	text      strings.Builder
	reasoning strings.Builder
	tools     []llm.ToolCall
	arguments [][]byte // of the tools, while they come
	finish    llm.Finish
	usage     llm.Usage

	Safety json.RawMessage // what was found by the tenant's policy, which OpenAI's format has no member for; none where nothing was
}

// Add takes the next piece.
func (c *Completion) Add(d llm.Delta) {
	c.text.WriteString(d.Text)
	c.reasoning.WriteString(d.Reasoning)
	if t := d.Tool; t != nil {
		for len(c.tools) <= t.Index {
			c.tools, c.arguments = append(c.tools, llm.ToolCall{}), append(c.arguments, nil)
		}
		if t.ID != "" {
			c.tools[t.Index].ID = t.ID
		}
		if t.Name != "" {
			c.tools[t.Index].Name = t.Name
		}
		c.arguments[t.Index] = append(c.arguments[t.Index], t.Arguments...)
	}
	if d.Finish != "" {
		c.finish = d.Finish
	}
	if d.Usage != nil {
		c.usage = *d.Usage
	}
}

// Append appends the whole answer.
func (c *Completion) Append(b []byte, h Head) []byte {
	b = h.append(b, "chat.completion")
	b = append(b, `,"choices":[{"index":0,"message":{"role":"assistant","content":`...)
	if c.text.Len() == 0 && len(c.tools) > 0 {
		b = append(b, "null"...)
	} else {
		b = appendString(b, c.text.String())
	}
	b = append(b, `,"refusal":null`...)
	if c.reasoning.Len() > 0 {
		b = appendString(append(b, `,"reasoning_content":`...), c.reasoning.String())
	}
	if len(c.tools) > 0 {
		b = append(b, `,"tool_calls":[`...)
		for i, t := range c.tools {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(append(b, `{"id":`...), t.ID)
			b = appendString(append(b, `,"type":"function","function":{"name":`...), t.Name)
			b = appendString(append(b, `,"arguments":`...), string(c.arguments[i]))
			b = append(b, "}}"...)
		}
		b = append(b, ']')
	}
	b = append(b, `},"logprobs":null,"finish_reason":`...)
	b = appendString(b, string(finishOr(c.finish, len(c.tools) > 0)))
	b = append(b, `}],"usage":`...)
	b = appendUsage(b, c.usage)
	if len(c.Safety) > 0 {
		b = append(append(b, `,"safety":`...), c.Safety...)
	}
	return append(b, '}')
}

// finishOr is why an answer ended, also when nobody said so.
func finishOr(f llm.Finish, called bool) llm.Finish {
	switch {
	case f != "":
		return f
	case called:
		return llm.FinishTools
	}
	return llm.FinishStop
}

func appendUsage(b []byte, u llm.Usage) []byte {
	b = strconv.AppendInt(append(b, `{"prompt_tokens":`...), int64(u.Prompt), 10)
	b = strconv.AppendInt(append(b, `,"completion_tokens":`...), int64(u.Completion), 10)
	b = strconv.AppendInt(append(b, `,"total_tokens":`...), int64(u.Total()), 10)
	b = strconv.AppendInt(append(b, `,"prompt_tokens_details":{"cached_tokens":`...), int64(u.Cached), 10)
	return append(b, "}}"...)
}
