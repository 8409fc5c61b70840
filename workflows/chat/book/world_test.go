package book_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/chat/book"
	"levada.dev/workflows/llm"
)

// world is one session's object: its rows, its book, and a clock that only the test moves.
type world struct {
	testing.TB
	*book.Client
	s    tenants.Scope
	rows *rows.Memory
	book *book.Book
	time time.Time
	fail int // the rows fail at the call of this number, from 1; 0 is never
}

func newWorld(t testing.TB) *world {
	w := &world{TB: t, s: tenantstest.Scope(t, "acme"), rows: rows.NewMemory(), time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	w.Client = book.NewClient(w.call)
	w.crash()
	return w
}

// crash forgets what is not in rows.
func (w *world) crash() { w.book = book.New(func() time.Time { return w.time }) }

func (w *world) call(_ context.Context, _ tenants.Scope, _ []string, method string, body []byte) (reply []byte, err error) {
	w.transaction(func(tx rows.Tx) bool {
		var commit bool
		reply, commit = w.book.Call(tx, method, body)
		return commit
	})
	return reply, nil
}

func (w *world) transaction(f func(tx rows.Tx) bool) {
	tx := w.rows.Begin()
	if f(&flaky{Tx: tx, left: w.fail}) {
		tx.Commit()
	}
}

// flaky is rows that fail once.
type flaky struct {
	rows.Tx
	left   int
	ranges int
}

var errDisk = errors.New("the disk is gone")

func (f *flaky) count() error {
	if f.left--; f.left == 0 {
		return errDisk
	}
	return nil
}

func (f *flaky) Get(key string) ([]byte, error) {
	if err := f.count(); err != nil {
		return nil, err
	}
	return f.Tx.Get(key)
}

func (f *flaky) Put(key string, value []byte) error {
	if err := f.count(); err != nil {
		return err
	}
	return f.Tx.Put(key, value)
}

func (f *flaky) Delete(key string) error {
	if err := f.count(); err != nil {
		return err
	}
	return f.Tx.Delete(key)
}

func (f *flaky) Scan(prefix string, limit int) ([]rows.Row, error) {
	if err := f.count(); err != nil {
		return nil, err
	}
	return f.Tx.Scan(prefix, limit)
}

func (f *flaky) Range(from, to string, limit int) ([]rows.Row, error) {
	f.ranges++
	if err := f.count(); err != nil {
		return nil, err
	}
	return f.Tx.Range(from, to, limit)
}

// wake is the alarm.
func (w *world) wake() (due book.Due) {
	w.Helper()
	w.transaction(func(tx rows.Tx) bool {
		var err error
		due, err = w.book.Wake(tx)
		require.NoError(w, err)
		return true
	})
	return due
}

// note is what the shelf has not been told.
func (w *world) note() (book.Note, bool) {
	w.Helper()
	s, n, due, err := w.book.Note(w.rows)
	require.NoError(w, err)
	if due {
		assert.Equal(w, w.s, s)
	}
	return n, due
}

// facts are what waits in the outbox.
func (w *world) facts() (all []events.ChatCompleted) {
	w.Helper()
	pending, err := outbox.Pending(w.rows, 100)
	require.NoError(w, err)
	for _, p := range pending {
		require.NoError(w, p.Err)
		var f events.ChatCompleted
		require.NoError(w, p.Event.As(&f))
		assert.Equal(w, w.s.Tenant(), p.Event.Tenant)
		all = append(all, f)
	}
	return all
}

// send empties the outbox.
func (w *world) send() {
	w.Helper()
	pending, err := outbox.Pending(w.rows, 100)
	require.NoError(w, err)
	for _, p := range pending {
		require.NoError(w, outbox.Sent(w.rows, []string{p.ID}))
	}
}

func (w *world) begin(o chat.Opening) chat.Turn {
	w.Helper()
	if o.Session == "" {
		o.Session = "s"
	}
	if o.Messages == nil {
		o.Messages = says("Hello")
	}
	turn, err := w.Begin(w.Context(), w.s, o)
	require.NoError(w, err)
	return turn
}

func (w *world) tell(stream chat.StreamID, evs ...chat.Event) error {
	_, err := w.Tell(w.Context(), w.s, chat.News{Stream: stream, Events: evs})
	return err
}

func (w *world) end(stream chat.StreamID, evs ...chat.Event) error {
	_, err := w.Tell(w.Context(), w.s, chat.News{Stream: stream, Events: evs, Outcome: reply("Hi")})
	return err
}

func (w *world) replay(stream chat.StreamID, after int) chat.Replay {
	w.Helper()
	r, err := w.Replay(w.Context(), w.s, stream, after, book.MaxReplay)
	require.NoError(w, err)
	return r
}

func (w *world) transcript() chat.Transcript {
	w.Helper()
	out, err := w.Transcript(w.Context(), w.s, "s", "", 1000)
	require.NoError(w, err)
	return out
}

func (w *world) refused(err error, kind fault.Kind, code string) {
	w.Helper()
	require.Error(w, err)
	assert.Equal(w, kind, fault.KindOf(err), "%v", err)
	assert.Equal(w, code, fault.As(err).Code)
}

func says(text string) []llm.Message { return []llm.Message{{Role: llm.User, Content: text}} }

func token(id int, text string) chat.Event {
	return event(id, chat.Token, map[string]string{"token": text})
}

func done(id int) chat.Event { return event(id, chat.Done, map[string]string{"finishReason": "stop"}) }

func event(id int, typ chat.EventType, data any) chat.Event {
	b, err := json.Marshal(data)
	if err != nil {
		panic(err) // strings always encode
	}
	return chat.Event{ID: id, Type: typ, Data: b}
}

func reply(text string) *chat.Outcome {
	return &chat.Outcome{
		Answer: llm.Message{Role: llm.Assistant, Content: text}, Model: "model", Finish: llm.FinishStop, Nanos: 12,
		Usage: llm.Usage{Prompt: 5, Completion: 7, Cached: 2}, LogID: "log",
	}
}
