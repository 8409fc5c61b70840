package chattest

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// says is what a user says.
func says(text string) []llm.Message { return []llm.Message{{Role: llm.User, Content: text}} }

// begin opens a turn, which has to be possible.
func begin(t *testing.T, p Ports, s tenants.Scope, o chat.Opening) chat.Turn {
	t.Helper()
	turn, err := p.Sessions.Begin(t.Context(), s, o)
	require.NoError(t, err)
	require.False(t, turn.Replayed)
	require.Equal(t, chat.NewStreamID(o.Session, turn.Number), turn.Stream)
	require.NotNil(t, turn.Past.Messages)
	return turn
}

func token(id int, text string) chat.Event {
	return event(id, chat.Token, map[string]string{"token": text})
}

func done(id int) chat.Event {
	return event(id, chat.Done, map[string]string{"finishReason": "stop"})
}

func event(id int, typ chat.EventType, data any) chat.Event {
	b, err := json.Marshal(data)
	if err != nil {
		panic(err) // strings always encode
	}
	return chat.Event{ID: id, Type: typ, Data: b}
}

// tokens are n events that say a piece each, from an id on.
func tokens(from, n int) []chat.Event {
	var evs []chat.Event
	for i := range n {
		evs = append(evs, token(from+i, fmt.Sprintf("piece %d ", from+i)))
	}
	return evs
}

func answer(text string) *chat.Outcome {
	return &chat.Outcome{
		Answer: llm.Message{Role: llm.Assistant, Content: text}, Model: "model", Finish: llm.FinishStop, Nanos: 12,
		Usage: llm.Usage{Prompt: 5, Completion: 7},
	}
}

func tell(t *testing.T, p Ports, s tenants.Scope, n chat.News) chat.Audience {
	t.Helper()
	a, err := p.Sessions.Tell(t.Context(), s, n)
	require.NoError(t, err)
	return a
}

// converse runs a whole turn.
func converse(t *testing.T, p Ports, s tenants.Scope, o chat.Opening, reply string) chat.Turn {
	t.Helper()
	turn := begin(t, p, s, o)
	tell(t, p, s, chat.News{Stream: turn.Stream, Events: []chat.Event{token(1, reply), done(2)}, Outcome: answer(reply)})
	return turn
}

func replay(t *testing.T, p Ports, s tenants.Scope, stream chat.StreamID, after, limit int) chat.Replay {
	t.Helper()
	r, err := p.Sessions.Replay(t.Context(), s, stream, after, limit)
	require.NoError(t, err)
	return r
}

func transcript(t *testing.T, p Ports, s tenants.Scope, session string) chat.Transcript {
	t.Helper()
	out, err := p.Sessions.Transcript(t.Context(), s, session, "", 1000)
	require.NoError(t, err)
	require.Empty(t, out.Cursor)
	return out
}

func refused(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	require.Error(t, err)
	assert.Equal(t, kind, fault.KindOf(err), "%v", err)
	assert.Equal(t, code, fault.As(err).Code)
}

// sameEvents compares events by what they say.
func sameEvents(t *testing.T, want, got []chat.Event) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].ID, got[i].ID)
		require.Equal(t, want[i].Type, got[i].Type)
		require.JSONEq(t, string(want[i].Data), string(got[i].Data))
	}
}

// contents are the texts of messages.
func contents(ms []llm.Message) []string {
	out := []string{}
	for _, m := range ms {
		out = append(out, m.Content)
	}
	return out
}
