package chattest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

func noNews(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	turn := begin(t, p, acme, chat.Opening{Session: tenantstest.Fresh(t, ""), Messages: says("go")})
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{token(1, "a")}})
	for name, n := range map[string]chat.News{
		"an end without an outcome":   {Events: []chat.Event{done(2)}},
		"an outcome without an end":   {Events: []chat.Event{token(2, "b")}, Outcome: answer("b")},
		"an outcome without an event": {Outcome: answer("b")},
		"an end that is not last":     {Events: []chat.Event{done(2), token(3, "c")}, Outcome: answer("c")},
		"two ends":                    {Events: []chat.Event{done(2), done(3)}, Outcome: answer("c")},
		"ids that do not grow":        {Events: []chat.Event{token(3, "c"), token(3, "c")}},
		"an id of nothing":            {Events: []chat.Event{token(0, "c")}},
		"a negative id":               {Events: []chat.Event{token(-1, "c")}},
		"an id too far ahead":         {Events: []chat.Event{token(2+chat.Ahead, "c")}},
		"no type":                     {Events: []chat.Event{event(2, "", nil)}},
		"data that is no JSON":        {Events: []chat.Event{{ID: 2, Type: chat.Sources, Data: []byte("{")}}},
		"a token that is no JSON":     {Events: []chat.Event{{ID: 2, Type: chat.Token, Data: []byte(`{"token":x"}`)}}},
		"too much":                    {Events: []chat.Event{token(2, strings.Repeat("x", chat.MaxNews))}},
	} {
		n.Stream = turn.Stream
		_, err := p.Sessions.Tell(t.Context(), acme, n)
		assert.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
	}
	r := replay(t, p, acme, turn.Stream, 0, 100)
	sameEvents(t, []chat.Event{token(1, "a")}, r.Events)
	assert.False(t, r.Over)
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{token(1+chat.Ahead, "c")}})
}

func belonging(t *testing.T, p Ports) {
	acme, globex := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	ours := begin(t, p, acme, chat.Opening{Session: name, User: "ada", Messages: says("ours")})
	theirs := converse(t, p, globex, chat.Opening{Session: name, User: "bob", Messages: says("theirs")}, "reply")
	require.Equal(t, ours.Stream, theirs.Stream)
	tell(t, p, acme, chat.News{Stream: ours.Stream, Events: tokens(1, 1)})
	sameEvents(t, tokens(1, 1), replay(t, p, acme, ours.Stream, 0, 10).Events)
	assert.Equal(t, "ada", transcript(t, p, acme, name).UserID)
	assert.Equal(t, "theirs", transcript(t, p, globex, name).Messages[0].Content)
	require.NoError(t, p.Sessions.Delete(t.Context(), globex, name))
	tell(t, p, acme, chat.News{Stream: ours.Stream, Events: tokens(2, 1)})
	assert.Equal(t, "ours", transcript(t, p, acme, name).Messages[0].Content)
}

// missing has another tenant's session and one that nobody has give the same error, to the last byte.
func missing(t *testing.T, p Ports) {
	acme, globex := tenantstest.Two(t)
	theirs := tenantstest.Fresh(t, "")
	converse(t, p, globex, chat.Opening{Session: theirs, Messages: says("hello")}, "reply")
	for name, ask := range map[string]func(id string) error{
		"transcript": func(id string) error {
			_, err := p.Sessions.Transcript(t.Context(), acme, id, "", 10)
			return err
		},
		"delete":    func(id string) error { return p.Sessions.Delete(t.Context(), acme, id) },
		"summarise": func(id string) error { return p.Summaries.Summarise(t.Context(), acme, id, 1, "text") },
		"replay": func(id string) error {
			_, err := p.Sessions.Replay(t.Context(), acme, chat.NewStreamID(id, 1), 0, 10)
			return err
		},
		"tell": func(id string) error {
			_, err := p.Sessions.Tell(t.Context(), acme, chat.News{Stream: chat.NewStreamID(id, 1), Events: tokens(1, 1)})
			return err
		},
	} {
		a, b := ask(theirs), ask(tenantstest.Fresh(t, ""))
		require.Error(t, a, name)
		assert.Equal(t, fault.As(a), fault.As(b), name)
		switch name {
		case "replay":
			refused(t, a, fault.NotFound, "stream_not_found")
		case "tell":
			refused(t, a, fault.Conflict, "turn_over")
		default:
			refused(t, a, fault.NotFound, "session_not_found")
			refused(t, ask("no name/of a session"), fault.NotFound, "session_not_found")
		}
	}
	_, err := p.Sessions.Replay(t.Context(), acme, "no stream", 0, 10)
	refused(t, err, fault.NotFound, "stream_not_found")
	assert.Len(t, transcript(t, p, globex, theirs).Messages, 2)
}

func large(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	long := strings.Repeat("<läng & länger> ", 80_000) // 1.4 MB
	turn := begin(t, p, acme, chat.Opening{Session: name, Messages: says(long)})
	source := event(1, chat.Sources, map[string]any{"sources": []string{strings.Repeat("<text> & ", 15_000)}})
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{source}})
	evs := append(tokens(2, 4000), done(4002))
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: evs, Outcome: answer(strings.Repeat("piece & ", 4000))})
	r := replay(t, p, acme, turn.Stream, 0, chat.Ahead)
	sameEvents(t, append([]chat.Event{source}, evs...), r.Events)
	script := transcript(t, p, acme, name)
	require.Len(t, script.Messages, 2)
	assert.Equal(t, long, script.Messages[0].Content)
	past := begin(t, p, acme, chat.Opening{Session: name, Messages: says("short")}).Past
	require.Len(t, past.Messages, 2)
	assert.Equal(t, long, past.Messages[0].Content)
	require.NoError(t, p.Sessions.Delete(t.Context(), acme, name))
}

func endless(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	turn := begin(t, p, acme, chat.Opening{Session: name, Messages: says("go on")})
	piece := strings.Repeat("x", 100<<10)
	var err error
	id := 0
	for err == nil && id < 100 {
		id++
		_, err = p.Sessions.Tell(t.Context(), acme, chat.News{Stream: turn.Stream, Events: []chat.Event{token(id, piece)}})
	}
	refused(t, err, fault.Invalid, "answer_too_long")
	kept := replay(t, p, acme, turn.Stream, 0, 100).Events
	require.Len(t, kept, id-1, "nothing of it is kept")
	last := event(id+1, chat.Error, map[string]string{"code": "answer_too_long", "message": "the answer is too long"})
	out := answer(strings.Repeat(piece, id-1))
	out.Code = "answer_too_long"
	out.Citations = json.RawMessage(`["` + strings.Repeat("y", chat.MaxCitations-4) + `"]`)
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{last}, Outcome: out})
	r := replay(t, p, acme, turn.Stream, id-1, 100)
	sameEvents(t, []chat.Event{last}, r.Events)
	assert.True(t, r.Over)
	script := transcript(t, p, acme, name)
	require.Len(t, script.Messages, 2)
	assert.Equal(t, "answer_too_long", script.Messages[1].Error)
	assert.True(t, strings.HasPrefix(out.Answer.Content, script.Messages[1].Content))
	assert.JSONEq(t, string(out.Citations), string(script.Messages[1].Citations))
}

func unicode(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	text := "naïve 你好 👩‍👩‍👧‍👦 \u2028 \x00 \" \\ </script> & \U0001F3F4 é"
	turn := begin(t, p, acme, chat.Opening{Session: name, User: "Žofie/数/👩", Messages: says(text)})
	evs := []chat.Event{token(1, text), {ID: 2, Type: chat.Token, Data: []byte(`{"token":"<>","more":{}}`)}, {ID: 3, Type: "new kind", Data: []byte(`[1, 2]`)}}
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: evs})
	sameEvents(t, evs, replay(t, p, acme, turn.Stream, 0, 10).Events)
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(4)}, Outcome: answer(text)})
	script := transcript(t, p, acme, name)
	assert.Equal(t, "Žofie/数/👩", script.UserID)
	require.Len(t, script.Messages, 2)
	for _, m := range script.Messages {
		assert.Equal(t, text, m.Content)
	}
}

func noOpening(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	for what, o := range map[string]chat.Opening{
		"no session":        {Messages: says("x")},
		"a bad session":     {Session: "a.b", Messages: says("x")},
		"no messages":       {Session: name},
		"a role of nobody":  {Session: name, Messages: []llm.Message{{Role: llm.System, Content: "x"}}},
		"too many messages": {Session: name, Messages: make([]llm.Message, 1000)},
		"too long":          {Session: name, Messages: says(strings.Repeat("x", 8<<20))},
		"a long user":       {Session: name, User: strings.Repeat("u", 600), Messages: says("x")},
		"keeping less":      {Session: name, Keep: chat.Retention{Turns: -1}, Messages: says("x")},
		"an outcome alone":  {Session: name, Messages: []llm.Message{{Role: llm.ToolRole, ToolCallID: "c"}}},
	} {
		_, err := p.Sessions.Begin(t.Context(), acme, o)
		assert.True(t, fault.Is(err, fault.Invalid), "%s: %v", what, err)
	}
	_, err := p.Sessions.Transcript(t.Context(), acme, name, "", 10)
	refused(t, err, fault.NotFound, "session_not_found")
}

func nobody(t *testing.T, p Ports) {
	var s tenants.Scope
	id := tenantstest.Fresh(t, "")
	_, err := p.Sessions.Begin(t.Context(), s, chat.Opening{Session: id, Messages: says("x")})
	require.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = p.Sessions.Tell(t.Context(), s, chat.News{Stream: chat.NewStreamID(id, 1)})
	require.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = p.Sessions.Replay(t.Context(), s, chat.NewStreamID(id, 1), 0, 1)
	require.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = p.Sessions.Transcript(t.Context(), s, id, "", 1)
	require.ErrorIs(t, err, tenants.ErrNoScope)
	require.ErrorIs(t, p.Sessions.Delete(t.Context(), s, id), tenants.ErrNoScope)
	require.ErrorIs(t, p.Summaries.Summarise(t.Context(), s, id, 1, ""), tenants.ErrNoScope)
	_, err = p.Shelf.List(t.Context(), s, "", "", 1)
	require.ErrorIs(t, err, tenants.ErrNoScope)
}
