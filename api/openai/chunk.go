package openai

import (
	"encoding/json"
	"strconv"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
)

// Chunks encodes the pieces of an answer as server-sent events. All that does not change from chunk to chunk is made once.
type Chunks struct {
	head      []byte // data: {..."choices":[{"index":0,"delta":{
	tail      []byte // },"logprobs":null,"finish_reason":null}]}
	rest      []byte // }]} of a chunk that says why the answer ended
	wantUsage bool
	usage     llm.Usage
	began     bool
	called    bool // a tool was
	finished  bool

	Safety json.RawMessage // as of a Completion; the chunk has it that says why the answer ended
}

// NewChunks makes the encoder of one answer. With usage, what the answer took is the last chunk.
func NewChunks(h Head, usage bool) *Chunks {
	c := &Chunks{wantUsage: usage, head: make([]byte, 0, 256)}
	c.head = h.append(append(c.head, "data: "...), "chat.completion.chunk")
	c.head = append(c.head, `,"choices":[{"index":0,"delta":{`...)
	c.rest = []byte("}]}\n\n")
	if usage {
		c.rest = []byte("}],\"usage\":null}\n\n")
	}
	c.tail = append([]byte(`},"logprobs":null,"finish_reason":null`), c.rest...)
	return c
}

// Append appends the events of a piece: none when it only tells the usage, more than one when it holds several things. The
// first of all says who speaks.
func (c *Chunks) Append(b []byte, d llm.Delta) []byte {
	b = c.begin(b)
	if d.Reasoning != "" {
		b = appendString(append(append(b, c.head...), `"reasoning_content":`...), d.Reasoning)
		b = append(b, c.tail...)
	}
	if d.Text != "" {
		b = appendString(append(append(b, c.head...), `"content":`...), d.Text)
		b = append(b, c.tail...)
	}
	if d.Tool != nil {
		c.called = true
		b = appendFragment(append(append(b, c.head...), `"tool_calls":[`...), d.Tool)
		b = append(append(b, ']'), c.tail...)
	}
	if d.Usage != nil {
		c.usage = *d.Usage
	}
	if d.Finish != "" {
		b = c.finish(b, d.Finish)
	}
	return b
}

func (c *Chunks) begin(b []byte) []byte {
	if c.began {
		return b
	}
	c.began = true
	b = append(append(b, c.head...), `"role":"assistant","content":"","refusal":null`...)
	return append(b, c.tail...)
}

func (c *Chunks) finish(b []byte, f llm.Finish) []byte {
	c.finished = true
	b = append(append(b, c.head...), `},"logprobs":null,"finish_reason":`...)
	b = appendString(b, string(f))
	if len(c.Safety) == 0 {
		return append(b, c.rest...)
	}
	b = append(append(b, `}],"safety":`...), c.Safety...)
	return append(b, c.rest[len("}]"):]...)
}

// appendFragment appends a piece of a call of a tool. The type belongs to the first one.
func appendFragment(b []byte, t *llm.ToolDelta) []byte {
	b = strconv.AppendInt(append(b, `{"index":`...), int64(t.Index), 10)
	if t.ID != "" {
		b = append(appendString(append(b, `,"id":`...), t.ID), `,"type":"function"`...)
	}
	b = append(b, `,"function":{`...)
	if t.Name != "" {
		b = append(appendString(append(b, `"name":`...), t.Name), ',')
	}
	return append(appendString(append(b, `"arguments":`...), t.Arguments), "}}"...)
}

// End appends what closes an answer that came to its end.
func (c *Chunks) End(b []byte) []byte {
	b = c.begin(b)
	if !c.finished {
		b = c.finish(b, finishOr("", c.called))
	}
	if c.wantUsage {
		head := c.head[:len(c.head)-len(`{"index":0,"delta":{`)]
		b = appendUsage(append(append(b, head...), `],"usage":`...), c.usage)
		b = append(b, "}\n\n"...)
	}
	return append(b, "data: [DONE]\n\n"...)
}

// Fail appends what closes an answer that broke off: after it nothing comes, not even [DONE].
func (c *Chunks) Fail(b []byte, f *fault.Error, status int) []byte {
	return append(AppendError(append(b, "data: "...), f, status), "\n\n"...)
}
