package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/workflows/chat"
)

// sse is one event as a client reads it.
type sse struct {
	ID    int
	Event string
	Data  string
}

// parse reads a stream. Comments and hints are not events.
func parse(t testing.TB, body string) []sse {
	t.Helper()
	var events []sse
	for block := range strings.SplitSeq(body, "\n\n") {
		if block == "" || block[0] == ':' || strings.HasPrefix(block, "retry: ") {
			continue
		}
		lines := strings.Split(block, "\n")
		require.Len(t, lines, 3, block)
		id, err := strconv.Atoi(strings.TrimPrefix(lines[0], "id: "))
		require.NoError(t, err, block)
		event, isEvent := strings.CutPrefix(lines[1], "event: ")
		data, isData := strings.CutPrefix(lines[2], "data: ")
		require.True(t, isEvent && isData, block)
		events = append(events, sse{id, event, data})
	}
	return events
}

// whole requires that events are a turn to its one end, and returns what they say.
func whole(t testing.TB, events []sse) string {
	t.Helper()
	require.NotEmpty(t, events)
	var said strings.Builder
	for i, e := range events {
		assert.Equal(t, i == len(events)-1, e.Event == "done" || e.Event == "error", "%d of %d: %+v", i, len(events), e)
		if i > 0 {
			assert.Greater(t, e.ID, events[i-1].ID)
		}
		if e.Event == "token" {
			var token struct{ Token string }
			require.NoError(t, json.Unmarshal([]byte(e.Data), &token))
			said.WriteString(token.Token)
		}
	}
	return said.String()
}

// client is the other end of a connection, which may leave.
type client struct {
	header http.Header
	status int
	writes []string
	leave  func(written string) bool // after each write
	left   bool
}

func (c *client) Header() http.Header { return c.header }
func (c *client) WriteHeader(s int)   { c.status = s }
func (c *client) Flush()              {}
func (c *client) Write(b []byte) (int, error) {
	if c.left {
		return 0, errors.New("nobody reads")
	}
	c.writes = append(c.writes, string(b))
	c.left = c.leave != nil && c.leave(string(b))
	return len(b), nil
}

func (c *client) body() string { return strings.Join(c.writes, "") }

// slowly is a message whose answer takes a second for each of its words but the first.
func slowly(words ...string) string {
	script, err := json.Marshal(map[string]any{"script": map[string]any{"tokens": words, "delayMs": 1000}})
	if err != nil {
		panic(err)
	}
	return string(script)
}

func ask(session, message string) string {
	body, err := json.Marshal(map[string]any{"sessionId": session, "message": message})
	if err != nil {
		panic(err)
	}
	return string(body)
}

func TestAClientThatLeavesCanComeBack(t *testing.T) {
	for name, leaves := range map[string]func(w *world) *client{
		"the connection ends": func(w *world) *client {
			c := &client{header: http.Header{}}
			ctx, leave := context.WithCancel(w.t.Context())
			time.AfterFunc(1500*time.Millisecond, leave)
			w.ServeHTTP(c, w.request("acme", "POST", "/chat", ask("s1", slowly("One ", "two ", "three ", "four."))).WithContext(ctx))
			return c
		},
		"nobody reads": func(w *world) *client {
			c := &client{header: http.Header{}, leave: func(s string) bool { return strings.Contains(s, "two") }}
			w.ServeHTTP(c, w.request("acme", "POST", "/chat", ask("s1", slowly("One ", "two ", "three ", "four."))))
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				c := leaves(w)
				seen := parse(t, c.body())
				require.Equal(t, `{"token":"two "}`, seen[len(seen)-1].Data)
				assert.Equal(t, "s1.1", c.header.Get("X-Stream-Id"))
				assert.Contains(t, w.log.String(), `"code":"client_closed_request"`)

				busy := w.do("acme", "POST", "/chat", ask("s1", "Hello"))
				assert.Equal(t, 409, busy.Code, "the turn goes on")
				assert.Equal(t, "turn_in_progress", failed(t, busy).Code)
				assert.Contains(t, busy.Body.String(), `"streamId":"s1.1"`)
				assert.Equal(t, 404, w.do("globex", "GET", "/chat/streams/s1.1", "").Code)

				rec := w.do("acme", "GET", "/chat/streams/s1.1", "", "last-event-id", strconv.Itoa(seen[len(seen)-1].ID))
				assert.Equal(t, 200, rec.Code)
				assert.Equal(t, "One two three four.", whole(t, append(seen, parse(t, rec.Body.String())...)), "every word once")

				rec = w.do("acme", "POST", "/chat", ask("s1", "Hello"))
				assert.Equal(t, "Hello", whole(t, parse(t, rec.Body.String())), "the session is free again")
				synctest.Wait()
				w.gate.Check(t)
				assert.NotContains(t, w.log.String(), `"ERROR"`)
			})
		})
	}
}

func TestATurnGoesOnWithoutWhoWaitsForItsEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, leave)
		body := strings.Replace(ask("s1", slowly("One ", "two ", "three.")), "{", `{"stream":false,`, 1)
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, w.request("acme", "POST", "/chat", body).WithContext(ctx))
		assert.Equal(t, 499, rec.Code)
		assert.Equal(t, "One two three.", whole(t, parse(t, w.do("acme", "GET", "/chat/streams/s1.1", "").Body.String())))
	})
}

func TestADeletedSessionEndsItsTurn(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for _, stream := range []string{"true", "false"} {
			answer := make(chan *client)
			go func() {
				c := &client{header: http.Header{}}
				w.ServeHTTP(c, w.request("acme", "POST", "/chat", strings.Replace(ask("s1", slowly("One ", "two ", "three.")), "{", `{"stream":`+stream+`,`, 1)))
				answer <- c
			}()
			time.Sleep(500 * time.Millisecond)
			assert.Equal(t, 404, w.do("globex", "DELETE", "/sessions/s1", "").Code)
			assert.Equal(t, 200, w.do("acme", "DELETE", "/sessions/s1", "").Code)
			c := <-answer
			assert.Contains(t, c.body(), `"code":"session_deleted"`)
			if stream == "true" {
				events := parse(t, c.body())
				whole(t, events)
				assert.Equal(t, "error", events[len(events)-1].Event)
			} else {
				assert.Equal(t, 409, c.status)
			}
			assert.Equal(t, 404, w.do("acme", "GET", "/chat/streams/s1.1", "").Code)
		}
		synctest.Wait()
		w.gate.Check(t)
	})
}

func TestEventsLeaveAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		began := time.Now()
		var at []time.Duration
		c := &client{header: http.Header{}, leave: func(string) bool {
			at = append(at, time.Since(began))
			return false
		}}
		w.ServeHTTP(c, w.request("acme", "POST", "/chat", ask("s1", slowly("One ", "two."))))
		assert.Equal(t, 200, c.status)
		require.GreaterOrEqual(t, len(c.writes), 2)
		assert.Contains(t, c.writes[0], "retry: ")
		assert.Zero(t, at[0])
		assert.Equal(t, time.Second, at[len(at)-1])
		assert.Contains(t, strings.Join(c.writes[1:], ""), "two.")
	})
}

func TestSilenceIsBroken(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		script := `{"script":{"tokens":["One ","two."],"delayMs":40000}}`
		body := w.do("acme", "POST", "/chat", ask("s1", script)).Body.String()
		assert.Equal(t, 2, strings.Count(body, ":\n\n"), "a comment every 15 s")
		assert.Equal(t, "One two.", whole(t, parse(t, body)))
	})
}

// Many events at once go out in few writes; nothing waits for more to come.
func TestEventsThatAreThereGoOutTogether(t *testing.T) {
	l := &lines{events: make([]chat.Event, 1000)}
	for i := range l.events {
		l.events[i] = chat.Event{ID: i + 1, Type: chat.Token, Data: json.RawMessage("{\"token\":\n\"x\"}")}
	}
	l.events[999] = chat.Event{ID: 1000, Type: chat.Done, Data: json.RawMessage(`{"usage":{"promptTokens":1,"completionTokens":1},"finishReason":"stop","sessionId":"s","streamId":"s.1","model":"m"}`)}
	w := newWorld(t, func(w *world) { w.deps.Chat = l })
	c := &client{header: http.Header{}}
	w.ServeHTTP(c, w.request("acme", "POST", "/chat", ask("", "Hello")))
	assert.Equal(t, strings.Repeat("x", 999), whole(t, parse(t, c.body())), "each is one line")
	assert.Less(t, len(c.writes), 10)
	assert.True(t, l.closed)
}

// A stream that cannot be told to its end has none, so that the client comes back.
func TestAStreamThatBreaksHasNoEnd(t *testing.T) {
	l := &lines{events: []chat.Event{{ID: 1, Type: chat.Token, Data: json.RawMessage(`{"token":"x"}`)}}, err: errors.New("a secret of the session")}
	w := newWorld(t, func(w *world) { w.deps.Chat = l })
	for _, r := range []*http.Request{
		w.request("acme", "POST", "/chat", ask("", "Hello")), w.request("acme", "GET", "/chat/streams/s.1", ""),
	} {
		c := &client{header: http.Header{}}
		l.next, l.closed = 0, false
		assert.PanicsWithValue(t, http.ErrAbortHandler, func() { w.ServeHTTP(c, r) })
		assert.Equal(t, 200, c.status)
		assert.Len(t, parse(t, c.body()), 1)
		assert.NotContains(t, c.body(), "secret")
		assert.Contains(t, w.log.String(), "a secret of the session", "operators see it")
		assert.True(t, l.closed)
		w.log.Reset()
	}
}

// lines is a conversation whose only turn is written down.
type lines struct {
	events []chat.Event
	err    error // at the end of them
	next   int
	closed bool
}

var _ chat.Conversation = (*lines)(nil)

func (l *lines) Start(context.Context, tenants.Scope, chat.Request) (chat.Live, error) { return l, nil }

func (l *lines) Follow(context.Context, tenants.Scope, chat.StreamID, int) (chat.Live, error) {
	return l, nil
}

func (l *lines) Stream() chat.StreamID { return "s.1" }
func (l *lines) Ready() bool           { return l.next < len(l.events) }
func (l *lines) Close()                { l.closed = true }
func (l *lines) Next(context.Context) (chat.Event, error) {
	if l.Ready() {
		l.next++
		return l.events[l.next-1], nil
	}
	if l.err != nil {
		return chat.Event{}, l.err
	}
	return chat.Event{}, io.EOF
}

func TestManyClientsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.opts.Now = time.Now })
		const clients = 50
		bodies := make(chan string, clients)
		for i := range clients {
			r := w.request([]string{"acme", "globex"}[i%2], "POST", "/chat", ask("s"+strconv.Itoa(i/2), slowly("One ", "two ", strconv.Itoa(i))))
			go func() {
				c := &client{header: http.Header{}}
				w.ServeHTTP(c, r)
				bodies <- c.body()
			}()
		}
		seen := map[string]bool{}
		for range clients {
			seen[whole(t, parse(t, <-bodies))] = true
		}
		assert.Len(t, seen, clients, "everybody got their own")
		synctest.Wait()
		w.gate.Check(t)
	})
}
