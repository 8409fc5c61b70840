package book

import (
	"math"
	"slices"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// What one summary is made of at most, besides the one before. When nobody makes summaries, this much is read whenever a
// turn begins.
const (
	maxFallen      = 8_000 // tokens, about
	maxFallenTurns = 64
)

// maxChain is about how many tokens are shown, whatever the window, of calls and outcomes that the opening goes on with: few
// models take more, and all of it is in memory at once.
const maxChain = 128_000

// span is what a model is shown of a turn.
type span struct {
	messages []llm.Message
	tokens   int
	joined   bool // it begins with outcomes of tools, so it is shown with the turn before or not at all
}

// recall is the past of a turn that begins: the newest turns that fit into the window, each whole. A turn that answers
// a model's calls of tools is one with the turn of the calls; what the opening itself answers is shown beyond the window, too.
func recall(tx rows.Tx, m *meta, o chat.Opening) (chat.Past, error) {
	joined := begins(o.Messages)
	room := o.Keep.WindowTokens
	var shown []span // the newest first
	n := m.Turns
	for n >= m.First {
		answers := joined && len(shown) == 0
		most := room
		if answers {
			most = max(room, maxChain)
		} else if o.Keep.WindowTokens == 0 {
			most = math.MaxInt
		}
		group, tokens, err := groupAt(tx, m, n, most)
		if err != nil {
			return chat.Past{}, err
		}
		if o.Keep.WindowTokens > 0 && tokens > room && !answers {
			break
		}
		if group[len(group)-1].joined && !answers { // what called the tools is not kept any more
			n -= len(group)
			break
		}
		room -= tokens
		shown = append(shown, group...)
		n -= len(group)
	}
	slices.Reverse(shown)
	messages := []llm.Message{}
	for _, sp := range shown {
		messages = append(messages, sp.messages...)
	}
	messages, err := settled(messages, o.Messages)
	if err != nil {
		return chat.Past{}, err
	}
	fallen, err := m.fallen(tx, n)
	return chat.Past{Summary: m.Summary, Messages: messages, Fallen: fallen}, err
}

// groupAt is a turn and those before it that it cannot be shown without, the newest first, as far as they take no more than
// so many tokens; the turn with which they take more is the last.
func groupAt(tx rows.Tx, m *meta, n, most int) (group []span, tokens int, err error) {
	for ; n >= m.First; n-- {
		sp, err := spanOf(tx, n)
		if err != nil {
			return nil, 0, err
		}
		group = append(group, sp)
		tokens += sp.tokens
		if !sp.joined || tokens > most {
			break
		}
	}
	return group, tokens, nil
}

// spanOf is what a turn said. Of a turn that failed before anything was answered nothing is shown: whoever asked asks again.
func spanOf(tx rows.Tx, n int) (span, error) {
	t, err := readTurn(tx, n)
	if err != nil || t == nil {
		return span{}, err
	}
	if err := t.open(tx); err != nil {
		return span{}, err
	}
	sp := span{joined: begins(t.head.Messages)}
	answer, ok := t.head.answer()
	steps := t.head.steps()
	if !ok && len(steps) == 0 && t.head.Outcome != nil && t.head.Outcome.Code != "" {
		return sp, nil
	}
	sp.messages = append(slices.Clip(t.head.Messages), steps...)
	if ok {
		sp.messages = append(sp.messages, answer)
	}
	sp.tokens = llm.Estimate(llm.Prompt{Messages: sp.messages})
	return sp, nil
}

// begins reports whether messages begin with the outcome of a tool.
func begins(messages []llm.Message) bool {
	return len(messages) > 0 && messages[0].Role == llm.ToolRole
}

// fallen is what fell out of the window and is not in the summary, from the oldest, as much as one summary is made of.
func (m *meta) fallen(tx rows.Tx, upTo int) (*chat.Fallen, error) {
	var f *chat.Fallen
	tokens := 0
	first := max(m.First, m.UpTo+1)
	for n := first; n <= min(upTo, first+maxFallenTurns-1); n++ {
		sp, err := spanOf(tx, n)
		if err != nil {
			return nil, err
		}
		if f != nil && len(f.Messages) > 0 && tokens+sp.tokens > maxFallen {
			break
		}
		if f == nil {
			f = &chat.Fallen{Messages: []llm.Message{}}
		}
		f.UpTo = n
		f.Messages = append(f.Messages, sp.messages...)
		tokens += sp.tokens
	}
	return f, nil
}

// settled is the past without calls that nobody answered and outcomes that nobody asked for, which models refuse. That
// the opening answers no call is a mistake of the caller.
func settled(past, opening []llm.Message) ([]llm.Message, error) {
	all := slices.Concat(past, opening)
	out := make([]llm.Message, 0, len(past))
	asked := map[string]bool{} // calls of the last answer that are still to be answered
	for i, msg := range all {
		switch msg.Role {
		case llm.ToolRole:
			if !asked[msg.ToolCallID] {
				if i >= len(past) {
					return nil, fault.Invalidf("messages", "tool_call_unknown", "the last answer of the session has no open call %.64q", msg.ToolCallID)
				}
				continue
			}
			delete(asked, msg.ToolCallID)
		case llm.Assistant:
			clear(asked)
			msg.ToolCalls = answered(msg.ToolCalls, all[i+1:])
			if len(msg.ToolCalls) == 0 && msg.Content == "" {
				continue
			}
			for _, c := range msg.ToolCalls {
				asked[c.ID] = true
			}
		default:
			clear(asked)
		}
		if i < len(past) {
			out = append(out, msg)
		}
	}
	return out, nil
}

// answered are the calls whose outcomes come right after them.
func answered(calls []llm.ToolCall, next []llm.Message) []llm.ToolCall {
	outcomes := map[string]bool{}
	for _, m := range next {
		if m.Role != llm.ToolRole {
			break
		}
		outcomes[m.ToolCallID] = true
	}
	var kept []llm.ToolCall
	for _, c := range calls {
		if outcomes[c.ID] {
			kept = append(kept, c)
		}
	}
	return kept
}
