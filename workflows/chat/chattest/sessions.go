package chattest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// Ports are what the suite is about: sessions, and the shelf that they are listed on.
type Ports struct {
	Sessions  chat.Sessions
	Summaries chat.Summaries
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
		"who follows is known":                       followed,
		"sessions belong to a tenant":                belonging,
		"what does not exist is missing":             missing,
		"the past is what fits, by whole turns":      window,
		"what fell out is to be summarised":          summarised,
		"calls of tools stay with their outcomes":    tools,
		"a transcript has pages":                     pages,
		"the oldest turns make room":                 retained,
		"a deleted session is gone":                  deleted,
		"long messages and large events":             large,
		"an answer that does not end is refused":     endless,
		"every character comes back":                 unicode,
		"five hundred turns":                         many,
		"an opening that is none is refused":         noOpening,
		"nobody's call is refused":                   nobody,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func way(t *testing.T, p Ports) {
	acme, _ := two(t)
	session := fresh(t, "")
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
	acme, _ := two(t)
	session := fresh(t, "")
	turn := begin(t, p, acme, chat.Opening{Session: session, Messages: says("one")})
	_, err := p.Sessions.Begin(t.Context(), acme, chat.Opening{Session: session, Messages: says("two")})
	refused(t, err, fault.Conflict, "turn_in_progress")
	assert.Contains(t, fault.As(err).Hint, string(turn.Stream), "which stream to follow")
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: answer("1")})
	assert.Equal(t, 2, begin(t, p, acme, chat.Opening{Session: session, Messages: says("two")}).Number)
	require.Len(t, transcript(t, p, acme, session).Messages, 3, "what was refused is not kept")
}

func atOnce(t *testing.T, p Ports) {
	acme, _ := two(t)
	session := fresh(t, "")
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
	acme, globex := two(t)
	session := fresh(t, "")
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

	o = chat.Opening{Session: fresh(t, ""), Key: "k:hash", Messages: says("in vain")}
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
	acme, _ := two(t)
	turn := begin(t, p, acme, chat.Opening{Session: fresh(t, ""), Messages: says("go")})
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
	acme, _ := two(t)
	turn := begin(t, p, acme, chat.Opening{Session: fresh(t, ""), Messages: says("go")})
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

func noNews(t *testing.T, p Ports) {
	acme, _ := two(t)
	turn := begin(t, p, acme, chat.Opening{Session: fresh(t, ""), Messages: says("go")})
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

func resuming(t *testing.T, p Ports) {
	acme, _ := two(t)
	turn := begin(t, p, acme, chat.Opening{Session: fresh(t, ""), Messages: says("go")})
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

func followed(t *testing.T, p Ports) {
	acme, _ := two(t)
	turn := begin(t, p, acme, chat.Opening{Session: fresh(t, ""), Messages: says("go")})
	assert.False(t, tell(t, p, acme, chat.News{Stream: turn.Stream, Events: tokens(1, 1)}).Following)
	replay(t, p, acme, turn.Stream, 0, 10)
	assert.True(t, tell(t, p, acme, chat.News{Stream: turn.Stream, Events: tokens(2, 1)}).Following)
}

func belonging(t *testing.T, p Ports) {
	acme, globex := two(t)
	name := fresh(t, "")
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
	acme, globex := two(t)
	theirs := fresh(t, "")
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
		a, b := ask(theirs), ask(fresh(t, ""))
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

func window(t *testing.T, p Ports) {
	acme, _ := two(t)
	name := fresh(t, "")
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
	acme, globex := two(t)
	name := fresh(t, "")
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
	acme, _ := two(t)
	name := fresh(t, "")
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
	acme, _ := two(t)
	name := fresh(t, "")
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

func retained(t *testing.T, p Ports) {
	acme, _ := two(t)
	name := fresh(t, "")
	keep := chat.Retention{Turns: 3}
	for i := range 5 {
		converse(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says(fmt.Sprint("q", i+1))}, "a")
	}
	script := transcript(t, p, acme, name)
	require.Len(t, script.Messages, 6)
	assert.Equal(t, "q3", script.Messages[0].Content)
	_, err := p.Sessions.Replay(t.Context(), acme, chat.NewStreamID(name, 2), 0, 10)
	refused(t, err, fault.NotFound, "stream_not_found")
	assert.Len(t, begin(t, p, acme, chat.Opening{Session: name, Keep: keep, Messages: says("now")}).Past.Messages, 4)
}

func deleted(t *testing.T, p Ports) {
	acme, _ := two(t)
	name := fresh(t, "")
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

func large(t *testing.T, p Ports) {
	acme, _ := two(t)
	name := fresh(t, "")
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
	acme, _ := two(t)
	name := fresh(t, "")
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
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{last}, Outcome: out})
	r := replay(t, p, acme, turn.Stream, id-1, 100)
	sameEvents(t, []chat.Event{last}, r.Events)
	assert.True(t, r.Over)
	script := transcript(t, p, acme, name)
	require.Len(t, script.Messages, 2)
	assert.Equal(t, "answer_too_long", script.Messages[1].Error)
	assert.True(t, strings.HasPrefix(out.Answer.Content, script.Messages[1].Content))
}

func unicode(t *testing.T, p Ports) {
	acme, _ := two(t)
	name := fresh(t, "")
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

func many(t *testing.T, p Ports) {
	acme, _ := two(t)
	name := fresh(t, "")
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

func noOpening(t *testing.T, p Ports) {
	acme, _ := two(t)
	name := fresh(t, "")
	for what, o := range map[string]chat.Opening{
		"no session":        {Messages: says("x")},
		"a bad session":     {Session: "a.b", Messages: says("x")},
		"no messages":       {Session: name},
		"a role of nobody":  {Session: name, Messages: []llm.Message{{Role: llm.System, Content: "x"}}},
		"too many messages": {Session: name, Messages: make([]llm.Message, 1000)},
		"too long":          {Session: name, Messages: says(strings.Repeat("x", 8<<20))},
		"a long user":       {Session: name, User: strings.Repeat("u", 300), Messages: says("x")},
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
	id := fresh(t, "")
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
