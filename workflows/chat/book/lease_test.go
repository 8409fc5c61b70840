package book_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools/loop"
)

// interrupted is the event that ends a turn whose owner is not heard of.
func interrupted(t *testing.T, r chat.Replay, id int) {
	t.Helper()
	require.NotEmpty(t, r.Events)
	last := r.Events[len(r.Events)-1]
	assert.Equal(t, id, last.ID)
	assert.Equal(t, chat.Error, last.Type)
	assert.Contains(t, string(last.Data), `"code":"turn_interrupted"`)
	assert.True(t, r.Over)
}

// TestATurnOfADeadOwnerEnds has each of those who may find the turn find it first.
func TestATurnOfADeadOwnerEnds(t *testing.T) {
	for name, find := range map[string]func(w *world, stream chat.StreamID){
		"the alarm":  func(w *world, _ chat.StreamID) { assert.False(w, w.wake().Next.IsZero()) },
		"a follower": func(w *world, stream chat.StreamID) { w.replay(stream, 0) },
		"a reader":   func(w *world, _ chat.StreamID) { w.transcript() },
		"the next turn": func(w *world, _ chat.StreamID) {
			assert.Equal(w, []llm.Message{{Role: llm.User, Content: "Hello"}, {
				Role: llm.Assistant, Content: "Hi <you>", ToolCalls: nil,
			}}, w.begin(chat.Opening{Messages: says("next")}).Past.Messages)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			turn := w.begin(chat.Opening{User: "ada", Cause: events.Cause{ID: "request"}})
			w.time = w.time.Add(time.Second)
			require.NoError(t, w.tell(turn.Stream, token(1, "Hi"), token(2, " <you>"),
				event(3, chat.ToolCalled, map[string]any{"id": "c", "name": "f", "arguments": map[string]int{"x": 1}})))
			w.time = w.time.Add(chat.TurnLease - time.Millisecond)
			assert.Equal(t, w.time.Add(time.Millisecond), w.wake().Next, "not yet")
			assert.False(t, w.replay(turn.Stream, 0).Over)
			_, err := w.Begin(t.Context(), w.s, chat.Opening{Session: "s", Messages: says("next")})
			w.refused(err, fault.Conflict, "turn_in_progress")
			assert.Empty(t, w.facts())

			w.time = w.time.Add(time.Millisecond)
			find(w, turn.Stream)
			require.Len(t, w.facts(), 1)
			assert.Equal(t, events.ChatCompleted{
				SessionID: "s", Turn: 1, UserID: "ada", CompletionTokens: 3, Estimated: true, Code: "turn_interrupted",
				DurationMS: 1000 + chat.TurnLease.Milliseconds(),
			}, w.facts()[0])
			w.refused(w.tell(turn.Stream, token(4, "late")), fault.Conflict, "turn_over")
			w.refused(w.end(turn.Stream, done(4)), fault.Conflict, "turn_over")
			w.refused(w.end(turn.Stream, done(3+chat.Ahead+1)), fault.Conflict, "turn_over")

			r := w.replay(turn.Stream, 0)
			require.Len(t, r.Events, 4, "what is kept, and the end")
			interrupted(t, r, 3+chat.Ahead+1)
			for _, after := range []int{2, 3, 4, 3 + chat.Ahead} { // what the owner may have told its client, and not the session
				interrupted(t, w.replay(turn.Stream, after), 3+chat.Ahead+1)
			}
			assert.Equal(t, chat.Replay{Over: true}, w.replay(turn.Stream, 3+chat.Ahead+1))
			e := w.transcript().Messages[1]
			assert.Equal(t, "Hi <you>", e.Content)
			assert.Equal(t, []llm.ToolCall{{ID: "c", Name: "f", Arguments: `{"x":1}`}}, e.ToolCalls)
			assert.Equal(t, "turn_interrupted", e.Error)
			require.Len(t, w.facts(), 1, "once")
		})
	}
}

// What tools were called, and what came of it, is kept as far as it was told: the call that nobody has answered is not shown to a model.
func TestATurnOfADeadOwnerKeepsItsSteps(t *testing.T) {
	w := newWorld(t)
	turn := w.begin(chat.Opening{})
	call := func(id int, name string) chat.Event {
		return event(id, chat.ToolCalled, map[string]any{"id": name, "name": "echo", "arguments": `{"a":1}`, "platform": true})
	}
	came := func(id int, name string) chat.Event {
		return event(id, chat.ToolCame, map[string]any{"id": name, "name": "echo", "ok": true, "content": "<" + name + ">", "durationMs": 5})
	}
	require.NoError(t, w.tell(turn.Stream, came(1, "before"), token(2, "One."), call(3, "c1"), call(4, "c2"), came(5, "c2"), came(6, "c1"),
		token(7, loop.Gap+"Two."), call(8, "c3"), call(9, "c4"), came(10, "c4"), token(11, loop.Gap+"Thr")))
	w.time = w.time.Add(chat.TurnLease)
	said := w.transcript().Messages
	require.Len(t, said, 7)
	assert.Equal(t, "One.", said[1].Content)
	assert.Len(t, said[1].ToolCalls, 2)
	assert.Equal(t, llm.Message{Role: llm.ToolRole, Name: "echo", ToolCallID: "c2", Content: "<c2>"}, said[2].Message)
	assert.Equal(t, "Two.", said[4].Content)
	assert.Equal(t, "Thr", said[6].Content)
	assert.Equal(t, "turn_interrupted", said[6].Error)
	past := w.begin(chat.Opening{Messages: says("next")}).Past.Messages
	require.Len(t, past, 7)
	assert.Equal(t, []llm.ToolCall{{ID: "c4", Name: "echo", Arguments: `{"a":1}`}}, past[4].ToolCalls)
}

// What the owner has told of the check of its answer is kept, too.
func TestATurnOfADeadOwnerKeepsItsCitations(t *testing.T) {
	w := newWorld(t)
	turn := w.begin(chat.Opening{})
	require.NoError(t, w.tell(turn.Stream, token(1, "Hi [1]"), event(2, chat.Citations, map[string]any{"citations": []int{7}})))
	w.time = w.time.Add(chat.TurnLease)
	e := w.transcript().Messages[1]
	assert.Equal(t, "turn_interrupted", e.Error)
	assert.JSONEq(t, "[7]", string(e.Citations))
}

func TestNewsRenewsTheLease(t *testing.T) {
	w := newWorld(t)
	turn := w.begin(chat.Opening{})
	for i := range 10 {
		w.time = w.time.Add(chat.TurnLease - time.Second)
		w.wake()
		if i%2 == 0 {
			require.NoError(t, w.tell(turn.Stream, token(i+1, "x")))
		} else {
			require.NoError(t, w.tell(turn.Stream), "that there is none is news, too")
		}
		w.crash()
	}
	require.NoError(t, w.end(turn.Stream, done(11)))
	assert.Len(t, w.replay(turn.Stream, 0).Events, 6)
}

// TestAnOwnerThatWasOnlySlowGoesOn: while nobody has ended the turn, it is still its owner's.
func TestAnOwnerThatWasOnlySlowGoesOn(t *testing.T) {
	w := newWorld(t)
	turn := w.begin(chat.Opening{})
	w.time = w.time.Add(2 * chat.TurnLease)
	require.NoError(t, w.tell(turn.Stream, token(1, "x")))
	assert.False(t, w.replay(turn.Stream, 0).Over)
	require.NoError(t, w.end(turn.Stream, done(2)))
}

func TestATurnThatFailedUnansweredIsNotInThePast(t *testing.T) {
	w := newWorld(t)
	w.begin(chat.Opening{Messages: says("lost")})
	w.time = w.time.Add(chat.TurnLease)
	turn := w.begin(chat.Opening{Messages: says("again")})
	assert.Empty(t, turn.Past.Messages)
	require.NoError(t, w.end(turn.Stream, done(1)))
	script := w.transcript()
	require.Len(t, script.Messages, 4, "but it is in the transcript")
	assert.Equal(t, "turn_interrupted", script.Messages[1].Error)
}

// TestATurnWhoseEndCannotBeToldDoesNotBegin, as it would never end.
func TestATurnWhoseEndCannotBeToldDoesNotBegin(t *testing.T) {
	for _, cause := range []events.Cause{{TraceParent: "nonsense"}, {IdempotencyKey: "a\nb"}, {ID: strings.Repeat("x", 10_000)}} {
		w := newWorld(t)
		_, err := w.Begin(t.Context(), w.s, chat.Opening{Session: "s", Messages: says("x"), Cause: cause})
		assert.True(t, fault.Is(err, fault.Invalid), "%v: %v", cause, err)
		assert.Zero(t, w.rows.Written)
	}
}

func TestFollowersAreKnownForMoments(t *testing.T) {
	w := newWorld(t)
	turn := w.begin(chat.Opening{})
	following := func() bool {
		a, err := w.Tell(t.Context(), w.s, chat.News{Stream: turn.Stream})
		require.NoError(t, err)
		return a.Following
	}
	assert.False(t, following())
	before := w.rows.Written
	w.replay(turn.Stream, 0)
	assert.Equal(t, before, w.rows.Written, "a poll writes nothing")
	assert.True(t, following())
	w.time = w.time.Add(4 * time.Second)
	assert.True(t, following())
	w.time = w.time.Add(2 * time.Second)
	assert.False(t, following())
}
