package dialect

import (
	"bytes"
	"encoding/json"

	"levada.dev/workflows/llm"
)

// Answer says what an answer is to.
type Answer struct {
	Model     string
	ID        string // of the answer, for the ids of calls of tools that the model gave none
	MaxTokens int    // that it was allowed: the classic form does not say that they were used up
}

// chunk is a whole answer, or one event of a stream, of either form: models of one dialect are served by servers of the
// other, and some answer in both at once.
type chunk struct {
	Response     json.RawMessage `json:"response"` // text; a number, when the text is one; an object in JSON mode
	ToolCalls    []call          `json:"tool_calls"`
	FinishReason string          `json:"finish_reason"`
	Choices      []choice        `json:"choices"`
	Usage        *usage          `json:"usage"`

	Error  json.RawMessage `json:"error"`
	Errors json.RawMessage `json:"errors"`

	Result *chunk `json:"result"` // the whole, as the REST interface wraps it
}

type choice struct {
	Index        int    `json:"index"`
	Delta        *reply `json:"delta"`   // of a stream
	Message      *reply `json:"message"` // of a whole answer
	FinishReason string `json:"finish_reason"`
}

type reply struct {
	Content   json.RawMessage `json:"content"`
	Reasoning string          `json:"reasoning_content"`
	Thoughts  string          `json:"reasoning"` // another name for it
	ToolCalls []call          `json:"tool_calls"`
}

// call is a call of a tool or a piece of one: OpenAI's, with a function, or the classic one.
type call struct {
	Index     *int            `json:"index"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"` // text that is JSON, or the object itself
	Function  *struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

type usage struct {
	Prompt     count `json:"prompt_tokens"`
	Completion count `json:"completion_tokens"`
	Details    struct {
		Cached count `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// count is a number of tokens; some servers write 12.0.
type count float64

func (u *usage) tokens() llm.Usage {
	return llm.Usage{Prompt: int(u.Prompt), Completion: int(u.Completion), Cached: int(u.Details.Cached)}
}

// failed reports whether the answer is an error.
func (c *chunk) failed() bool {
	return present(c.Error) || present(c.Errors) && string(c.Errors) != "[]"
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// said is what a chunk adds to an answer.
type said struct {
	text, reasoning string
	calls           []call
	finish          string
	usage           *llm.Usage
}

// read reads a chunk, and reports whether it is an error.
func read(data []byte) (s said, failed bool, err error) {
	if s, ok := scan(data); ok {
		return s, false, nil
	}
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		return said{}, false, err
	}
	return c.said(), c.failed(), nil
}

func (c *chunk) said() said {
	s := said{text: textOf(c.Response), calls: c.ToolCalls, finish: c.FinishReason}
	if c.Usage != nil {
		u := c.Usage.tokens()
		s.usage = &u
	}
	for i := range c.Choices {
		o := &c.Choices[i]
		if o.Index != 0 {
			continue
		}
		if o.FinishReason != "" {
			s.finish = o.FinishReason
		}
		r := o.Delta
		if r == nil {
			r = o.Message
		}
		if r == nil {
			continue
		}
		if s.text == "" {
			s.text = textOf(r.Content)
		}
		if s.reasoning = r.Reasoning; s.reasoning == "" {
			s.reasoning = r.Thoughts
		}
		if len(s.calls) == 0 {
			s.calls = r.ToolCalls
		}
	}
	return s
}

// textOf is the text of a value: of a string what it says, of null nothing, of anything else its JSON.
func textOf(raw json.RawMessage) string {
	if !present(raw) {
		return ""
	}
	if raw[0] == '"' {
		var text string
		_ = json.Unmarshal(raw, &text) // it was read as JSON before
		return text
	}
	var b bytes.Buffer
	_ = json.Compact(&b, raw) // the same
	return b.String()
}

// gathering is what is known of an answer while its chunks come.
type gathering struct {
	Answer
	calls  []gathered
	finish llm.Finish
	usage  *llm.Usage
}

// gathered is a call of a tool so far.
type gathered struct {
	place     *int // the model's own index
	id        string
	named     bool
	arguments bool // there were some
}

// take returns what a chunk adds, in one piece where that is possible.
func (g *gathering) take(s said) (first llm.Delta, rest []llm.Delta) {
	if s.usage != nil {
		g.usage = s.usage
	}
	if s.finish != "" {
		g.finish = finishes[s.finish]
		if g.finish == "" {
			g.finish = llm.FinishStop
		}
	}
	first = llm.Delta{Text: s.text, Reasoning: s.reasoning}
	for i := range s.calls {
		tool := g.tool(&s.calls[i])
		switch {
		case tool == nil:
		case first.Tool == nil:
			first.Tool = tool
		default:
			rest = append(rest, llm.Delta{Tool: tool})
		}
	}
	return first, rest
}

var finishes = map[string]llm.Finish{
	"stop": llm.FinishStop, "length": llm.FinishLength, "model_length": llm.FinishLength,
	"tool_calls": llm.FinishTools, "function_call": llm.FinishTools, "content_filter": llm.FinishFilter,
}

// tool is a piece of a call, or nil when it says nothing new, as one does that only says that the call is over. Pieces belong
// together by index. One with a name but without an index is a whole call, and so is one with another id and a
// name: some servers number every call 0. One with neither goes on with the last call.
func (g *gathering) tool(c *call) *llm.ToolDelta {
	name, raw := c.Name, c.Arguments
	if c.Function != nil {
		name, raw = c.Function.Name, c.Function.Arguments
	}
	arguments := textOf(raw)
	at, begins := g.find(c.Index), name != ""
	if c.Index == nil && !begins {
		at = len(g.calls) - 1
	}
	if at >= 0 && begins && (c.Index == nil || g.calls[at].named && c.ID != "" && c.ID != g.calls[at].id) {
		at = -1
	}
	if at < 0 && c.ID == "" && name == "" && arguments == "" {
		return nil
	}
	d := &llm.ToolDelta{Index: at, Arguments: arguments}
	if at < 0 {
		d.Index, d.ID = len(g.calls), c.ID
		if d.ID == "" {
			d.ID = CallID(g.ID, d.Index)
		}
		g.calls = append(g.calls, gathered{place: c.Index, id: d.ID})
	}
	known := &g.calls[d.Index]
	if !known.named {
		d.Name, known.named = name, begins
	}
	known.arguments = known.arguments || arguments != ""
	if d.ID == "" && d.Name == "" && arguments == "" {
		return nil
	}
	return d
}

// find is the last call with the model's index, or -1.
func (g *gathering) find(index *int) int {
	for i := len(g.calls) - 1; i >= 0 && index != nil; i-- {
		if place := g.calls[i].place; place != nil && *place == *index {
			return i
		}
	}
	return -1
}

// end is the last pieces: the arguments of calls that had none, and why the answer ended and what it took.
func (g *gathering) end() []llm.Delta {
	var out []llm.Delta
	for i := range g.calls {
		if !g.calls[i].arguments {
			out = append(out, llm.Delta{Tool: &llm.ToolDelta{Index: i, Arguments: "{}"}})
		}
	}
	finish := g.finish
	if finish == "" && g.usage != nil && g.MaxTokens > 0 && g.usage.Completion >= g.MaxTokens {
		finish = llm.FinishLength
	}
	if len(g.calls) > 0 && (finish == "" || finish == llm.FinishStop) {
		finish = llm.FinishTools
	}
	if finish == "" {
		finish = llm.FinishStop
	}
	return append(out, llm.Delta{Finish: finish, Usage: g.usage})
}
