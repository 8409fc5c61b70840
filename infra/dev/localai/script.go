package localai

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"
)

// scripts is the model whose answers the request dictates. The last user message
// holds, anywhere in its text, a JSON object
//
//	{"script": turn}  or  {"script": [turn, turn, ...]}
//
// A list is read by how many assistant messages follow that user message, so a
// tool loop can be scripted in one message. See turn for the fields.
type scripts struct {
	mu sync.Mutex
	// failed counts, for each script that fails a number of times, its failures.
	failed map[string]int
}

// turn is one scripted answer.
type turn struct {
	// Tokens are the pieces of the answer, sent one by one.
	Tokens []string `json:"tokens"`
	// FirstDelayMs passes before the first token, DelayMs before each other.
	FirstDelayMs int `json:"firstDelayMs"`
	DelayMs      int `json:"delayMs"`
	// ToolCalls follow the tokens.
	ToolCalls []struct {
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"toolCalls"`
	// Error is answered instead, Times times for this very script (always, if 0).
	Error *struct {
		Code   int    `json:"code"`
		Status int    `json:"status"`
		Text   string `json:"text"`
	} `json:"error"`
	Times int `json:"times"`
	// CutAfter breaks the stream after so many tokens, with no closing event.
	CutAfter *int `json:"cutAfter"`
	// Finish is the reason the answer ends: stop or tool_calls if empty.
	Finish string `json:"finish"`
	// Usage replaces the counted tokens.
	Usage *struct{ Prompt, Completion int } `json:"usage"`
	// Echo answers the request's own inputs as JSON, for a test of the prompt.
	Echo bool `json:"echo"`
}

func (s *scripts) generate(ctx context.Context, c *chat, emit func(delta) error) (usage, error) {
	script, t, err := readTurn(c)
	if err != nil {
		return usage{}, err
	}
	if t.Error != nil && s.fails(script, t.Times) {
		return usage{}, refuse(t.Error.Code, t.Error.Status, "%s", t.Error.Text)
	}
	if t.Echo {
		echo, err := json.Marshal(c.inputs)
		if err != nil {
			return usage{}, err
		}
		t.Tokens = append(t.Tokens, string(echo))
	}
	for i, token := range t.Tokens {
		if t.CutAfter != nil && i == *t.CutAfter {
			return usage{}, errCut
		}
		delay := t.DelayMs
		if i == 0 {
			delay = t.FirstDelayMs
		}
		if err := pause(ctx, time.Duration(delay)*time.Millisecond); err != nil {
			return usage{}, err
		}
		if err := emit(delta{text: token}); err != nil {
			return usage{}, err
		}
	}
	if t.CutAfter != nil {
		return usage{}, errCut
	}
	for _, call := range t.ToolCalls {
		if err := emit(delta{tool: &toolCall{call.ID, call.Name, call.Arguments}}); err != nil {
			return usage{}, err
		}
	}
	if t.Finish != "" {
		if err := emit(delta{finish: t.Finish}); err != nil {
			return usage{}, err
		}
	}
	if t.Usage != nil {
		return usage{in: t.Usage.Prompt, out: t.Usage.Completion}, nil
	}
	return usage{}, nil
}

// fails counts a failure of a script and says whether it still has one to give.
func (s *scripts) fails(script string, times int) bool {
	if times == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = map[string]int{}
	}
	s.failed[script]++
	return s.failed[script] <= times
}

func readTurn(c *chat) (string, turn, error) {
	last := c.lastUser()
	if last < 0 {
		return "", turn{}, invalid("/messages", "%s needs a user message", c.model.id)
	}
	script, turns, err := findScript("/messages", c.messages[last].Content)
	if err != nil {
		return "", turn{}, err
	}
	if script == "" {
		return "", turn{}, invalid("/messages", `%s needs {"script": ...} in the last user message`, c.model.id)
	}
	answered := 0
	for _, m := range c.messages[last:] {
		if m.Role == "assistant" {
			answered++
		}
	}
	return script, turns[min(answered, len(turns)-1)], nil
}

// findScript reads the script that a text holds, if it holds one; path is the field that the text is in.
func findScript(path, content string) (string, []turn, error) {
	at := strings.Index(content, `{"script":`)
	if at < 0 {
		return "", nil, nil
	}
	var holder struct{ Script json.RawMessage }
	if err := json.NewDecoder(strings.NewReader(content[at:])).Decode(&holder); err != nil {
		return "", nil, invalid(path, "the script is not JSON: %v", err)
	}
	var turns []turn
	if err := json.Unmarshal(holder.Script, &turns); err != nil {
		turns = make([]turn, 1)
		if err := json.Unmarshal(holder.Script, &turns[0]); err != nil {
			return "", nil, invalid(path, "the script is not a turn: %v", err)
		}
	}
	if len(turns) == 0 {
		return "", nil, invalid(path, "the script has no turn")
	}
	return string(holder.Script), turns, nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
