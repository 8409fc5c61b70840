package memory_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/chat/chattest"
	"levada.dev/workflows/llm"
)

func conversations(*testing.T) chattest.Ports {
	shelf := memory.NewShelf(time.Now)
	sessions := memory.NewSessions(shelf, time.Now)
	return chattest.Ports{Sessions: sessions, Summaries: sessions, Parcels: sessions, Shelf: shelf}
}

func TestSessions(t *testing.T) { chattest.TestSessions(t, conversations) }

func TestShelf(t *testing.T) { chattest.TestShelf(t, conversations) }

// talks is sessions of two tenants, who use the same names, on a clock that only the test moves.
type talks struct {
	*memory.Sessions
	shelf        *memory.Shelf
	time         time.Time
	acme, globex tenants.Scope
}

func newTalks(t *testing.T) *talks {
	w := &talks{time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), acme: tenantstest.Scope(t, "acme"), globex: tenantstest.Scope(t, "globex")}
	now := func() time.Time { return w.time }
	w.shelf = memory.NewShelf(now)
	w.Sessions = memory.NewSessions(w.shelf, now)
	return w
}

func opening() chat.Opening {
	return chat.Opening{Session: "s", Key: "k:h", Messages: []llm.Message{{Role: llm.User, Content: "Hello"}}, Keep: chat.Retention{Days: 1}}
}

func piece(id int) chat.Event {
	return chat.Event{ID: id, Type: chat.Token, Data: json.RawMessage(`{"token":"x"}`)}
}

func ending(stream chat.StreamID) chat.News {
	return chat.News{Stream: stream, Events: []chat.Event{piece(2), {ID: 3, Type: chat.Done, Data: json.RawMessage(`{}`)}}, Outcome: &chat.Outcome{Model: "m"}}
}

// TestSessionsFailBeforeAndAfter fails each call of a turn's way and repeats it: what comes of it is what would have come
// of it at once, and the other tenant's session of the same name is as it was.
func TestSessionsFailBeforeAndAfter(t *testing.T) {
	lost := fault.Unavailablef(nil, "lost", "nobody knows")
	for _, after := range []bool{false, true} {
		w := newTalks(t)
		_, err := w.Begin(t.Context(), w.globex, opening())
		require.NoError(t, err)
		failing := ""
		hook := func(op string) error {
			if op == failing {
				failing = ""
				return lost
			}
			return nil
		}
		if after {
			w.After = hook
		} else {
			w.Before = hook
		}
		try := func(op string, call func() error) error {
			failing = op
			require.ErrorIs(t, call(), lost, op)
			return call()
		}

		var turn chat.Turn
		require.NoError(t, try("begin", func() (err error) {
			turn, err = w.Begin(t.Context(), w.acme, opening())
			return err
		}))
		assert.Equal(t, after, turn.Replayed)
		assert.Equal(t, 1, turn.Number)
		require.NoError(t, try("tell", func() error {
			_, err := w.Tell(t.Context(), w.acme, chat.News{Stream: turn.Stream, Events: []chat.Event{piece(1)}})
			return err
		}))
		require.NoError(t, try("end", func() error {
			_, err := w.Tell(t.Context(), w.acme, ending(turn.Stream))
			return err
		}))
		require.NoError(t, try("replay", func() error {
			r, err := w.Replay(t.Context(), w.acme, turn.Stream, 0, 10)
			assert.True(t, err != nil || len(r.Events) == 3 && r.Over)
			return err
		}))
		require.NoError(t, try("summarise", func() error { return w.Summarise(t.Context(), w.acme, "s", 1, "text") }))
		require.NoError(t, try("transcript", func() error {
			script, err := w.Transcript(t.Context(), w.acme, "s", "", 10)
			assert.True(t, err != nil || len(script.Messages) == 2 && script.Summary == "text")
			return err
		}))
		err = try("delete", func() error { return w.Delete(t.Context(), w.acme, "s") })
		if after {
			assert.Equal(t, "session_not_found", fault.As(err).Code, "it is gone already")
		} else {
			require.NoError(t, err)
		}
		l, err := w.shelf.List(t.Context(), w.acme, "", "", 10)
		require.NoError(t, err)
		assert.Empty(t, l.Sessions)
		out := &eventstest.Publisher{}
		n, err := w.Relay(t.Context(), w.acme, out)
		require.NoError(t, err)
		assert.Equal(t, 1, n, "one turn, one fact")

		script, err := w.Transcript(t.Context(), w.globex, "s", "", 10)
		require.NoError(t, err)
		assert.Len(t, script.Messages, 1)
		assert.Empty(t, script.Summary)
		l, err = w.shelf.List(t.Context(), w.globex, "", "", 10)
		require.NoError(t, err)
		assert.Len(t, l.Sessions, 1)
	}
}

// TestTheShelfIsToldInTheEnd has the shelf out of reach, before and after its effect, and objects that forget.
func TestTheShelfIsToldInTheEnd(t *testing.T) {
	for _, after := range []bool{false, true} {
		w := newTalks(t)
		down := true
		hook := func(op string) error {
			if down && op == "put" {
				return errors.New("out of reach")
			}
			return nil
		}
		if after {
			w.shelf.After = hook
		} else {
			w.shelf.Before = hook
		}
		list := func(s tenants.Scope) []chat.Listed {
			l, err := w.shelf.List(t.Context(), s, "", "", 10)
			require.NoError(t, err)
			return l.Sessions
		}
		turn, err := w.Begin(t.Context(), w.acme, opening())
		require.NoError(t, err, "the shelf's trouble is not the caller's")
		_, err = w.Tell(t.Context(), w.acme, ending(turn.Stream))
		require.NoError(t, err)
		require.Len(t, list(w.acme), map[bool]int{false: 0, true: 1}[after])

		w.time = w.time.Add(chat.TurnLease)
		next, err := w.Alarm(t.Context(), w.acme)
		require.Error(t, err)
		assert.Equal(t, w.time.Add(5*time.Second), next)
		w.Restart(w.acme)
		down = false
		w.time = next
		next, err = w.Alarm(t.Context(), w.acme)
		require.NoError(t, err)
		require.Len(t, list(w.acme), 1)
		assert.Equal(t, "Hello", list(w.acme)[0].Title)
		assert.Equal(t, turn.Started.Add(chat.ReplayLife), next)
		require.Empty(t, list(w.globex))

		down = true
		require.NoError(t, w.Delete(t.Context(), w.acme, "s"))
		down = false
		w.Restart(w.acme)
		w.time = w.time.Add(chat.TurnLease)
		_, err = w.Alarm(t.Context(), w.acme)
		require.NoError(t, err)
		require.Empty(t, list(w.acme))
	}
}

// TestSessionsGrowOld lets a session live to its end, by its alarms alone.
func TestSessionsGrowOld(t *testing.T) {
	w := newTalks(t)
	_, err := w.Begin(t.Context(), w.acme, opening())
	require.NoError(t, err)
	keep := opening()
	keep.Keep.Days = 0
	_, err = w.Begin(t.Context(), w.globex, keep)
	require.NoError(t, err)
	var codes []string
	relay := func(s tenants.Scope) {
		out := &eventstest.Publisher{}
		_, err := w.Relay(t.Context(), s, out)
		require.NoError(t, err)
		for _, ev := range out.Events() {
			var f events.ChatCompleted
			require.NoError(t, ev.As(&f))
			codes = append(codes, f.Code)
		}
	}
	rings := 0
	for next := w.time.Add(chat.TurnLease); !next.IsZero(); rings++ {
		w.time = next
		w.Restart(w.acme)
		next, err = w.Alarm(t.Context(), w.acme)
		require.NoError(t, err)
		relay(w.acme)
	}
	assert.Equal(t, []string{"turn_interrupted"}, codes)
	assert.Equal(t, 4, rings, "the lease, the events, the session, its grave")
	assert.Zero(t, w.Written(w.acme), "nothing is left")
	l, err := w.shelf.List(t.Context(), w.acme, "", "", 10)
	require.NoError(t, err)
	assert.Empty(t, l.Sessions)
	l, err = w.shelf.List(t.Context(), w.globex, "", "", 10)
	require.NoError(t, err)
	assert.Len(t, l.Sessions, 1)
	script, err := w.Transcript(t.Context(), w.globex, "s", "", 10)
	require.NoError(t, err)
	assert.Len(t, script.Messages, 2, "it is kept, and its turn has ended")
}
