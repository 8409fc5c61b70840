package chat

import (
	"context"
	"encoding/json"

	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools/loop"
)

// steps writes down what the platform's tools are asked for in a turn, and what came of it. A turn that ends meanwhile learns that by its ctx.
type steps struct {
	turn *turn
	ctx  context.Context
}

var _ loop.Watch = (*steps)(nil)

// Called implements loop.Watch: what was said until then belongs to the calls.
func (s *steps) Called(calls []llm.ToolCall) {
	t := s.turn
	t.steps = append(t.steps, llm.Message{Role: llm.Assistant, Content: t.draft.said(), ToolCalls: calls})
	t.draft.goOn()
	for _, call := range calls {
		_ = t.happen(s.ctx, ToolCalled, encode(called{call, true}))
	}
}

// Came implements loop.Watch.
func (s *steps) Came(o loop.Outcome) {
	s.turn.steps = append(s.turn.steps, o.Message())
	_ = s.turn.happen(s.ctx, ToolCame, came(o))
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
