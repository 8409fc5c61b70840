package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

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
	Sources func([]Source)
	Token   func(string)
}

// maxEvent is the longest event that the client reads: the passages of an answer are one.
const maxEvent = 4 << 20

// Talk takes a turn of a conversation. A turn that breaks off or ends in an error is an error.
func (c *Client) Talk(ctx context.Context, t Turn, l Listener) (Reply, error) {
	resp, err := c.send(ctx, http.MethodPost, "/chat", t)
	if err != nil {
		return Reply{}, err
	}
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Header.Get("content-type"), "text/event-stream") {
		_, err := open(resp)
		return Reply{}, fmt.Errorf("POST /chat: %s, and no stream: %w", resp.Status, err)
	}
	for ev, err := range sse.Read(resp.Body, &sse.ReadConfig{MaxEventSize: maxEvent}) {
		if err != nil {
			return Reply{}, fmt.Errorf("POST /chat: %w", err)
		}
		if reply, over, err := l.hear(ev); over || err != nil {
			return reply, err
		}
	}
	return Reply{}, fmt.Errorf("POST /chat: the stream of %s ended without a last event", resp.Header.Get("x-stream-id"))
}

// hear passes one event on. The last one is the reply.
func (l Listener) hear(ev sse.Event) (r Reply, over bool, err error) {
	var data struct {
		Sources       []Source
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
	case "error":
		return r, true, fault.New(fault.Unavailable, data.Code, data.Message, nil)
	}
	return r, ev.Type == "done", nil
}

// History asks for a session.
func (c *Client) History(ctx context.Context, session string) (messages int, err error) {
	var h struct{ Messages []json.RawMessage }
	err = c.call(ctx, http.MethodGet, "/sessions/"+session+"/history", nil, &h)
	return len(h.Messages), err
}
