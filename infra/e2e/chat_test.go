package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tokens is a script of n tokens that names its speaker.
func tokens(who string, n, delayMs int) (message, answer string) {
	words := make([]string, n)
	for i := range words {
		words[i] = who + string(rune('a'+i%26)) + " "
	}
	return script(map[string]any{"tokens": words, "delayMs": delayMs, "firstDelayMs": delayMs}), strings.Join(words, "")
}

// Two tenants' sessions of one name know nothing of each other, and each remembers.
func TestConversationIsRemembered(t *testing.T) {
	t.Parallel()
	const session = "tea-time"
	users := map[string]user{"alder": as(t, "alder"), "birch": as(t, "birch")}
	for name, u := range users {
		all := u.tells("Call me "+name+"'s friend. "+script(map[string]any{"tokens": []string{"Well met, ", name, "."}}), map[string]any{"sessionId": session})
		done := inOrder(t, all)
		assert.Equal(t, "Well met, "+name+".", said(all))
		assert.Equal(t, "done", done.Type)
		assert.Equal(t, session, done.field("sessionId"))
		assert.Equal(t, "stop", done.field("finishReason"))
	}
	for name, u := range users {
		prompt := said(u.tells(script(map[string]any{"echo": true}), map[string]any{"sessionId": session}))
		other := map[string]string{"alder": "birch", "birch": "alder"}[name]
		assert.Contains(t, prompt, "Call me "+name)
		assert.Contains(t, prompt, "Well met, "+name+".")
		assert.NotContains(t, prompt, other)

		h := u.history(session)
		require.Len(t, h.Messages, 4)
		assert.Equal(t, []string{"user", "assistant", "user", "assistant"},
			[]string{h.Messages[0].Role, h.Messages[1].Role, h.Messages[2].Role, h.Messages[3].Role})
		assert.Equal(t, "Well met, "+name+".", h.Messages[1].Content)
		export := u.do(http.MethodGet, "/sessions/"+session+"/export?format=ndjson", nil)
		assert.Len(t, strings.Split(strings.TrimSpace(string(export.Body)), "\n"), 5, "%s", export.Body)
		eventually(t, "the session is on the shelf", func() bool {
			return strings.Contains(string(u.do(http.MethodGet, "/sessions", nil).Data), `"`+session+`"`)
		})
	}

	gone := users["alder"]
	require.True(t, gone.do(http.MethodDelete, "/sessions/"+session, nil).OK)
	assert.Equal(t, "session_not_found", gone.do(http.MethodGet, "/sessions/"+session+"/history", nil).Error.Code)
	assert.Equal(t, "session_not_found", gone.do(http.MethodDelete, "/sessions/"+session, nil).Error.Code)
	eventually(t, "the session is off the shelf", func() bool {
		return !strings.Contains(string(gone.do(http.MethodGet, "/sessions", nil).Data), `"`+session+`"`)
	})
	assert.Len(t, users["birch"].history(session).Messages, 4, "the other tenant's is there")
	prompt := said(gone.tells(script(map[string]any{"echo": true}), map[string]any{"sessionId": session}))
	assert.NotContains(t, prompt, "Well met", "what was deleted is forgotten")
}

// Who leaves in the middle and comes back hears the rest, every token once, and one end.
func TestClientLeavesAndComesBack(t *testing.T) {
	t.Parallel()
	for _, tenant := range []string{"alder", "birch"} {
		t.Run(tenant, func(t *testing.T) {
			t.Parallel()
			u := as(t, tenant)
			message, answer := tokens(tenant, 30, 30)
			s, err := u.say(message, nil)
			require.NoError(t, err)
			heard, err := s.some(6)
			require.NoError(t, err)
			s.close()
			busy := u.do(http.MethodPost, "/chat", map[string]any{"message": message, "sessionId": s.Session})
			assert.Equal(t, "turn_in_progress", busy.Error.Code, "the turn goes on: %s", busy.Body)

			for !heard[len(heard)-1].final() {
				back, err := u.resume(s.Stream, heard[len(heard)-1].ID)
				require.NoError(t, err)
				more, err := back.some(4) // and leaves again
				require.NoError(t, err)
				back.close()
				heard = append(heard, more...)
			}
			assert.Equal(t, "done", inOrder(t, heard).Type)
			assert.Equal(t, answer, said(heard))
			assert.Equal(t, answer, u.history(s.Session).Messages[1].Content)

			again, err := u.resume(s.Stream, 0)
			require.NoError(t, err)
			all, err := again.rest()
			require.NoError(t, err)
			assert.Equal(t, answer, said(all), "what is over can be heard again")
			assert.Equal(t, "done", inOrder(t, all).Type)
			_, err = as(t, map[string]string{"alder": "birch", "birch": "alder"}[tenant]).resume(s.Stream, 0)
			assert.ErrorContains(t, err, "stream_not_found", "but not by another tenant")
		})
	}
}

// A repeated request with the same key is the same turn, told from its beginning.
func TestRepeatedTurnIsOneTurn(t *testing.T) {
	t.Parallel()
	u := as(t, "alder")
	message, answer := tokens("once", 10, 20)
	first, err := u.say(message, nil, "idempotency-key", "the-same")
	require.NoError(t, err)
	_, err = first.some(2)
	require.NoError(t, err)
	first.close()
	second, err := u.say(message, nil, "idempotency-key", "the-same")
	require.NoError(t, err)
	assert.Equal(t, first.Stream, second.Stream)
	all, err := second.rest()
	require.NoError(t, err)
	inOrder(t, all)
	assert.Equal(t, answer, said(all))
	assert.Len(t, u.history(first.Session).Messages, 2)
	_, err = u.say("Something else. "+message, nil, "idempotency-key", "the-same")
	assert.ErrorContains(t, err, "idempotency_conflict")
}
