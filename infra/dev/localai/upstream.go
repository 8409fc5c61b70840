package localai

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// OpenAI is a server with OpenAI's chat completions (Ollama, llama.cpp, vLLM, ...)
// that answers for every generation model. The zero value is no server.
type OpenAI struct {
	BaseURL string // up to and including /v1
	Key     string // sent as a bearer token if set
	Model   string // asked for instead of the Workers AI model id, if set
	Client  *http.Client
}

// generate passes the request's own fields on, always as a stream, and reads the
// answer back piece by piece.
func (o OpenAI) generate(ctx context.Context, c *chat, emit func(delta) error) (usage, error) {
	request, err := o.request(ctx, c)
	if err != nil {
		return usage{}, err
	}
	client := o.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return usage{}, fmt.Errorf("reach the OpenAI-compatible server: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return usage{}, upstreamFault(response)
	}
	return readChunks(response.Body, emit)
}

func upstreamFault(response *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return busy()
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return invalid("/", "the OpenAI-compatible server refused: %s", text)
	default:
		return fmt.Errorf("the OpenAI-compatible server answered %s: %s", response.Status, text)
	}
}

func (o OpenAI) request(ctx context.Context, c *chat) (*http.Request, error) {
	fields := map[string]any{}
	for name, value := range c.inputs {
		fields[name] = value
	}
	delete(fields, "prompt")
	if c.inputs["messages"] == nil {
		fields["messages"] = c.messages
	}
	if raw := c.inputs["tools"]; raw != nil {
		fields["tools"] = wrapTools(raw)
	}
	if c.format != nil && c.format.schema != nil {
		fields["response_format"] = wrapSchema(c.inputs["response_format"], c.format.schema)
	}
	fields["model"] = c.model.id
	if o.Model != "" {
		fields["model"] = o.Model
	}
	fields["stream"] = true
	fields["stream_options"] = map[string]any{"include_usage": true}
	body, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	url := strings.TrimRight(o.BaseURL, "/") + "/chat/completions"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if o.Key != "" {
		request.Header.Set("Authorization", "Bearer "+o.Key)
	}
	return request, nil
}

// wrapTools turns the classic dialect's bare functions into OpenAI's tools.
func wrapTools(raw json.RawMessage) any {
	var tools []map[string]any
	if json.Unmarshal(raw, &tools) != nil {
		return raw
	}
	for i, tool := range tools {
		if tool["function"] == nil {
			tools[i] = map[string]any{"type": "function", "function": tool}
		}
	}
	return tools
}

// wrapSchema turns Workers AI's bare schema into OpenAI's, which has a name; one that has leaves as it is.
func wrapSchema(raw, schema json.RawMessage) any {
	var f struct {
		Schema struct{ Schema json.RawMessage } `json:"json_schema"`
	}
	if json.Unmarshal(raw, &f) == nil && f.Schema.Schema != nil {
		return raw
	}
	return map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "answer", "schema": schema}}
}

// chunk is one event of an OpenAI stream, as far as it matters here.
type chunk struct {
	Choices []struct {
		Delta struct {
			Content   string
			ToolCalls []fragment `json:"tool_calls"`
		}
		FinishReason string `json:"finish_reason"`
	}
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	}
}

// fragment is a part of a tool call: calls arrive interleaved and in parts.
type fragment struct {
	Index    int
	ID       string
	Function struct{ Name, Arguments string }
}

// readChunks reads a stream of chunks. Text leaves as it comes, tool calls leave
// whole, at the end. A stream that just stops is cut.
func readChunks(body io.Reader, emit func(delta) error) (usage, error) {
	var (
		used   usage
		tools  []toolCall
		reason string
		done   bool
	)
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for !done && lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data:")
		if !isData {
			continue
		}
		if data = strings.TrimSpace(data); data == "[DONE]" {
			done = true
			continue
		}
		var c chunk
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			return used, fmt.Errorf("read the OpenAI-compatible server's stream: %w", err)
		}
		if c.Usage != nil {
			used = usage{in: c.Usage.Prompt, out: c.Usage.Completion}
		}
		if len(c.Choices) == 0 {
			continue
		}
		choice := c.Choices[0]
		if choice.Delta.Content != "" {
			if err := emit(delta{text: choice.Delta.Content}); err != nil {
				return used, err
			}
		}
		for _, part := range choice.Delta.ToolCalls {
			tools = part.join(tools)
		}
		if choice.FinishReason != "" {
			reason = choice.FinishReason
		}
	}
	if err := lines.Err(); err != nil {
		return used, fmt.Errorf("read the OpenAI-compatible server's stream: %w", err)
	}
	if !done && reason == "" {
		return used, errCut
	}
	for _, tool := range tools {
		if !json.Valid(tool.Arguments) {
			tool.Arguments = json.RawMessage("{}")
		}
		if err := emit(delta{tool: &tool}); err != nil {
			return used, err
		}
	}
	return used, emit(delta{finish: reason})
}

// maxTools is more tool calls than an answer has: a higher index is damage.
const maxTools = 128

func (f fragment) join(tools []toolCall) []toolCall {
	if f.Index < 0 || f.Index >= maxTools {
		return tools
	}
	for len(tools) <= f.Index {
		tools = append(tools, toolCall{})
	}
	t := &tools[f.Index]
	if f.ID != "" {
		t.ID = f.ID
	}
	t.Name += f.Function.Name
	t.Arguments = append(t.Arguments, f.Function.Arguments...)
	return tools
}
