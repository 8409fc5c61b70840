package book

import (
	"encoding/json"
	"strings"

	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools/loop"
)

// answer is what the events say of the answer, of the steps before it, and of the check of it.
func (l *eventLog) answer() (steps []llm.Message, a llm.Message, citations json.RawMessage, err error) {
	evs, _, err := l.after(0, len(l.records))
	if err != nil {
		return nil, a, nil, err
	}
	r := &reading{}
	for _, e := range evs {
		switch e.Type {
		case chat.Token:
			var piece struct{ Token string }
			if json.Unmarshal(e.Data, &piece) == nil {
				r.text.WriteString(piece.Token)
			}
		case chat.Citations:
			var c struct{ Citations json.RawMessage }
			if json.Unmarshal(e.Data, &c) == nil {
				citations = c.Citations
			}
		case chat.ToolCalled, chat.ToolCame:
			r.tool(e)
		}
	}
	return r.steps, llm.Message{Role: llm.Assistant, Content: r.said(), ToolCalls: r.calls}, citations, nil
}

// reading puts the messages of a turn together from its events.
type reading struct {
	steps []llm.Message
	text  strings.Builder
	calls []llm.ToolCall // the client's
	open  bool           // the last step has got no outcome yet: calls belong to it
}

// said is the text since the last step.
func (r *reading) said() string {
	if len(r.steps) > 0 {
		return strings.TrimPrefix(r.text.String(), loop.Gap)
	}
	return r.text.String()
}

func (r *reading) tool(e chat.Event) {
	var c struct {
		ID, Name, Content string
		Arguments         json.RawMessage
		Platform          bool
	}
	if json.Unmarshal(e.Data, &c) != nil || c.ID == "" {
		return
	}
	call := llm.ToolCall{ID: c.ID, Name: c.Name, Arguments: arguments(c.Arguments)}
	switch {
	case e.Type == chat.ToolCame && len(r.steps) > 0: // else it was run before the turn, and is in no conversation
		r.steps = append(r.steps, loop.Outcome{ToolCall: call, Content: c.Content}.Message())
		r.open = false
	case e.Type == chat.ToolCame:
	case !c.Platform:
		r.calls = append(r.calls, call)
	case r.open:
		last := &r.steps[len(r.steps)-1]
		last.ToolCalls = append(last.ToolCalls, call)
	default:
		r.steps = append(r.steps, llm.Message{Role: llm.Assistant, Content: r.said(), ToolCalls: []llm.ToolCall{call}})
		r.text.Reset()
		r.open = true
	}
}

// arguments are those of a call, which an event may carry as an object or as a string of one.
func arguments(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
