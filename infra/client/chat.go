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
	into := any(&data)
	if ev.Type == "done" {
		into = &r
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
