package chattest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

func window(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	hundred := strings.Repeat("word ", 80) // a hundred tokens
	keep := chat.Retention{WindowTokens: 450}
	for i := range 6 {
		converse(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says(fmt.Sprint(i+1, hundred))}, fmt.Sprint("r", i+1))
	}
	past := begin(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says("now")}).Past
	require.NotEmpty(t, past.Messages)
	require.Less(t, len(past.Messages), 12)
	require.Zero(t, len(past.Messages)%2, "whole turns")
	n := len(past.Messages) / 2
	for i, m := range past.Messages {
		if i%2 == 0 {
			assert.Equal(t, fmt.Sprint(6-n+i/2+1, hundred), m.Content)
		} else {
			assert.Equal(t, fmt.Sprint("r", 6-n+i/2+1), m.Content)
		}
	}
	assert.LessOrEqual(t, llm.Estimate(llm.Prompt{Messages: past.Messages}), 450+10)
	require.NotNil(t, past.Fallen)
	assert.Equal(t, 6-n, past.Fallen.UpTo)
	assert.Len(t, past.Fallen.Messages, 2*(6-n))
}

func summarised(t *testing.T, p Ports) {
	acme, globex := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	keep := chat.Retention{WindowTokens: 60}
	converse(t, p, globex, chat.Opening{Session: name, Messages: says("hello")}, "reply")
	var past chat.Past
	for i := range 8 {
		past = converse(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says(fmt.Sprintf("question %d: %040d", i, i))}, "an answer").Past
	}
	require.NotNil(t, past.Fallen)
	upTo := past.Fallen.UpTo
	require.NoError(t, p.Summaries.Summarise(t.Context(), acme, name, upTo, "they talked"))
	require.NoError(t, p.Summaries.Summarise(t.Context(), acme, name, upTo-1, "older"), "is ignored")
	past = begin(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says("now")}).Past
	assert.Equal(t, "they talked", past.Summary)
	if past.Fallen != nil {
		assert.Equal(t, upTo+1, past.Fallen.UpTo, "only what is not in the summary")
	}
	assert.Equal(t, "they talked", transcript(t, p, acme, name).Summary)
	assert.Empty(t, transcript(t, p, globex, name).Summary)
	assert.True(t, fault.Is(p.Summaries.Summarise(t.Context(), acme, name, 99, "of the future"), fault.Invalid))
}

func tools(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	keep := chat.Retention{WindowTokens: 40}
	begin1 := begin(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says(strings.Repeat("weather ", 60))})
	calls := answer("")
	calls.Finish = llm.FinishTools
	calls.Answer.ToolCalls = []llm.ToolCall{{ID: "c1", Name: "weather", Arguments: `{"at":"Porto"}`}, {ID: "c2", Name: "time", Arguments: `{}`}}
	tell(t, p, acme, chat.News{Stream: begin1.Stream, Events: []chat.Event{done(1)}, Outcome: calls})

	_, err := p.Sessions.Begin(t.Context(), acme, chat.Opening{Session: name, Keep: keep, Messages: []llm.Message{{Role: llm.ToolRole, ToolCallID: "c9", Content: "x"}}})
	refused(t, err, fault.Invalid, "tool_call_unknown")

	turn := begin(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: []llm.Message{{Role: llm.ToolRole, ToolCallID: "c1", Content: "rain"}}})
	require.Len(t, turn.Past.Messages, 2, "the question and its call, whatever the window is")
	assert.Equal(t, calls.Answer.ToolCalls[:1], turn.Past.Messages[1].ToolCalls, "what nobody answers is not shown")
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: answer("It rains.")})

	past := converse(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says("thanks")}, "welcome").Past
	assert.Empty(t, past.Messages, "both turns or none")
	require.NotNil(t, past.Fallen)
	assert.Equal(t, 2, past.Fallen.UpTo)
	past = begin(t, p, acme, chat.Opening{Session: name, Messages: says("and?")}).Past
	assert.Equal(t, []string{strings.Repeat("weather ", 60), "", "rain", "It rains.", "thanks", "welcome"}, contents(past.Messages))
	assert.Len(t, transcript(t, p, acme, name).Messages[1].ToolCalls, 2, "as it was")
}

func pages(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	for i := range 7 {
		converse(t, p, acme, chat.Opening{Session: name, Messages: says(fmt.Sprint("q", i))}, fmt.Sprint("a", i))
	}
	whole := transcript(t, p, acme, name).Messages
	require.Len(t, whole, 14)
	for _, limit := range []int{1, 3, 4, 14, 15} {
		var got []chat.Entry
		cursor := ""
		for {
			page, err := p.Sessions.Transcript(t.Context(), acme, name, cursor, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Messages), limit)
			got = append(got, page.Messages...)
			if cursor = page.Cursor; cursor == "" {
				break
			}
		}
		assert.Equal(t, whole, got)
	}
	_, err := p.Sessions.Transcript(t.Context(), acme, name, "nonsense", 3)
	assert.True(t, fault.Is(err, fault.Invalid))
}

func lastOf(t *testing.T, p Ports) {
	acme, globex := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	keep := chat.Retention{Turns: 4}
	for i := range 6 {
		converse(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says(fmt.Sprint("q", i))}, fmt.Sprint("a", i))
	}
	converse(t, p, globex, chat.Opening{Session: name, Messages: says("hello")}, "reply")
	kept := []string{"q2", "a2", "q3", "a3", "q4", "a4", "q5", "a5"}
	last := func(limit int) []string {
		ms, err := p.Sessions.Last(t.Context(), acme, name, limit)
		require.NoError(t, err)
		return contents(ms)
	}
	for _, limit := range []int{1, 3, 8, 1000} {
		assert.Equal(t, kept[len(kept)-min(limit, len(kept)):], last(limit), "%d", limit)
	}
	begin(t, p, acme, chat.Opening{Session: name, Messages: says("and?")})
	assert.Equal(t, []string{"a5", "and?"}, last(2), "a turn that goes on has said something, too")

	ms, err := p.Sessions.Last(t.Context(), globex, name, 8)
	require.NoError(t, err)
	assert.Equal(t, []string{"hello", "reply"}, contents(ms))
	_, err = p.Sessions.Last(t.Context(), globex, tenantstest.Fresh(t, "none"), 8)
	refused(t, err, fault.NotFound, "session_not_found")
	for _, limit := range []int{-1, 0, 1001} {
		_, err = p.Sessions.Last(t.Context(), acme, name, limit)
		refused(t, err, fault.Invalid, "value_out_of_range")
	}
}

func retained(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	keep := chat.Retention{Turns: 3}
	for i := range 5 {
		converse(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says(fmt.Sprint("q", i+1))}, "a")
	}
	script := transcript(t, p, acme, name)
	require.Len(t, script.Messages, 6)
	assert.Equal(t, "q3", script.Messages[0].Content)
	_, err := p.Sessions.Replay(t.Context(), acme, chat.NewStreamID(name, 2), 0, 10)
	refused(t, err, fault.NotFound, "stream_not_found")
	past := begin(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says("now")}).Past
	assert.Equal(t, []string{"q3", "a", "q4", "a", "q5", "a"}, contents(past.Messages), "what makes room is shown once more")
	assert.Equal(t, "q4", transcript(t, p, acme, name).Messages[0].Content)
}

func many(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	keep := chat.Retention{Turns: 600, WindowTokens: 400}
	for i := range 500 {
		turn := converse(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says(fmt.Sprint("question ", i+1))}, fmt.Sprint("answer ", i+1))
		require.Equal(t, i+1, turn.Number)
		if i > 0 {
			require.Equal(t, fmt.Sprint("answer ", i), turn.Past.Messages[len(turn.Past.Messages)-1].Content)
		}
	}
	script := transcript(t, p, acme, name)
	require.Len(t, script.Messages, 1000)
	assert.Equal(t, "question 1", script.Messages[0].Content)
	assert.Equal(t, "answer 500", script.Messages[999].Content)
	require.NoError(t, p.Sessions.Delete(t.Context(), acme, name))
}

// fewTurns has a turn answer calls of one that has to make room for it, and a past whose beginning is gone.
func fewTurns(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	keep := chat.Retention{Turns: 1}
	calls := answer("")
	calls.Answer.ToolCalls = []llm.ToolCall{{ID: "c", Name: "weather", Arguments: `{}`}}
	turn := begin(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says("weather?")})
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: calls})
	outcome := chat.Opening{Session: name, Keep: keep, Messages: []llm.Message{{Role: llm.ToolRole, ToolCallID: "c", Content: "rain"}}}
	past := converse(t, p, acme, outcome, "It rains.").Past
	require.Len(t, past.Messages, 2)
	assert.Equal(t, calls.Answer.ToolCalls, past.Messages[1].ToolCalls)
	keep.Turns = 5
	assert.Empty(t, converse(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says("thanks")}, "welcome").Past.Messages,
		"an answer to what is gone")
	past = begin(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says("and?")}).Past
	assert.Equal(t, []string{"thanks", "welcome"}, contents(past.Messages))
	require.Len(t, transcript(t, p, acme, name).Messages, 5)
}
