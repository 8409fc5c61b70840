package chat_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

func TestATurn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.ask("", "What is the answer?")
		r.System = "Be brief."
		live := w.start(w.acme, r)
		events := drain(t, live)
		assert.Equal(t, "The answer is 42.", whole(t, events))
		session, number, err := live.Stream().Split()
		require.NoError(t, err)
		assert.Equal(t, 1, number)
		assert.JSONEq(t, fmt.Sprintf(`{"usage":{"promptTokens":10,"completionTokens":5},"finishReason":"stop","sessionId":%q,"streamId":%q,"model":"@local/script"}`,
			session, live.Stream()), string(events[len(events)-1].Data))
		assert.Equal(t, chat.UsageEvent, events[len(events)-2].Type)

		order := w.model.last(llm.ForChat)
		assert.Equal(t, llm.Call{Purpose: llm.ForChat, RequestID: "r-1", Session: session}, order.Call)
		assert.Equal(t, llm.Prompt{MaxTokens: 100, Stream: true, Messages: []llm.Message{
			{Role: llm.System, Content: "Be brief."}, {Role: llm.User, Content: "What is the answer?"},
		}}, order.Prompt)

		require.Len(t, w.sessions.news, 1, "a short turn is told at its end")
		outcome := w.sessions.news[0].Outcome
		assert.Equal(t, &chat.Outcome{Answer: llm.Message{Role: llm.Assistant, Content: "The answer is 42."}, Model: "@local/script",
			Usage: llm.Usage{Prompt: 10, Completion: 5}, Finish: llm.FinishStop, Nanos: 1005, LogID: "log-1"}, outcome)

		again := drain(t, w.follow(w.acme, live.Stream(), 0))
		assert.Equal(t, "The answer is 42.", whole(t, again))
		assert.Equal(t, events[len(events)-1], again[len(again)-1])
		_, err = w.Follow(t.Context(), w.globex, live.Stream(), 0)
		assert.Equal(t, "stream_not_found", fault.As(err).Code)
		_, err = w.Start(t.Context(), w.globex, w.ask(session, "mine?"))
		require.NoError(t, err)
		assert.Len(t, w.model.last(llm.ForChat).Prompt.Messages, 1, "another tenant's session of the same name is another session")
	})
}

func (w *world) follow(s tenants.Scope, id chat.StreamID, after int) chat.Live {
	w.Helper()
	live, err := w.Follow(w.Context(), s, id, after)
	require.NoError(w, err)
	return live
}

// Pieces that the provider sent together are one event.
func TestPiecesThatCameTogether(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.ready = func(given int) bool { return given != 2 }
		drain(t, w.start(w.acme, w.ask("s", "hello")))
		events := w.sessions.news[0].Events
		assert.Equal(t, []chat.EventType{chat.Token, chat.Token, chat.UsageEvent, chat.Done}, types(events))
		assert.Equal(t, "The answer ", text(t, events[:1]))
		assert.Equal(t, "is 42.", text(t, events[1:]))

		w.model.pieces = append(words("half ", "an ")[:2], piece{err: io.ErrUnexpectedEOF})
		assert.Equal(t, "half an ", whole(t, drain(t, w.start(w.acme, w.ask("s", "hello")))), "what came before the break is kept")
	})
}

func TestTheNextTurnKnowsThePast(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		drain(t, w.start(w.acme, w.ask("s", "one")))
		drain(t, w.start(w.acme, w.ask("s", "two")))
		assert.Equal(t, []llm.Message{
			{Role: llm.User, Content: "one"}, {Role: llm.Assistant, Content: "The answer is 42."}, {Role: llm.User, Content: "two"},
		}, w.model.last(llm.ForChat).Prompt.Messages)
	})
}

func TestCallsOfTools(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		tool := func(index int, id, name, arguments string) piece {
			return piece{Delta: llm.Delta{Tool: &llm.ToolDelta{Index: index, ID: id, Name: name, Arguments: arguments}}}
		}
		w.model.pieces = []piece{
			{Delta: llm.Delta{Reasoning: "hm"}}, {Delta: llm.Delta{Text: "Let me see. "}},
			tool(0, "c1", "weather", `{"city":`), tool(1, "c2", "time", `{}`), tool(0, "", "", `"Funchal"}`),
			{Delta: llm.Delta{Finish: llm.FinishTools}},
		}
		r := w.ask("s", "weather and time?")
		r.Tools = []llm.Tool{{Name: "weather"}, {Name: "time"}}
		events := drain(t, w.start(w.acme, r))
		assert.Equal(t, []chat.EventType{chat.Token, chat.ToolCalled, chat.ToolCalled, chat.UsageEvent, chat.Done}, types(events))
		assert.JSONEq(t, `{"id":"c1","name":"weather","arguments":"{\"city\":\"Funchal\"}"}`, string(events[1].Data))
		assert.JSONEq(t, `{"id":"c2","name":"time","arguments":"{}"}`, string(events[2].Data))
		assert.Equal(t, r.Tools, w.model.last(llm.ForChat).Prompt.Tools)

		broken := w.ask("broken", "weather?")
		w.model.pieces = append(w.model.pieces[:3:3], piece{err: io.ErrUnexpectedEOF})
		events = drain(t, w.start(w.acme, broken))
		assert.Equal(t, []chat.EventType{chat.Token, chat.UsageEvent, chat.Error}, types(events), "half a call is none")
		assert.Equal(t, llm.Message{Role: llm.Assistant, Content: "Let me see. "}, w.sessions.news[1].Outcome.Answer)

		w.model.pieces = words("Sunny, at noon.")
		r.Messages = []llm.Message{{Role: llm.ToolRole, Content: "sunny", ToolCallID: "c1"}, {Role: llm.ToolRole, Content: "12:00", ToolCallID: "c2"}}
		drain(t, w.start(w.acme, r))
		said := w.model.last(llm.ForChat).Prompt.Messages
		require.Len(t, said, 4)
		assert.Equal(t, []llm.ToolCall{{ID: "c1", Name: "weather", Arguments: `{"city":"Funchal"}`}, {ID: "c2", Name: "time", Arguments: "{}"}}, said[1].ToolCalls)
	})
}

func TestWhatCannotBegin(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		start := func(s tenants.Scope, change func(*chat.Request)) *fault.Error {
			r := w.ask("s", "hello")
			change(&r)
			_, err := w.Start(t.Context(), s, r)
			require.Error(t, err)
			return fault.As(err)
		}
		assert.Equal(t, "scope_missing", start(tenants.Scope{}, func(*chat.Request) {}).Code)
		assert.Equal(t, "field_required", start(w.acme, func(r *chat.Request) { r.Messages = nil }).Code)
		assert.Equal(t, "chat_no_model", start(w.acme, func(r *chat.Request) { r.Models = nil }).Code)
		assert.Equal(t, "sessionId", start(w.acme, func(r *chat.Request) { r.Session = "a/b" }).Field)
		assert.Equal(t, "rag", start(w.acme, func(r *chat.Request) {
			r.Messages, r.Grounding = []llm.Message{{Role: llm.ToolRole}}, &chat.Grounding{}
		}).Field)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := w.Start(gone, w.acme, w.ask("s", "hello"))
		assert.ErrorIs(t, err, context.Canceled, "nobody is there any more")
		_, err = w.Follow(t.Context(), w.acme, "no stream", 0)
		assert.Equal(t, "stream_not_found", fault.As(err).Code)
		_, err = w.Follow(t.Context(), tenants.Scope{}, "s.1", 0)
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		synctest.Wait()
		assert.Zero(t, w.sessions.count("begin"))
	})
	cannot := func(context.Context, func(context.Context)) error { return errors.New("the request is over") }
	inWorldOf(t, &chat.Options{Background: cannot}, func(t *testing.T, w *world) {
		_, err := w.Start(t.Context(), w.acme, w.ask("s", "hello"))
		require.ErrorContains(t, err, "the request is over")
		assert.Zero(t, w.sessions.count("begin"))
	})
}

// A turn that is refused leaves the session as if it had not been asked, but for the entry in its transcript.
func TestARefusedTurn(t *testing.T) {
	for _, refusal := range []*fault.Error{
		fault.New(fault.Limited, "budget_exhausted", "no tokens left today", nil).WithRetryAfter(time.Hour),
		fault.New(fault.Unavailable, "model_busy", "the model is busy", nil).WithRetryAfter(time.Second),
		fault.New(fault.Invalid, "model_refused", "the model refused the input", nil),
	} {
		inWorld(t, func(t *testing.T, w *world) {
			w.model.refuse = refusal
			w.sessions.before = func(op string, call int) error {
				if op == "tell" {
					time.Sleep(time.Second)
				}
				return nil
			}
			_, err := w.Start(t.Context(), w.acme, w.ask("s", "lost"))
			assert.Equal(t, refusal, fault.As(err))
			require.Equal(t, 1, w.sessions.count("tell"), "the session is free when the client hears of it")
			events := drain(t, w.follow(w.acme, "s.1", 0))
			assert.Equal(t, []chat.EventType{chat.Error}, types(events))
			assert.Equal(t, refusal.Code, code(t, events))
			assert.Equal(t, refusal.Code, w.sessions.news[0].Outcome.Code)

			w.model.refuse = nil
			drain(t, w.start(w.acme, w.ask("s", "found")))
			assert.Equal(t, []llm.Message{{Role: llm.User, Content: "found"}}, w.model.last(llm.ForChat).Prompt.Messages,
				"the message that was never answered is not shown to the model")
		})
	}
}

func TestASecondTurnAtTheSameTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.pieces[1].after = time.Second
		first := w.start(w.acme, w.ask("s", "one"))
		_, err := w.Start(t.Context(), w.acme, w.ask("s", "two"))
		assert.Equal(t, "turn_in_progress", fault.As(err).Code)
		assert.Equal(t, fault.Conflict, fault.KindOf(err))
		drain(t, w.start(w.acme, w.ask("another", "two")))
		drain(t, w.start(w.globex, w.ask("s", "two")))
		assert.Equal(t, "The answer is 42.", whole(t, drain(t, first)))
		drain(t, w.start(w.acme, w.ask("s", "two")))
	})
}

// A request that is sent twice with the same key is one turn, also when it begins its session.
func TestARepeatedRequest(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.pieces[2].after = time.Second
		r := w.ask("", "once")
		r.Key = "key-1:hash"
		first, second := w.start(w.acme, r), w.start(w.acme, r)
		other := w.start(w.globex, r)
		assert.Equal(t, first.Stream(), second.Stream())
		assert.NotEqual(t, first.Stream(), other.Stream())
		assert.Equal(t, whole(t, drain(t, first)), whole(t, drain(t, second)))
		drain(t, other)
		assert.Equal(t, "The answer is 42.", whole(t, drain(t, w.start(w.acme, r))))
		assert.Len(t, w.model.orders, 2, "one for each tenant")
		r.Key = "key-1:another hash"
		_, err := w.Start(t.Context(), w.acme, r)
		assert.Equal(t, "idempotency_conflict", fault.As(err).Code)
	})
}

// A repetition that comes when the events of its turn are gone is told so, and not answered twice.
func TestARepeatedRequestThatComesLate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.ask("s", "once")
		r.Key = "key:hash"
		drain(t, w.start(w.acme, r))
		time.Sleep(chat.ReplayLife)
		_, err := w.sessions.kept.Alarm(t.Context(), w.acme)
		require.NoError(t, err)
		_, err = w.Start(t.Context(), w.acme, r)
		assert.Equal(t, "stream_not_found", fault.As(err).Code)
		assert.Contains(t, fault.As(err).Hint, "history")
		assert.Len(t, w.model.orders, 1)
	})
}

// While the model is silent the session hears of the turn, and the client that it lives.
func TestASilentModel(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.pieces[2].after = 5*time.Minute + time.Second
		live := w.start(w.acme, w.ask("s", "think"))
		synctest.Wait()
		_, err := read(t.Context(), live, 1)
		require.NoError(t, err)
		began, silences := time.Now(), 0
		for {
			e, err := live.Next(t.Context())
			require.NoError(t, err)
			if e.Type != "" {
				break
			}
			silences++
		}
		assert.Equal(t, 5*time.Minute+time.Second, time.Since(began))
		assert.Equal(t, 20, silences, "every 15 s")
		assert.InDelta(t, 60, w.sessions.count("tell"), 3, "every 5 s")
		drain(t, live)
	})
}

// What a chat costs is mostly how often its session is told something.
func TestHowOftenTheSessionIsTold(t *testing.T) {
	minute := func(w *world) chat.Live {
		w.model.pieces = nil
		for range 600 {
			w.model.pieces = append(w.model.pieces, piece{Delta: llm.Delta{Text: "x"}, after: 100 * time.Millisecond})
		}
		w.model.pieces = append(w.model.pieces, piece{Delta: llm.Delta{Finish: llm.FinishStop}})
		return w.start(w.acme, w.ask("s", "talk for a minute"))
	}
	inWorld(t, func(t *testing.T, w *world) {
		events := drain(t, minute(w))
		assert.Len(t, events, 602)
		assert.InDelta(t, 30, w.sessions.count("tell"), 2)
	})
	inWorld(t, func(t *testing.T, w *world) {
		live := minute(w)
		time.Sleep(10 * time.Second)
		tells := w.sessions.count("tell")
		drain(t, w.follow(w.acme, live.Stream(), 0))
		assert.InDelta(t, 5, tells, 1)
		assert.InDelta(t, 240, w.sessions.count("tell"), 20, "while somebody follows")
		assert.InDelta(t, 200, w.sessions.count("replay"), 20)
		live.Close()
	})
}

func TestReady(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.pieces[1].after = time.Second
		live := w.start(w.acme, w.ask("s", "hello"))
		synctest.Wait()
		_, err := read(t.Context(), live, 1)
		require.NoError(t, err)
		assert.False(t, live.Ready())
		time.Sleep(2 * time.Second)
		assert.True(t, live.Ready())
		drain(t, live)
		assert.True(t, live.Ready())
		follower := w.follow(w.acme, live.Stream(), 7)
		assert.True(t, follower.Ready(), "the end is at once")
		_, err = follower.Next(t.Context())
		assert.ErrorIs(t, err, io.EOF)
	})
}
