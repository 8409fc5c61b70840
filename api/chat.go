package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/safety"
)

var chatForm = formOf[chatRequest]()

// converse takes one turn of a conversation and tells it as it happens, or, without stream, answers when it is over. The
// turn goes on when the client leaves.
func converse(c *call) error {
	req, err := chatForm.decode(c.body)
	if err != nil {
		return err
	}
	turn, err := req.turn(c)
	if err != nil {
		return err
	}
	c.dropBody() // what is needed of it is in the turn
	c.user = turn.User
	if err := c.screen(spoken(turn.Messages)...); err != nil {
		return inText(err, "message")
	}
	if err := c.sift(turn.Messages); err != nil {
		return err
	}
	if err := c.permit(turn.User, need(turn, c.config.Sessions.WindowTokens)); err != nil {
		return err
	}
	if err := c.guarded(spoken(turn.Messages)...); err != nil {
		return inText(err, "message")
	}
	if req.ToolName != "" {
		if turn.Ran, err = c.runFirst(&req); err != nil {
			return err
		}
	}
	flags := c.flags()
	turn.Report, turn.Over = c.noted(), func(ctx context.Context) { flags.tell(ctx, nil) }
	c.turned = true
	began := c.opts.Now()
	live, err := c.Chat.Start(c.ctx(), c.scope, turn)
	c.stage("start", began)
	if running, busy := chat.BusyWith(err); busy {
		return withDetails(err, details{StreamID: running})
	}
	if err != nil {
		return asChatField(err)
	}
	defer live.Close()
	if err := c.showStream(live.Stream()); err != nil {
		return err
	}
	if req.Stream == nil || *req.Stream {
		return c.tell(live)
	}
	return c.answer(live)
}

// showStream says where the turn is kept, in headers, so that a client which is cut off knows before the first event.
func (c *call) showStream(id chat.StreamID) error {
	session, _, err := id.Split()
	if err != nil {
		return fmt.Errorf("a turn's own name: %w", err)
	}
	h := c.w.Header()
	h.Set("X-Session-Id", session)
	h.Set("X-Stream-Id", string(id))
	return nil
}

// chatAnswer is a whole turn.
type chatAnswer struct {
	SessionID    string          `json:"sessionId"`
	StreamID     chat.StreamID   `json:"streamId"`
	Message      string          `json:"message"`
	ToolCalls    []llm.ToolCall  `json:"toolCalls,omitempty"` // that the client is to make
	ToolSteps    []toolStep      `json:"toolSteps,omitempty"` // that the platform made
	Sources      json.RawMessage `json:"sources,omitempty"`
	Rewritten    string          `json:"rewrittenQuery,omitempty"` // what the sources were searched by instead of a message that leaned
	Degraded     json.RawMessage `json:"degraded,omitempty"`       // what the sources were found without
	Citations    json.RawMessage `json:"citations,omitempty"`      // of an answer that was checked
	Safety       *safety.Told    `json:"safety,omitempty"`         // what was found by the tenant's policy
	Usage        json.RawMessage `json:"usage"`
	FinishReason llm.Finish      `json:"finishReason"`
	Model        string          `json:"model"`
}

// answer waits for the end of the turn and answers all of it.
func (c *call) answer(live chat.Live) error {
	began := c.opts.Now()
	a, err := collect(c.ctx(), live)
	c.stage("turn", began)
	if err != nil {
		return err
	}
	return c.ok(http.StatusOK, a)
}

// collect puts the events of a turn together. One that ended in an error is that error.
func collect(ctx context.Context, live chat.Live) (chatAnswer, error) {
	a := chatAnswer{StreamID: live.Stream()}
	var message []byte
	for {
		e, err := live.Next(ctx)
		if err != nil {
			return a, fmt.Errorf("follow the turn: %w", err)
		}
		switch e.Type {
		case chat.Token:
			var t struct {
				Token string `json:"token"`
			}
			err = json.Unmarshal(e.Data, &t)
			message = append(message, t.Token...)
		case chat.ToolCalled:
			err = a.addCall(e.Data)
		case chat.ToolCame:
			err = a.addResult(e.Data)
		case chat.Sources, chat.Citations:
			err = json.Unmarshal(e.Data, &a) // {"sources", "rewrittenQuery"?, "degraded"?}, {"citations"}
		case chat.Safety:
			if a.Safety == nil {
				a.Safety = &safety.Told{}
			}
			err = json.Unmarshal(e.Data, a.Safety) // a list has all of the one before
		case chat.Done:
			a.Message = string(message)
			err = json.Unmarshal(e.Data, &a) // {"usage", "finishReason", "sessionId", "model"}
			return a, broken(e, err)
		case chat.Error:
			return a, turnFailed(e)
		}
		if err != nil {
			return a, broken(e, err)
		}
	}
}

// broken is an event that does not say what events of its type say.
func broken(e chat.Event, err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.Internal, "event_invalid", string(e.Type), err)
}

// turnFailed is the error that ended a turn, as an answer.
func turnFailed(e chat.Event) error {
	var told struct {
		Code       string `json:"code"`
		Message    string `json:"message"`
		RetryAfter int64  `json:"retryAfterMs"`
	}
	if err := json.Unmarshal(e.Data, &told); err != nil {
		return broken(e, err)
	}
	return fault.New(fault.Unavailable, told.Code, told.Message, nil).WithRetryAfter(time.Duration(told.RetryAfter) * time.Millisecond)
}
