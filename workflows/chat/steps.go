package chat

import (
	"context"
	"encoding/json"
	"slices"

	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools/loop"
)

// steps writes down what the platform's tools are asked for in a turn, and what came of it. A turn that ends meanwhile learns that by its ctx.
type steps struct {
	turn  *turn
	ctx   context.Context
	calls []llm.ToolCall // of the last step
}

var _ loop.Watch = (*steps)(nil)

// Called implements loop.Watch: what was said until then belongs to the calls. They are made when the session knows of them: whoever dies then, the
// repetition of the request finds a turn in which tools may have done something, and calls nothing again.
func (s *steps) Called(calls []llm.ToolCall) error {
	t := s.turn
	s.calls = calls
	if text := t.draft.tell(t.check.pause()); text != "" {
		if err := t.happen(s.ctx, Token, token(text)); err != nil {
			return err
		}
	}
	t.steps = append(t.steps, llm.Message{Role: llm.Assistant, Content: t.draft.said(), ToolCalls: calls})
	t.draft.goOn()
	for _, call := range calls {
		if err := t.happen(s.ctx, ToolCalled, encode(called{call, true})); err != nil {
			return err
		}
	}
	return t.journal.settle(s.ctx)
}

// Came implements loop.Watch. What comes is told at once, and kept in the order of the calls.
func (s *steps) Came(o loop.Outcome) {
	all := append(s.turn.steps, o.Message())
	i := len(all) - 1
	for ; i > 0 && all[i-1].Role == llm.ToolRole && s.place(all[i-1].ToolCallID) > s.place(o.ID); i-- {
		all[i-1], all[i] = all[i], all[i-1]
	}
	s.turn.steps = all
	s.turn.notice(s.ctx)
	_ = s.turn.happen(s.ctx, ToolCame, came(o))
}

// place is where a call stands in the last step.
func (s *steps) place(id string) int {
	return slices.IndexFunc(s.calls, func(c llm.ToolCall) bool { return c.ID == id })
}

// called is the data of a ToolCalled event of the platform's.
type called struct {
	llm.ToolCall
	Platform bool `json:"platform"`
}

// came is the data of a ToolCame event.
func came(o loop.Outcome) json.RawMessage {
	return encode(struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		OK       bool   `json:"ok"`
		Content  string `json:"content"`
		Duration int64  `json:"durationMs"`
	}{o.ID, o.Name, o.OK, o.Content, o.Duration.Milliseconds()})
}
