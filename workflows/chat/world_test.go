package chat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// world is a chat with all that it needs, in a bubble of time.
type world struct {
	*testing.T
	*chat.Chat
	sessions     *sessions
	model        *model
	shelf        *shelf
	log          *bytes.Buffer
	acme, globex tenants.Scope
}

// inWorld runs a test and requires afterwards that every answer was closed, that the service kept what it owes the session, and
// (as synctest does) that no goroutine is left.
func inWorld(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	inWorldOf(t, nil, f)
}

func inWorldOf(t *testing.T, o *chat.Options, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, sessions: newSessions(), shelf: &shelf{}, log: &bytes.Buffer{}}
		w.model = &model{pieces: words("The ", "answer ", "is ", "42.")}
		w.acme, w.globex = tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")
		opts := chat.Options{Random: &counter{}}
		if o != nil {
			opts = *o
		}
		if opts.Log == nil {
			opts.Log = slog.New(slog.NewTextHandler(w.log, nil))
		}
		w.Chat = chat.New(chat.Ports{Sessions: w.sessions, Summaries: w.sessions, Generator: w.model, Retriever: w.shelf}, &opts)
		f(t, w)
		synctest.Wait()
		assert.Zero(t, w.model.open, "answers that nobody closed")
		assert.Empty(t, w.sessions.mistakes)
	})
}

// counter is randomness that can be told apart.
type counter struct {
	mu sync.Mutex
	n  byte
}

func (c *counter) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range b {
		c.n++
		b[i] = c.n
	}
	return len(b), nil
}

func (w *world) ask(session, message string) chat.Request {
	return chat.Request{Session: session, Messages: []llm.Message{{Role: llm.User, Content: message}}, Models: gpt(w), MaxTokens: 100,
		RequestID: "r-1"}
}

// start begins a turn that must begin.
func (w *world) start(s tenants.Scope, r chat.Request) chat.Live {
	w.Helper()
	live, err := w.Start(w.Context(), s, r)
	require.NoError(w, err)
	return live
}

// drain reads to the end.
func drain(t testing.TB, live chat.Live) []chat.Event {
	t.Helper()
	events, err := read(t.Context(), live, 0)
	require.ErrorIs(t, err, io.EOF)
	return events
}

// read reads so many events, all of them if that is 0, without the silences.
func read(ctx context.Context, live chat.Live, most int) (events []chat.Event, err error) {
	for most == 0 || len(events) < most {
		e, err := live.Next(ctx)
		if err != nil {
			return events, err
		}
		if e.Type != "" {
			events = append(events, e)
		}
	}
	return events, nil
}

// whole requires that events are a turn from its beginning to its one end, and returns its text.
func whole(t testing.TB, events []chat.Event) string {
	t.Helper()
	require.NotEmpty(t, events)
	for i, e := range events {
		assert.Equal(t, i == len(events)-1, e.Type.Final(), "event %d of %d is %s", i, len(events), e.Type)
		if i > 0 {
			assert.Greater(t, e.ID, events[i-1].ID)
		}
	}
	return text(t, events)
}

func text(t testing.TB, events []chat.Event) string {
	t.Helper()
	var b strings.Builder
	for _, e := range events {
		var v struct{ Token string }
		if e.Type == chat.Token {
			require.NoError(t, json.Unmarshal(e.Data, &v), "%s", e.Data)
			b.WriteString(v.Token)
		}
	}
	return b.String()
}

// code is that of the error which ended a turn; "" when it ended well.
func code(t testing.TB, events []chat.Event) string {
	t.Helper()
	var v struct{ Code string }
	require.NotEmpty(t, events)
	last := events[len(events)-1]
	require.True(t, last.Type.Final())
	require.NoError(t, json.Unmarshal(last.Data, &v))
	return v.Code
}

func types(events []chat.Event) (all []chat.EventType) {
	for _, e := range events {
		all = append(all, e.Type)
	}
	return all
}
