package chattest

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// Ports are what the suite is about: sessions, and the shelf that they are listed on.
type Ports struct {
	Sessions  chat.Sessions
	Summaries chat.Summaries
	Parcels   chat.Parcels
	Shelf     chat.Shelf
}

// TestSessions checks the promises of chat.Sessions and chat.Summaries that need no time to pass.
func TestSessions(t *testing.T, open func(t *testing.T) Ports) {
	for name, test := range map[string]func(*testing.T, Ports){
		"a turn's way":                               way,
		"a turn at a time":                           oneAtATime,
		"of many that begin at once one does":        atOnce,
		"a key begins one turn":                      keyed,
		"news told again is ignored":                 toldAgain,
		"a turn has one final event, and it is last": oneEnd,
		"news that is none is refused":               noNews,
		"a reader resumes from any event":            resuming,
		"what a check has found is kept":             cited,
		"who follows is known":                       followed,
		"sessions belong to a tenant":                belonging,
		"what does not exist is missing":             missing,
		"the past is what fits, by whole turns":      window,
		"what fell out is to be summarised":          summarised,
		"calls of tools stay with their outcomes":    tools,
		"tools with room for few turns":              fewTurns,
		"steps come before the answer":               stepped,
		"steps that are too long are left out":       longSteps,
		"a transcript has pages":                     pages,
		"what was said last":                         lastOf,
		"the oldest turns make room":                 retained,
		"a deleted session is gone":                  deleted,
		"long messages and large events":             large,
		"an answer that does not end is refused":     endless,
		"every character comes back":                 unicode,
		"five hundred turns":                         many,
		"an opening that is none is refused":         noOpening,
		"nobody's call is refused":                   nobody,
		"a session goes by parcels":                  parcels,
		"parcels that no session has":                noParcel,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func way(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	session := tenantstest.Fresh(t, "")
	turn := begin(t, p, acme, chat.Opening{Session: session, User: "ada", Messages: says("Hello")})
	assert.Equal(t, 1, turn.Number)
	assert.False(t, turn.Started.IsZero())
	assert.Empty(t, turn.Past.Messages)
	assert.Nil(t, turn.Past.Fallen)
	assert.Equal(t, chat.Replay{}, replay(t, p, acme, turn.Stream, 0, 10))
	script := transcript(t, p, acme, session)
	require.Len(t, script.Messages, 1, "the answer is on its way")
	assert.Equal(t, "ada", script.UserID)
	assert.Equal(t, session, script.SessionID)

	evs := []chat.Event{event(1, chat.Sources, map[string]any{"sources": []string{"a"}}), token(2, "Hi"), token(5, " <there>")}
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: evs})
	r := replay(t, p, acme, turn.Stream, 0, 10)
	sameEvents(t, evs, r.Events)
	assert.False(t, r.Over)

	end := []chat.Event{event(6, chat.UsageEvent, map[string]int{"promptTokens": 5}), done(7)}
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: end, Outcome: answer("Hi <there>")})
	r = replay(t, p, acme, turn.Stream, 2, 10)
	sameEvents(t, append(evs[2:3:3], end...), r.Events)
	assert.True(t, r.Over)

	script = transcript(t, p, acme, session)
	require.Len(t, script.Messages, 2)
	assert.Equal(t, llm.Message{Role: llm.User, Content: "Hello"}, script.Messages[0].Message)
	assert.Positive(t, script.Messages[0].Tokens)
	assert.Equal(t, llm.Message{Role: llm.Assistant, Content: "Hi <there>"}, script.Messages[1].Message)
	assert.Equal(t, 7, script.Messages[1].Tokens)
	assert.Equal(t, "model", script.Messages[1].Model)
	assert.False(t, script.Messages[1].Timestamp.Before(script.Messages[0].Timestamp))

	turn = begin(t, p, acme, chat.Opening{Session: session, Messages: says("And now?")})
	assert.Equal(t, 2, turn.Number)
	assert.Equal(t, []string{"Hello", "Hi <there>"}, contents(turn.Past.Messages))
	r = replay(t, p, acme, chat.NewStreamID(session, 1), 6, 10)
	sameEvents(t, end[1:], r.Events)
}

func oneAtATime(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	session := tenantstest.Fresh(t, "")
	turn := begin(t, p, acme, chat.Opening{Session: session, Messages: says("one")})
	_, err := p.Sessions.Begin(t.Context(), acme, chat.Opening{Session: session, Messages: says("two")})
	refused(t, err, fault.Conflict, "turn_in_progress")
	assert.Contains(t, fault.As(err).Hint, string(turn.Stream), "which stream to follow")
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: answer("1")})
	assert.Equal(t, 2, begin(t, p, acme, chat.Opening{Session: session, Messages: says("two")}).Number)
	require.Len(t, transcript(t, p, acme, session).Messages, 3, "what was refused is not kept")
}

func atOnce(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	session := tenantstest.Fresh(t, "")
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = p.Sessions.Begin(t.Context(), acme, chat.Opening{Session: session, Messages: says("me")})
		})
	}
	wg.Wait()
	began := 0
	for _, err := range errs {
		if err == nil {
			began++
			continue
		}
		refused(t, err, fault.Conflict, "turn_in_progress")
	}
	assert.Equal(t, 1, began)
	assert.Len(t, transcript(t, p, acme, session).Messages, 1)
}

func keyed(t *testing.T, p Ports) {
	acme, globex := tenantstest.Two(t)
	session := tenantstest.Fresh(t, "")
	o := chat.Opening{Session: session, Key: "k:1:hash", Messages: says("once")}
	turn := begin(t, p, acme, o)
	for range 2 {
		again, err := p.Sessions.Begin(t.Context(), acme, o)
		require.NoError(t, err)
		assert.True(t, again.Replayed)
		assert.Equal(t, turn.Stream, again.Stream)
		assert.Equal(t, turn.Number, again.Number)
		assert.True(t, turn.Started.Equal(again.Started))
		_, err = p.Sessions.Tell(t.Context(), acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: answer("1")})
		require.NoError(t, err, "and when it is over")
	}
	_, err := p.Sessions.Begin(t.Context(), acme, chat.Opening{Session: session, Key: "k:1:other", Messages: says("twice")})
	refused(t, err, fault.Conflict, "idempotency_conflict")
	assert.Equal(t, 2, begin(t, p, acme, chat.Opening{Session: session, Key: "k:2:hash", Messages: says("next")}).Number)
	again, err := p.Sessions.Begin(t.Context(), acme, o)
	require.NoError(t, err)
	assert.Equal(t, 1, again.Number, "while the next is running")
	assert.Equal(t, 1, begin(t, p, globex, o).Number, "keys are a tenant's own")

	o = chat.Opening{Session: tenantstest.Fresh(t, ""), Key: "k:hash", Messages: says("in vain")}
	turn = begin(t, p, acme, o)
	failed := chat.Event{ID: 1, Type: chat.Error, Data: []byte(`{"code":"model_busy","message":""}`)}
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{failed}, Outcome: &chat.Outcome{Code: "model_busy"}})
	o.Key = "k:other"
	again = begin(t, p, acme, o)
	assert.False(t, again.Replayed, "a turn that failed before anything was answered lets go of its key")
	assert.Equal(t, 2, again.Number)
	o.Key = "k:hash"
	_, err = p.Sessions.Begin(t.Context(), acme, o)
	refused(t, err, fault.Conflict, "idempotency_conflict")
}

func toldAgain(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	turn := begin(t, p, acme, chat.Opening{Session: tenantstest.Fresh(t, ""), Messages: says("go")})
	evs := tokens(1, 6)
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: evs[:3]})
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: evs[:3]})
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: evs[1:6]})
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: evs[:2]})
	tell(t, p, acme, chat.News{Stream: turn.Stream})
	sameEvents(t, evs, replay(t, p, acme, turn.Stream, 0, 100).Events)
	end := chat.News{Stream: turn.Stream, Events: append(evs[4:6:6], done(7)), Outcome: answer("done")}
	tell(t, p, acme, end)
	tell(t, p, acme, end)
	sameEvents(t, append(evs, done(7)), replay(t, p, acme, turn.Stream, 0, 100).Events)
	assert.Len(t, transcript(t, p, acme, session(turn)).Messages, 2)
}

func session(turn chat.Turn) string {
	id, _, err := turn.Stream.Split()
	if err != nil {
		panic(err)
	}
	return id
}

func oneEnd(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	turn := begin(t, p, acme, chat.Opening{Session: tenantstest.Fresh(t, ""), Messages: says("go")})
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{token(1, "a"), done(2)}, Outcome: answer("a")})
	for _, n := range []chat.News{
		{Events: []chat.Event{token(3, "late")}},
		{Events: []chat.Event{token(1, "a")}},
		{},
		{Events: []chat.Event{done(3)}, Outcome: answer("again")},
		{Events: []chat.Event{event(3, chat.Error, nil)}, Outcome: &chat.Outcome{Code: "late"}},
	} {
		n.Stream = turn.Stream
		_, err := p.Sessions.Tell(t.Context(), acme, n)
		refused(t, err, fault.Conflict, "turn_over")
	}
	r := replay(t, p, acme, turn.Stream, 0, 100)
	sameEvents(t, []chat.Event{token(1, "a"), done(2)}, r.Events)
	assert.True(t, r.Over)
}

func resuming(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	turn := begin(t, p, acme, chat.Opening{Session: tenantstest.Fresh(t, ""), Messages: says("go")})
	evs := append(tokens(1, 40), done(50))
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: evs[:25]})
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: evs[25:], Outcome: answer("pieces")})
	for after := range 52 {
		var want, got []chat.Event
		for _, e := range evs {
			if e.ID > after {
				want = append(want, e)
			}
		}
		at := after
		for over := false; !over; {
			r := replay(t, p, acme, turn.Stream, at, 7)
			require.LessOrEqual(t, len(r.Events), 7)
			got, over = append(got, r.Events...), r.Over
			if !over {
				at = r.Events[len(r.Events)-1].ID
			}
		}
		sameEvents(t, want, got)
	}
}

func cited(t *testing.T, p Ports) {
	acme, globex := tenantstest.Two(t)
	session := tenantstest.Fresh(t, "")
	found := json.RawMessage(`[{"marker":1,"source":"a#0","quote":"5 < 6 & \"so\"","start":3,"end":9,"supported":true,"sentence":"x"}]`)
	turn := begin(t, p, acme, chat.Opening{Session: session, Messages: says("Why?")})
	other := begin(t, p, globex, chat.Opening{Session: session, Messages: says("Why?")})
	end := []chat.Event{token(1, "x [1]"), event(2, chat.Citations, map[string]any{"citations": found}), done(3)}
	out := answer("x [1]")
	out.Citations = found
	for range 2 {
		tell(t, p, acme, chat.News{Stream: turn.Stream, Events: end, Outcome: out})
		tell(t, p, globex, chat.News{Stream: other.Stream, Events: []chat.Event{done(1)}, Outcome: answer("y")})
	}
	sameEvents(t, end[1:], replay(t, p, acme, turn.Stream, 1, 10).Events)
	said := transcript(t, p, acme, session).Messages
	require.Len(t, said, 2)
	assert.Nil(t, said[0].Citations)
	assert.JSONEq(t, string(found), string(said[1].Citations))
	assert.Nil(t, transcript(t, p, globex, session).Messages[1].Citations)

	turn = begin(t, p, acme, chat.Opening{Session: session, Messages: says("And?")})
	assert.Equal(t, []string{"Why?", "x [1]"}, contents(turn.Past.Messages), "no model is shown them")
	out.Citations = json.RawMessage(`["` + strings.Repeat("y", chat.MaxCitations) + `"]`)
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: out})
	said = transcript(t, p, acme, session).Messages
	assert.Equal(t, "x [1]", said[3].Content)
	assert.Nil(t, said[3].Citations, "more than there is room for")
}

func followed(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	turn := begin(t, p, acme, chat.Opening{Session: tenantstest.Fresh(t, ""), Messages: says("go")})
	assert.False(t, tell(t, p, acme, chat.News{Stream: turn.Stream, Events: tokens(1, 1)}).Following)
	replay(t, p, acme, turn.Stream, 0, 10)
	assert.True(t, tell(t, p, acme, chat.News{Stream: turn.Stream, Events: tokens(2, 1)}).Following)
}

func deleted(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	converse(t, p, acme, chat.Opening{Session: name, Messages: says("one")}, "1")
	turn := begin(t, p, acme, chat.Opening{Session: name, Key: "k:h", Messages: says("two")})
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: tokens(1, 3)})
	require.NoError(t, p.Sessions.Delete(t.Context(), acme, name))
	refused(t, p.Sessions.Delete(t.Context(), acme, name), fault.NotFound, "session_not_found")
	_, err := p.Sessions.Tell(t.Context(), acme, chat.News{Stream: turn.Stream, Events: tokens(4, 1)})
	refused(t, err, fault.Conflict, "turn_over")
	_, err = p.Sessions.Replay(t.Context(), acme, turn.Stream, 0, 10)
	refused(t, err, fault.NotFound, "stream_not_found")
	_, err = p.Sessions.Transcript(t.Context(), acme, name, "", 10)
	refused(t, err, fault.NotFound, "session_not_found")

	anew := begin(t, p, acme, chat.Opening{Session: name, Key: "k:h", Messages: says("three")})
	assert.NotEqual(t, turn.Stream, anew.Stream, "the streams of before are nobody's")
	assert.Empty(t, anew.Past.Messages)
	_, err = p.Sessions.Tell(t.Context(), acme, chat.News{Stream: turn.Stream, Events: tokens(4, 1)})
	refused(t, err, fault.Conflict, "turn_over")
	assert.Len(t, transcript(t, p, acme, name).Messages, 1)
}
