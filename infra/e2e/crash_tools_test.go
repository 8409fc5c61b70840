package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/local"
)

// scene is a turn whose platform is killed: while a tool runs, beside one that has written, or after that, before the model says what it makes of it.
type scene struct {
	tenant, session string
	body            map[string]any
	message         string
	stream          string
	heard           []happening
}

// document is what the scene's tool stores.
func (s scene) document() string { return "notes/" + s.session }

// begin begins the turn, and listens until the tool that writes has.
func (s *scene) begin(t *testing.T, u user) {
	t.Helper()
	talk, err := u.say(s.message, s.body, "Idempotency-Key", s.session)
	require.NoError(t, err)
	t.Cleanup(talk.close)
	s.stream = talk.Stream
	for {
		h, err := talk.next()
		require.NoError(t, err)
		s.heard = append(s.heard, h)
		require.False(t, h.final(), "%s", h.Data)
		if h.Type == "tool_result" {
			assert.Equal(t, "ingest_docs", h.field("name"))
			assert.Contains(t, h.field("content"), "job_id")
			return
		}
	}
}

// again sends the request once more, and hears it out.
func (s *scene) again(t *testing.T, u user) []happening {
	t.Helper()
	talk, err := u.say(s.message, s.body, "Idempotency-Key", s.session)
	require.NoError(t, err)
	all, err := talk.rest()
	require.NoError(t, err)
	assert.Equal(t, s.stream, talk.Stream, "it is the same turn")
	return all
}

// Whoever runs a turn may die while a tool of it runs, or after that: the request that is sent again is told how the turn ended, and has nothing done
// again; the session goes on, and no step is paid twice.
func TestKilledWhileAToolRuns(t *testing.T) {
	t.Parallel()
	const word = "patience"
	state := newState(t)
	p := own(t, state)
	held, let := p.Models().Hold(word)
	t.Cleanup(let)
	var scenes []*scene
	for _, tenant := range []string{"larch", "linden"} {
		named := []any{map[string]any{"type": "platform", "name": "ingest_docs"}, map[string]any{"type": "platform", "name": "classify_intent"}}
		for _, session := range []string{"during", "after"} {
			s := &scene{tenant: tenant, session: session, body: map[string]any{"sessionId": session, "tools": named}}
			calls := []any{call("c1", "ingest_docs", fmt.Sprintf(`{"doc_id":%q,"content":"What %s has noted."}`, s.document(), tenant))}
			if session == "during" {
				calls = append(calls, call("c2", "classify_intent", `{"text":"Some `+word+`, please."}`))
			}
			s.message = script([]any{
				map[string]any{"tokens": []string{"I note it."}, "usage": map[string]int{"prompt": 100, "completion": 20}, "toolCalls": calls},
				map[string]any{"tokens": []string{"Noted."}, "firstDelayMs": 600_000},
			})
			s.begin(t, asOn(t, p, tenant))
			if session == "during" {
				<-held
			}
			scenes = append(scenes, s)
		}
	}
	heldBack := map[string]int64{}
	for _, s := range scenes {
		_, _, heldBack[s.tenant] = asOn(t, p, s.tenant).account().tokensToday()
	}
	require.NoError(t, p.Kill())
	p = own(t, state)
	for _, s := range scenes {
		s.ended(t, p)
	}
	settled(t, p)
	for _, tenant := range []string{"larch", "linden"} {
		u := asOn(t, p, tenant)
		limit, spent, reserved := u.account().tokensToday()
		assert.GreaterOrEqual(t, spent+reserved, heldBack[tenant], "what was held by the dead is not given away")
		assert.LessOrEqual(t, spent+reserved, limit)
		told := map[string]int{}
		for _, e := range trail(t, state, tenant) {
			if e.Act != nil && e.Act.Name == "ingest_docs" && e.Act.Outcome == events.OutcomeSucceeded {
				told[e.Act.Target]++
			}
		}
		assert.Len(t, told, 2, "each of the calls is on record once")
		keys := 0
		for key := range objectRows(t, state, "Calls", tenant) {
			if strings.HasPrefix(key, "c/") {
				keys++
				assert.True(t, strings.HasPrefix(key, "c/chat/during.1@") || strings.HasPrefix(key, "c/chat/after.1@"), key)
			}
		}
		assert.Equal(t, 3, keys, "nothing was called but what the first of each request called")
	}
}

// ended requires that the turn has ended once, that what its tool wrote is there once, and that the session goes on.
func (s *scene) ended(t *testing.T, p *local.Local) {
	t.Helper()
	u := asOn(t, p, s.tenant)
	all := s.again(t, u)
	end := inOrder(t, all)
	assert.Equal(t, []string{"error", "turn_interrupted"}, []string{end.Type, end.field("code")})
	assert.Equal(t, "I note it.", said(all))
	assert.Equal(t, all, s.again(t, u), "and each time the same")
	calls := 0
	for _, h := range all {
		if h.Type == "tool_call" {
			calls++
		}
	}
	assert.Equal(t, map[string]int{"during": 2, "after": 1}[s.session], calls, "the session was told before they were made")

	eventually(t, s.document()+" is searchable", func() bool { return u.document(s.document()).Searchable > 0 })
	assert.Equal(t, 1, u.document(s.document()).Generation, "stored once")
	next := u.tells(script(map[string]any{"tokens": []string{"Gladly."}}), map[string]any{"sessionId": s.session})
	assert.Equal(t, "Gladly.", said(next))
	var answers []string
	for _, m := range u.history(s.session).Messages {
		if m.Role == "assistant" && m.Content != "" {
			answers = append(answers, m.Content)
		}
	}
	assert.Equal(t, []string{"I note it.", "Gladly."}, answers)
}

// call is a call of a tool as a script has it.
func call(id, name, arguments string) map[string]any {
	return map[string]any{"id": id, "name": name, "arguments": json.RawMessage(arguments)}
}
