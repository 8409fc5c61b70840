package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tmaxmax/go-sse"

	"levada.dev/events/fault"
)

// Turn is what the client says.
type Turn struct {
	SessionID string     `json:"sessionId,omitempty"` // none begins a session
	Message   string     `json:"message"`
	RAG       *Grounding `json:"rag,omitempty"` // none: the answer rests on the conversation alone

	ToolName   string `json:"tool_name,omitempty"` // a tool that is run first, in whose result the answer is grounded
	ToolParams any    `json:"tool_params,omitempty"`
}

// Grounding is how many passages an answer rests on.
type Grounding struct {
	TopK int `json:"topK"`
}

// Reply is how a turn ended.
type Reply struct {
	SessionID    string `json:"sessionId"`
	Model        string `json:"model"`
	FinishReason string `json:"finishReason"`
	Usage        struct {
		Prompt     int `json:"promptTokens"`
		Completion int `json:"completionTokens"`
	} `json:"usage"`
}

// Listener hears a turn as it happens.
type Listener struct {
	Sources   func([]Source)
	Token     func(string)
	Citations func([]Citation) // of an answer that rests on documents, once; may be nil
	Result    func(ToolResult) // of each call that the platform made; may be nil
}

// ToolResult is what came of a call in a turn.
type ToolResult struct {
	ID      string `json:"id"` // of a tool that was run first, the call's
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Content string `json:"content"`
}

// Talk takes a turn of a conversation. A turn that breaks off or ends in an error is an error.
func (c *Client) Talk(ctx context.Context, t Turn, l Listener) (Reply, error) {
	r, err := withJSON(request{method: http.MethodPost, path: "/chat"}, t)
	if err != nil {
		return Reply{}, err
	}
	head, events, err := c.stream(ctx, r)
	if err != nil {
		return Reply{}, err
	}
	for ev, err := range events {
		if err != nil {
			return Reply{}, fmt.Errorf("POST /chat: %w", err)
		}
		if reply, over, err := l.hear(ev); over || err != nil {
			return reply, err
		}
	}
	return Reply{}, fmt.Errorf("POST /chat: the stream %s ended without a last event", head.Get("X-Stream-Id"))
}

// hear passes one event on. The last one is the reply.
func (l Listener) hear(ev sse.Event) (r Reply, over bool, err error) {
	var data struct {
		Sources       []Source
		Citations     []Citation
		Token         string
		Code, Message string
	}
	var result ToolResult
	into := any(&data)
	switch ev.Type {
	case "done":
		into = &r
	case "tool_result":
		into = &result
	}
	if err := json.Unmarshal([]byte(ev.Data), into); err != nil {
		return r, false, fmt.Errorf("event %s: %w", ev.Type, err)
	}
	switch ev.Type {
	case "sources":
		l.Sources(data.Sources)
	case "token":
		l.Token(data.Token)
	case "citations":
		if l.Citations != nil {
			l.Citations(data.Citations)
		}
	case "tool_result":
		if l.Result != nil {
			l.Result(result)
		}
	case "error":
		return r, true, fault.New(fault.Unavailable, data.Code, data.Message, nil)
	}
	return r, ev.Type == "done", nil
}

// History asks how many messages a session has.
func (c *Client) History(ctx context.Context, session string) (messages int, err error) {
	h, err := get[struct{ Messages []json.RawMessage }](ctx, c, "/sessions/"+url.PathEscape(session)+"/history", nil)
	return len(h.Messages), err
}
