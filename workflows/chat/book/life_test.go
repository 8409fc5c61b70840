package book_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/chat/book"
	"levada.dev/workflows/llm"
)

func TestEventsAreKeptForAWhile(t *testing.T) {
	w := newWorld(t)
	one := w.begin(chat.Opening{})
	require.NoError(t, w.end(one.Stream, token(1, "Hi"), done(2)))
	w.time = w.time.Add(time.Minute)
	two := w.begin(chat.Opening{})
	require.NoError(t, w.end(two.Stream, token(1, "Hi"), done(2)))
	assert.Equal(t, w.time.Add(chat.ReplayLife-time.Minute), w.wake().Next)

	w.time = w.time.Add(chat.ReplayLife - time.Minute)
	assert.Equal(t, w.time.Add(time.Minute), w.wake().Next)
	_, err := w.Replay(t.Context(), w.s, one.Stream, 0, 10)
	w.refused(err, fault.NotFound, "stream_not_found")
	assert.NotEmpty(t, fault.As(err).Hint)
	assert.Len(t, w.replay(two.Stream, 0).Events, 2)
	w.refused(w.tell(one.Stream, token(3, "x")), fault.Conflict, "turn_over")
	require.NoError(t, w.end(one.Stream, done(2)), "the same end again")

	w.time = w.time.Add(time.Minute)
	assert.True(t, w.wake().Next.IsZero(), "nothing is left to be done: the session is kept for ever")
	before := w.rows.Written
	w.wake()
	assert.Equal(t, before, w.rows.Written)
	assert.Len(t, w.transcript().Messages, 4)
	assert.Len(t, w.begin(chat.Opening{}).Past.Messages, 4)
}

func TestASessionThatIsTooOldIsDeleted(t *testing.T) {
	w := newWorld(t)
	keep := chat.Retention{Days: 30}
	require.NoError(t, w.end(w.begin(chat.Opening{Keep: keep}).Stream, done(1)))
	w.time = w.time.Add(chat.ReplayLife)
	begun := w.time.Add(-chat.ReplayLife)
	assert.Equal(t, begun.Add(30*24*time.Hour), w.wake().Next)
	n, due := w.note()
	require.True(t, due)
	w.book.Told(n.Version)
	w.send()

	w.time = begun.Add(30*24*time.Hour - time.Millisecond)
	w.wake()
	assert.Len(t, w.transcript().Messages, 2)
	w.time = w.time.Add(time.Millisecond)
	w.crash()
	assert.Equal(t, w.time.Add(chat.ReplayLife), w.wake().Next)
	_, err := w.Transcript(t.Context(), w.s, "s", "", 10)
	w.refused(err, fault.NotFound, "session_not_found")
	gone, due := w.note()
	require.True(t, due)
	assert.True(t, gone.Gone)
	assert.Greater(t, gone.Version, n.Version)
	assert.Empty(t, w.facts(), "no turn ended")

	w.time = w.time.Add(chat.ReplayLife)
	assert.Equal(t, book.Due{Next: w.time.Add(time.Minute)}, w.wake(), "the shelf does not know yet")
	w.book.Told(gone.Version)
	assert.Equal(t, book.Due{Empty: true}, w.wake())
}

func TestADeletedSessionIsBuriedWhenAllIsTold(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("long ", 300_000)
	require.NoError(t, w.end(w.begin(chat.Opening{Messages: says(long)}).Stream, done(1)))
	w.begin(chat.Opening{User: "ada", Messages: says(long), Cause: events.Cause{ID: "r"}})
	w.send()
	require.NoError(t, w.Delete(t.Context(), w.s, "s"))
	require.Len(t, w.facts(), 1)
	assert.Equal(t, "session_deleted", w.facts()[0].Code, "the turn that was running ended")
	for _, prefix := range []string{"t/", "q/"} {
		left, err := w.rows.Scan(prefix, 10)
		require.NoError(t, err)
		assert.Empty(t, left, prefix)
	}
	all, err := w.rows.Range("", "\xff", 10)
	require.NoError(t, err)
	for _, row := range all {
		assert.NotContains(t, string(row.Value), "long ", row.Key)
	}
	n, _ := w.note()
	w.book.Told(n.Version)
	w.time = w.time.Add(chat.ReplayLife)
	assert.Equal(t, book.Due{Next: w.time.Add(time.Minute)}, w.wake(), "a fact waits")
	w.send()
	assert.Equal(t, book.Due{Empty: true}, w.wake())
}

func TestAnAlarmOfNothing(t *testing.T) {
	assert.Equal(t, book.Due{Empty: true}, newWorld(t).wake())
}

func TestASessionBegunAnewIsAnother(t *testing.T) {
	w := newWorld(t)
	w.begin(chat.Opening{User: "ada", Key: "k:h"})
	require.NoError(t, w.Delete(t.Context(), w.s, "s"))
	gone, _ := w.note()
	turn := w.begin(chat.Opening{User: "bob", Key: "k:other", Messages: says("anew")})
	assert.Equal(t, 2, turn.Number)
	n, due := w.note()
	require.True(t, due)
	assert.Greater(t, n.Version, gone.Version)
	assert.Equal(t, book.Note{
		SessionID: "s", UserID: "bob", Title: "anew", Turns: 1, Created: w.time.UnixMilli(), Updated: w.time.UnixMilli(), Version: n.Version,
	}, n)
	require.Len(t, w.transcript().Messages, 1)
	w.refused(w.Summarise(t.Context(), w.s, "s", 3, "x"), fault.Invalid, "value_out_of_range")
	require.NoError(t, w.Summarise(t.Context(), w.s, "s", 2, "x"))
}

func TestTheFactOfATurn(t *testing.T) {
	w := newWorld(t)
	cause := events.Cause{ID: "r-1", TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", IdempotencyKey: "k"}
	turn := w.begin(chat.Opening{User: "ada", Cause: cause})
	w.time = w.time.Add(1500 * time.Millisecond)
	for range 3 {
		require.NoError(t, w.end(turn.Stream, token(1, "secret words"), done(2)))
	}
	pending, err := outbox.Pending(w.rows, 10)
	require.NoError(t, err)
	require.Len(t, pending, 1, "once, however often it is told")
	ev := pending[0].Event
	assert.Equal(t, "sessions/s", ev.Subject)
	assert.Equal(t, cause.ID, ev.CausationID)
	assert.Equal(t, cause.TraceParent, ev.TraceParent)
	assert.Equal(t, cause.IdempotencyKey, ev.IdempotencyKey)
	assert.NotContains(t, string(ev.Data), "secret")
	assert.NotContains(t, string(ev.Data), "Hello")
	assert.Equal(t, []events.ChatCompleted{{
		SessionID: "s", Turn: 1, UserID: "ada", Model: "model", PromptTokens: 5, CompletionTokens: 7, CachedTokens: 2, CostNanos: 12,
		FinishReason: "stop", DurationMS: 1500, LogID: "log",
	}}, w.facts())
}

func TestKeysAreKnownForADay(t *testing.T) {
	w := newWorld(t)
	turn := w.begin(chat.Opening{Key: "k:h"})
	require.NoError(t, w.end(turn.Stream, done(1)))
	w.time = w.time.Add(book.KeyLife - time.Millisecond)
	w.crash()
	assert.True(t, w.begin(chat.Opening{Key: "k:h"}).Replayed)
	w.time = w.time.Add(time.Millisecond)
	anew := w.begin(chat.Opening{Key: "k:other"})
	assert.Equal(t, 2, anew.Number)
}

func TestKeysAreFew(t *testing.T) {
	w := newWorld(t)
	for i := range 400 {
		require.NoError(t, w.end(w.begin(chat.Opening{Key: fmt.Sprint("k", i, ":h"), Keep: chat.Retention{Turns: 2, WindowTokens: 10}}).Stream, done(1)))
	}
	assert.True(t, w.begin(chat.Opening{Key: "k399:h"}).Replayed)
	assert.True(t, w.begin(chat.Opening{Key: "k144:h"}).Replayed, "also when the turn is not kept any more")
	assert.False(t, w.begin(chat.Opening{Key: "k0:h"}).Replayed)
	meta, err := w.rows.Get("m")
	require.NoError(t, err)
	assert.Less(t, len(meta), 32<<10)
}

// TestWhatATurnCosts is the bill of the package's comment.
func TestWhatATurnCosts(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.end(w.begin(chat.Opening{Keep: chat.Retention{Turns: 200}}).Stream, done(1)))
	for _, flushes := range []int{1, 5, 20} {
		before := w.rows.Written
		turn := w.begin(chat.Opening{Keep: chat.Retention{Turns: 200}})
		for i := range flushes - 1 {
			require.NoError(t, w.tell(turn.Stream, token(i+1, "x")))
			require.NoError(t, w.tell(turn.Stream, token(i+1, "x")), "a repetition renews the lease")
		}
		require.NoError(t, w.end(turn.Stream, done(99)))
		told := w.rows.Written - before - (flushes - 1)
		assert.Equal(t, 2+flushes+1, told, "session and turn; the turn each time; the fact")
	}
	w.send()
	w.time = w.time.Add(chat.ReplayLife)
	before := w.rows.Written
	w.wake()
	assert.Equal(t, 4, w.rows.Written-before, "the events of each turn are dropped")
}

// TestRowsStayBelowTheLimit fills a turn with as much as it takes.
func TestRowsStayBelowTheLimit(t *testing.T) {
	w := newWorld(t)
	turn := w.begin(chat.Opening{Messages: says(strings.Repeat("\x01<", 3_000_000/8))})
	id := 0
	for {
		id++
		if err := w.tell(turn.Stream, token(id, strings.Repeat("<\x01", 10_000))); err != nil {
			w.refused(err, fault.Invalid, "answer_too_long")
			break
		}
	}
	out := reply(strings.Repeat("\x01ü", 1_000_000))
	_, err := w.Tell(t.Context(), w.s, chat.News{
		Stream: turn.Stream, Events: []chat.Event{event(id+1, chat.Error, map[string]string{"message": strings.Repeat("x", 30<<10)})}, Outcome: out,
	})
	require.NoError(t, err)
	all, err := w.rows.Range("", "\xff", 100)
	require.NoError(t, err)
	for _, row := range all {
		assert.Less(t, len(row.Value), 1_900_000, row.Key)
	}
	assert.True(t, strings.HasPrefix(out.Answer.Content, w.transcript().Messages[1].Content))
	assert.Equal(t, strings.Repeat("\x01<", 3_000_000/8), w.transcript().Messages[0].Content)
}

// TestAnAnswerOfCallsAloneFits has a model ask for more than a row can hold.
func TestAnAnswerOfCallsAloneFits(t *testing.T) {
	w := newWorld(t)
	turn := w.begin(chat.Opening{})
	out := reply("Wait.")
	out.Answer.ToolCalls = []llm.ToolCall{{ID: "c", Name: "f", Arguments: strings.Repeat("x", 1_000_000)}}
	_, err := w.Tell(t.Context(), w.s, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: out})
	require.NoError(t, err)
	e := w.transcript().Messages[1]
	assert.Empty(t, e.ToolCalls)
	assert.Equal(t, llm.Assistant, e.Role)
}

// TestEveryRowFails fails each read and write of each call once: the call is as if it had not been, and its repetition does what
// it would have done.
func TestEveryRowFails(t *testing.T) {
	for name, call := range map[string]func(w *world, stream chat.StreamID) error{
		"begin": func(w *world, _ chat.StreamID) error {
			w.time = w.time.Add(chat.TurnLease) // it takes over
			_, err := w.Begin(w.Context(), w.s, chat.Opening{Session: "s", Messages: says("x"), Key: "k:h", Keep: chat.Retention{Turns: 2}})
			return err
		},
		"tell":      func(w *world, stream chat.StreamID) error { return w.tell(stream, token(9, "x")) },
		"end":       func(w *world, stream chat.StreamID) error { return w.end(stream, done(9)) },
		"delete":    func(w *world, _ chat.StreamID) error { return w.Delete(w.Context(), w.s, "s") },
		"summarise": func(w *world, _ chat.StreamID) error { return w.Summarise(w.Context(), w.s, "s", 1, "text") },
		"replay": func(w *world, stream chat.StreamID) error {
			w.time = w.time.Add(chat.TurnLease)
			_, err := w.Replay(w.Context(), w.s, stream, 0, 10)
			return err
		},
		"transcript": func(w *world, _ chat.StreamID) error {
			_, err := w.Transcript(w.Context(), w.s, "s", "", 10)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for nth := 1; ; nth++ {
				w := newWorld(t)
				require.NoError(t, w.end(w.begin(chat.Opening{Messages: says(strings.Repeat("x", 400_000))}).Stream, done(1)))
				turn := w.begin(chat.Opening{})
				require.NoError(t, w.tell(turn.Stream, token(1, "x")))
				before, err := w.rows.Range("", "\xff", 100)
				require.NoError(t, err)
				now := w.time

				w.fail = nth
				failed := call(w, turn.Stream)
				w.fail = 0
				if failed == nil {
					require.Greater(t, nth, 2, "every call has a tenant to read, and more")
					return
				}
				assert.True(t, fault.Retryable(failed), "%v", failed)
				after, err := w.rows.Range("", "\xff", 100)
				require.NoError(t, err)
				assert.Equal(t, before, after, "nothing happened")
				w.time = now
				require.NoError(t, call(w, turn.Stream), "call %d", nth)
			}
		})
	}
}

func TestAnAlarmThatFailsChangesNothing(t *testing.T) {
	for nth := 1; ; nth++ {
		w := newWorld(t)
		require.NoError(t, w.end(w.begin(chat.Opening{Keep: chat.Retention{Days: 1}}).Stream, done(1)))
		w.begin(chat.Opening{Keep: chat.Retention{Days: 1}})
		w.time = w.time.Add(25 * time.Hour)
		w.fail = nth
		failed := false
		w.transaction(func(tx rows.Tx) bool {
			_, err := w.book.Wake(tx)
			failed = err != nil
			return err == nil
		})
		w.fail = 0
		if !failed {
			return
		}
		require.Len(t, w.transcript().Messages, 4)
		w.wake()
		_, err := w.Transcript(t.Context(), w.s, "s", "", 10)
		w.refused(err, fault.NotFound, "session_not_found")
	}
}

// TestAChainOfCallsThatNeverEnds has a client bring outcome after outcome: what a turn begins with stays small, and valid.
func TestAChainOfCallsThatNeverEnds(t *testing.T) {
	w := newWorld(t)
	keep := chat.Retention{Turns: 100, WindowTokens: 1000}
	outcome := strings.Repeat("x", 60_000) // 15,000 tokens
	said := says("go on")
	for i := range 40 {
		turn := w.begin(chat.Opening{Messages: said, Keep: keep})
		past := turn.Past.Messages
		assert.Less(t, llm.Estimate(llm.Prompt{Messages: past}), 150_000)
		if i > 0 {
			require.NotEmpty(t, past)
			assert.Equal(t, said[0].ToolCallID, past[len(past)-1].ToolCalls[0].ID, "what is answered is shown")
		}
		for j, m := range past {
			if m.Role == llm.ToolRole {
				require.Positive(t, j)
				assert.Equal(t, m.ToolCallID, past[j-1].ToolCalls[0].ID)
			}
		}
		id := fmt.Sprint("call-", i)
		called := &chat.Outcome{Answer: llm.Message{ToolCalls: []llm.ToolCall{{ID: id, Name: "look", Arguments: "{}"}}}, Finish: llm.FinishTools}
		_, err := w.Tell(t.Context(), w.s, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: called})
		require.NoError(t, err)
		said = []llm.Message{{Role: llm.ToolRole, ToolCallID: id, Content: outcome}}
	}
	assert.Empty(t, w.begin(chat.Opening{Messages: says("and now?"), Keep: keep}).Past.Messages, "the chain is beyond the window")
}
