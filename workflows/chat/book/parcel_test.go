package book_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

func (w *world) parcel(from int) chat.Parcel {
	w.Helper()
	p, err := w.Parcel(w.Context(), w.s, "s", from)
	require.NoError(w, err)
	b, err := json.Marshal(p) // as it travels
	require.NoError(w, err)
	var out chat.Parcel
	require.NoError(w, json.Unmarshal(b, &out))
	return out
}

// bring takes all of a session from another world.
func (w *world) bring(from *world, turn int) chat.Parcel {
	w.Helper()
	for {
		p := from.parcel(turn)
		next, err := w.Take(w.Context(), w.s, p)
		require.NoError(w, err)
		if next == p.Last+1 && !p.More {
			return p
		}
		turn = next
	}
}

// converse runs turns of all kinds: a long one, one with tools, one that failed, one that nobody ended, one whose answer was checked.
func (w *world) converse() {
	w.Helper()
	keep := chat.Retention{Days: 30, WindowTokens: 300}
	one := w.begin(chat.Opening{User: "ada", Keep: keep, Key: "k1:h", Messages: says(strings.Repeat("<long> ", 60_000))})
	require.NoError(w, w.end(one.Stream, token(1, "Hi"), done(2)))
	two := w.begin(chat.Opening{Keep: keep})
	calls := reply("")
	calls.Answer.ToolCalls = []llm.ToolCall{{ID: "c1", Name: "look", Arguments: `{"at":"<&>"}`}}
	calls.Citations = json.RawMessage(`[{"title":"a <b> & c"}]`)
	_, err := w.Tell(w.Context(), w.s, chat.News{Stream: two.Stream, Events: []chat.Event{done(1)}, Outcome: calls})
	require.NoError(w, err)
	three := w.begin(chat.Opening{Keep: keep, Messages: []llm.Message{{Role: llm.ToolRole, ToolCallID: "c1", Content: "found"}}})
	require.NoError(w, w.tell(three.Stream, token(1, "It was broken ")))
	w.time = w.time.Add(chat.TurnLease)
	four := w.begin(chat.Opening{Keep: keep, Key: "k4:h"})
	_, err = w.Tell(w.Context(), w.s, chat.News{Stream: four.Stream, Events: []chat.Event{event(1, chat.Error, map[string]string{"code": "model_unavailable"})}, Outcome: &chat.Outcome{Code: "model_unavailable"}})
	require.NoError(w, err)
	require.NoError(w, w.Summarise(w.Context(), w.s, "s", 1, "They said hello."))
}

func TestASessionIsMovedWhole(t *testing.T) {
	from, to := newWorld(t), newWorld(t)
	from.converse()
	p := to.bring(from, 0)
	assert.False(t, p.Whole, "its summary may come yet")
	from.time = from.time.Add(30 * time.Second)
	p = to.bring(from, 5)
	assert.True(t, p.Whole)
	assert.Empty(t, p.Said)
	assert.Len(t, p.Digest, 64)
	assert.Equal(t, from.transcript(), to.transcript())
	n, due := to.note()
	require.True(t, due)
	assert.Equal(t, []any{p.Version, 4, false}, []any{n.Came, n.Last, n.Own})
	assert.Empty(t, to.facts(), "the source has told of its turns")

	before := to.rows.Written
	for range 2 {
		to.bring(from, 0)
	}
	assert.Equal(t, before, to.rows.Written, "it is here")

	// Nothing is due but its age, and it is the same age.
	to.time = from.time
	assert.Equal(t, at30(from), to.wake().Next)
	from.wake()
	assert.Equal(t, from.begin(chat.Opening{Keep: chat.Retention{WindowTokens: 300}}).Past, to.begin(chat.Opening{Keep: chat.Retention{WindowTokens: 300}}).Past)
	n, _ = to.note()
	assert.True(t, n.Own)
	_, err := to.Take(t.Context(), to.s, p)
	to.refused(err, fault.Conflict, "session_taken")
}

func at30(w *world) time.Time { return w.transcript().UpdatedAt.Add(30 * 24 * time.Hour) }

func TestASessionThatWasBegunAnewIsAnother(t *testing.T) {
	from, to := newWorld(t), newWorld(t)
	for i := range 3 {
		require.NoError(t, from.end(from.begin(chat.Opening{Messages: says(fmt.Sprint("old ", i))}).Stream, done(1)))
	}
	from.time = from.time.Add(time.Minute)
	require.True(t, to.bring(from, 0).Whole)
	require.NoError(t, from.Delete(t.Context(), from.s, "s"))
	from.time = from.time.Add(time.Hour)
	from.send()
	n, _ := from.note()
	from.book.Told(n.Version)
	require.True(t, from.wake().Empty)
	from = newWorld(t)
	from.time = from.time.Add(2 * time.Hour)
	require.NoError(t, from.end(from.begin(chat.Opening{Messages: says("new")}).Stream, done(1)))
	from.time = from.time.Add(time.Minute)
	require.True(t, to.bring(from, 4).Whole)
	assert.Equal(t, from.transcript(), to.transcript())
	rows, err := to.rows.Scan("t/", 10)
	require.NoError(t, err)
	assert.Len(t, rows, 1, "nothing is left of the old one")

	// What was dropped here comes again.
	require.NoError(t, to.Drop(t.Context(), to.s, "s"))
	require.True(t, to.bring(from, 0).Whole)
	assert.Equal(t, from.transcript(), to.transcript())
}

// A parcel whose transaction fails at any of its rows has changed nothing, and is taken when it comes again.
func TestAParcelIsTakenWholeOrNot(t *testing.T) {
	from := newWorld(t)
	from.converse()
	from.time = from.time.Add(time.Minute)
	parcels := []chat.Parcel{from.parcel(0)}
	for parcels[len(parcels)-1].More {
		parcels = append(parcels, from.parcel(parcels[len(parcels)-1].Last+1))
	}
	for fail := 1; ; fail++ {
		to, failed := newWorld(t), false
		for _, p := range parcels {
			to.fail = fail
			_, err := to.Take(t.Context(), to.s, p)
			if to.fail = 0; err != nil {
				failed = true
				_, err = to.Take(t.Context(), to.s, p)
				require.NoError(t, err)
			}
		}
		assert.Equal(t, from.transcript(), to.transcript())
		if !failed {
			assert.Greater(t, fail, 10)
			return
		}
	}
}
