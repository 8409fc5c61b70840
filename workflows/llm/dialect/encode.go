package dialect

import (
	"bytes"
	"encoding/json"

	"levada.dev/workflows/llm"
)

// input is what a model takes, in both dialects. The order of the fields is part of what the provider's prefix cache and
// the gateway's cache see, so it does not change from call to call.
type input struct {
	Messages            []message       `json:"messages"`
	Tools               []tool          `json:"tools,omitempty"`
	ToolChoice          json.RawMessage `json:"tool_choice,omitempty"`
	Parallel            *bool           `json:"parallel_tool_calls,omitempty"`
	ResponseFormat      json.RawMessage `json:"response_format,omitempty"`
	MaxTokens           int             `json:"max_tokens,omitempty"`
	MaxCompletionTokens int             `json:"max_completion_tokens,omitempty"`
	Temperature         *float64        `json:"temperature,omitempty"`
	TopP                *float64        `json:"top_p,omitempty"`
	FrequencyPenalty    *float64        `json:"frequency_penalty,omitempty"`
	PresencePenalty     *float64        `json:"presence_penalty,omitempty"`
	Seed                *int64          `json:"seed,omitempty"`
	Stop                []string        `json:"stop,omitempty"`
	ReasoningEffort     string          `json:"reasoning_effort,omitempty"`
	Stream              bool            `json:"stream,omitempty"`
	StreamOptions       *streamOptions  `json:"stream_options,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type message struct {
	Role       llm.Role   `json:"role"`
	Content    *string    `json:"content"`
	Name       string     `json:"name,omitempty"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type toolCall struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Function function `json:"function"`
}

type function struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Arguments   *string         `json:"arguments,omitempty"` // of a call
	Strict      *bool           `json:"strict,omitempty"`
}

type tool struct {
	Type     string   `json:"type"`
	Function function `json:"function"`
}

// Encode is the input with which the model is asked.
//
// Both dialects take messages and tools in OpenAI's form. The classic one has no stop, no reasoning effort and no
// tool_choice that names a tool, which then is the only one that it is offered; its JSON mode has the schema itself where
// OpenAI's has an object around it.
func Encode(m llm.GenerationModel, p llm.Prompt) ([]byte, error) {
	in := input{
		Messages: messages(m, p.Messages), Tools: tools(p.Tools), ToolChoice: p.ToolChoice, ResponseFormat: p.Format,
		MaxTokens: p.MaxTokens, Temperature: p.Temperature, TopP: p.TopP,
		FrequencyPenalty: p.FrequencyPenalty, PresencePenalty: p.PresencePenalty, Seed: p.Seed, Stream: p.Stream,
	}
	if m.Dialect == llm.Classic {
		in.classic()
	} else {
		in.Stop, in.ReasoningEffort, in.Parallel = p.Stop, p.ReasoningEffort, p.Parallel
		in.MaxTokens, in.MaxCompletionTokens = 0, p.MaxTokens
		if p.Stream {
			in.StreamOptions = &streamOptions{IncludeUsage: true}
		}
	}
	if b, ok := in.append(make([]byte, 0, room(&p))); ok {
		return b, nil
	}
	return in.marshal()
}

// marshal writes any input.
func (in *input) marshal() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(in); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func messages(m llm.GenerationModel, list []llm.Message) []message {
	out := make([]message, len(list))
	for i := range list {
		from := &list[i]
		to := message{Role: from.Role, Content: &from.Content, Name: from.Name, ToolCallID: from.ToolCallID}
		for j := range from.ToolCalls {
			c := &from.ToolCalls[j]
			to.ToolCalls = append(to.ToolCalls, toolCall{c.ID, "function", function{Name: c.Name, Arguments: &c.Arguments}})
		}
		if from.Content == "" && len(to.ToolCalls) > 0 && m.Dialect == llm.OpenAI {
			to.Content = nil
		}
		out[i] = to
	}
	return out
}

func tools(list []llm.Tool) []tool {
	var out []tool
	for _, t := range list {
		out = append(out, tool{"function", function{Name: t.Name, Description: t.Description, Parameters: t.Parameters, Strict: t.Strict}})
	}
	return out
}

// classic rewrites what the classic form says in another way: tool_choice is auto, none or any, and json_schema is the
// schema itself. https://developers.cloudflare.com/workers-ai/features/json-mode/
func (in *input) classic() {
	var named struct {
		Function struct{ Name string }
	}
	switch choice := string(in.ToolChoice); {
	case choice == "":
	case choice == `"required"`:
		in.ToolChoice = json.RawMessage(`"any"`)
	case json.Unmarshal(in.ToolChoice, &named) == nil && named.Function.Name != "":
		in.ToolChoice = json.RawMessage(`"any"`)
		var only []tool
		for _, t := range in.Tools {
			if t.Function.Name == named.Function.Name {
				only = append(only, t)
			}
		}
		in.Tools = only
	}
	var format struct {
		Type   string `json:"type"`
		Schema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	}
	if json.Unmarshal(in.ResponseFormat, &format) == nil && format.Type == "json_schema" && len(format.Schema.Schema) > 0 {
		in.ResponseFormat, _ = json.Marshal(struct {
			Type   string          `json:"type"`
			Schema json.RawMessage `json:"json_schema"`
		}{format.Type, format.Schema.Schema}) // of JSON that was read just now
	}
}
