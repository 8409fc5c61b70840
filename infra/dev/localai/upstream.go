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

// readChunks reads a stream of chat.completion.chunk events. Tool calls arrive in
// fragments and leave whole.
func readChunks(body io.Reader, emit func(delta) error) (usage, error) {
	var (
		used  usage
		tools []toolCall
		parts [][]byte
		why   string
	)
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	done := false
	for lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data:")
		if !isData {
			continue
		}
		if data = strings.TrimSpace(data); data == "[DONE]" {
			done = true
			break
		}
		var chunk struct {
			Choices []struct {
				Delta struct {
					Content   string
					ToolCalls []struct {
						Index    int
						ID       string
						Function struct{ Name, Arguments string }
					} `json:"tool_calls"`
				}
				FinishReason string `json:"finish_reason"`
			}
			Usage *struct {
				Prompt     int `json:"prompt_tokens"`
				Completion int `json:"completion_tokens"`
			}
		}
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			return used, fmt.Errorf("read the OpenAI-compatible server's stream: %w", err)
		}
		if chunk.Usage != nil {
			used = usage{chunk.Usage.Prompt, chunk.Usage.Completion}
		}
		if len(chunk.Choices) == 0 {
			continue
		}
		choice := chunk.Choices[0]
		if choice.Delta.Content != "" {
			if err := emit(delta{text: choice.Delta.Content}); err != nil {
				return used, err
			}
		}
		for _, part := range choice.Delta.ToolCalls {
			for len(tools) <= part.Index {
				tools, parts = append(tools, toolCall{}), append(parts, nil)
			}
			if part.ID != "" {
				tools[part.Index].ID = part.ID
			}
			tools[part.Index].Name += part.Function.Name
			parts[part.Index] = append(parts[part.Index], part.Function.Arguments...)
		}
		if choice.FinishReason != "" {
			why = choice.FinishReason
		}
	}
	if err := lines.Err(); err != nil {
		return used, fmt.Errorf("read the OpenAI-compatible server's stream: %w", err)
	}
	if !done && why == "" {
		return used, errCut
	}
	for i := range tools {
		tools[i].Arguments = parts[i]
		if !json.Valid(tools[i].Arguments) {
			tools[i].Arguments = json.RawMessage("{}")
		}
		if err := emit(delta{tool: &tools[i]}); err != nil {
			return used, err
		}
	}
	return used, emit(delta{finish: why})
}
