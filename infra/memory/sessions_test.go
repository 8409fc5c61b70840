package memory_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/memory"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

func TestSessionsOnATurnsWay(t *testing.T) {
	shelf := memory.NewShelf(time.Now)
	sessions := memory.NewSessions(shelf, time.Now)
	s := tenantstest.Scope(t, "acme")
	turn, err := sessions.Begin(t.Context(), s, chat.Opening{Session: "a", Messages: []llm.Message{{Role: llm.User, Content: "Hello"}}})
	require.NoError(t, err)
	_, err = sessions.Tell(t.Context(), s, chat.News{
		Stream: turn.Stream, Events: []chat.Event{
			{ID: 1, Type: chat.Token, Data: json.RawMessage(`{"token":"Hi"}`)}, {ID: 2, Type: chat.Done, Data: json.RawMessage(`{}`)},
		},
		Outcome: &chat.Outcome{Answer: llm.Message{Role: llm.Assistant, Content: "Hi"}, Model: "m"},
	})
	require.NoError(t, err)
	r, err := sessions.Replay(t.Context(), s, turn.Stream, 1, 10)
	require.NoError(t, err)
	require.Len(t, r.Events, 1)
	assert.True(t, r.Over)
	list, err := shelf.List(t.Context(), s, "", "", 10)
	require.NoError(t, err)
	require.Len(t, list.Sessions, 1)
	assert.Equal(t, "Hello", list.Sessions[0].Title)
	script, err := sessions.Transcript(t.Context(), s, "a", "", 10)
	require.NoError(t, err)
	require.Len(t, script.Messages, 2)
}
