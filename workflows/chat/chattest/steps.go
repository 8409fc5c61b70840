package chattest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// called is a step: a call of the platform's, and what came of it.
func called(id, content string) []llm.Message {
	return []llm.Message{
		{Role: llm.Assistant, Content: "Let me see.", ToolCalls: []llm.ToolCall{{ID: id, Name: "echo", Arguments: `{"a":"<b>"}`}}},
		{Role: llm.ToolRole, Name: "echo", ToolCallID: id, Content: content},
	}
}

// stepped has a turn with steps, whose answer calls a tool of the client's: each outcome follows its call, in the past and in the transcript.
func stepped(t *testing.T, p Ports) {
	acme, globex := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	converse(t, p, globex, chat.Opening{Session: name, Messages: says("hello")}, "reply")
	keep := chat.Retention{WindowTokens: 1000}
	turn := begin(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says("how?")})
	out := answer("")
	out.Steps = append(called("p1", "one"), called("p2", "two")...)
	out.Answer.ToolCalls = []llm.ToolCall{{ID: "c1", Name: "mine", Arguments: `{}`}}
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: out})
	said := transcript(t, p, acme, name).Messages
	require.Len(t, said, 6)
	assert.Equal(t, out.Steps[1], said[2].Message)
	for _, e := range said {
		assert.Equal(t, 1, e.Turn)
		assert.NotZero(t, e.Tokens)
	}
	page, err := p.Sessions.Transcript(t.Context(), acme, name, "", 3)
	require.NoError(t, err)
	rest, err := p.Sessions.Transcript(t.Context(), acme, name, page.Cursor, 10)
	require.NoError(t, err)
	assert.Equal(t, said, append(page.Messages, rest.Messages...), "a page may end between them")

	_, err = p.Sessions.Begin(t.Context(), acme, chat.Opening{Session: name, Messages: []llm.Message{{Role: llm.ToolRole, ToolCallID: "p2", Content: "x"}}})
	refused(t, err, fault.Invalid, "tool_call_unknown")
	past := begin(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: []llm.Message{{Role: llm.ToolRole, ToolCallID: "c1", Content: "three"}}}).Past
	assert.Equal(t, []string{"how?", "Let me see.", "one", "Let me see.", "two", ""}, contents(past.Messages))
	require.NoError(t, p.Sessions.Delete(t.Context(), acme, name))
	assert.Len(t, transcript(t, p, globex, name).Messages, 2)

	// A window takes all of it or nothing.
	turn = begin(t, p, acme, chat.Opening{Session: name, Messages: says("how?")})
	out = answer("So.")
	out.Steps = append(called("p1", "one"), called("p2", strings.Repeat("two ", 100))...)
	out.Steps = append(out.Steps, called("p3", "")[0]) // which nobody has answered
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: out})
	past = begin(t, p, acme, chat.Opening{Session: name, Keep: chat.Retention{WindowTokens: 60}, Messages: says("now")}).Past
	assert.Empty(t, past.Messages)
	require.NotNil(t, past.Fallen)
	assert.Len(t, past.Fallen.Messages, 7)
	require.NoError(t, p.Sessions.Delete(t.Context(), acme, name))

	// What nobody has answered is not shown. A turn that failed after a step has done something, and keeps its key.
	turn = begin(t, p, acme, chat.Opening{Session: name, Key: "k:h", Messages: says("how?")})
	out = answer("")
	out.Steps, out.Code = append(called("p1", "one"), called("p2", "")[0]), "budget_exhausted"
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{{ID: 1, Type: chat.Error, Data: []byte(`{"code":"budget_exhausted"}`)}}, Outcome: out})
	again, err := p.Sessions.Begin(t.Context(), acme, chat.Opening{Session: name, Key: "k:h", Messages: says("how?")})
	require.NoError(t, err)
	assert.True(t, again.Replayed)
	past = begin(t, p, acme, chat.Opening{Session: name, Messages: says("now")}).Past
	assert.Equal(t, []string{"how?", "Let me see.", "one", "Let me see."}, contents(past.Messages))
	assert.Empty(t, past.Messages[3].ToolCalls)
}

// longSteps has steps that a row has no room for.
func longSteps(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	for _, test := range []struct{ step, answer, messages int }{{300 << 10, 700 << 10, 4}, {600 << 10, 700 << 10, 2}} {
		turn := begin(t, p, acme, chat.Opening{Session: name, Messages: says("how?")})
		out := answer(strings.Repeat("a", test.answer))
		out.Steps = called("p1", strings.Repeat("s", test.step))
		tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: out})
		said := transcript(t, p, acme, name).Messages
		require.Len(t, said, test.messages)
		size := 0
		for _, m := range said {
			size += len(m.Content)
		}
		assert.LessOrEqual(t, size, 768<<10)
		assert.Equal(t, "a", said[len(said)-1].Content[:1])
		require.NoError(t, p.Sessions.Delete(t.Context(), acme, name))
	}
}
