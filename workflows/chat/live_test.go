package chat_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// Wherever the client leaves, and however, the turn goes on, and who comes back misses nothing and gets nothing twice.
func TestAClientThatLeavesAtEveryEvent(t *testing.T) {
	for _, pace := range []time.Duration{0, 10 * time.Millisecond, 700 * time.Millisecond} {
		for seen := range 13 {
			for _, closes := range []bool{true, false} {
				inWorld(t, func(t *testing.T, w *world) {
					w.model.pieces = slowly(10, pace)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					live, err := w.Start(ctx, w.acme, w.ask("s", "count"))
					require.NoError(t, err)
					var events []chat.Event
					if seen > 0 {
						if events, err = read(ctx, live, seen); err != nil {
							require.ErrorIs(t, err, io.EOF)
						}
					}
					if closes {
						live.Close()
					} else {
						cancel()
					}
					last := 0
					if len(events) > 0 {
						last = events[len(events)-1].ID
					}
					rest := drain(t, w.follow(w.acme, live.Stream(), last))
					assert.Equal(t, numbers(10), whole(t, append(events, rest...)))
				})
			}
		}
	}
}

// A client may leave while Start still waits; the repetition of its request finds the turn.
func TestAClientThatLeavesBeforeTheTurnHasBegun(t *testing.T) {
	for _, wait := range []string{"begin", "generate"} {
		inWorld(t, func(t *testing.T, w *world) {
			slow := func() { time.Sleep(3 * time.Second) }
			w.sessions.before = func(op string, call int) error {
				if op == wait && call == 1 {
					slow()
				}
				return nil
			}
			w.model.gate = func(llm.Order) error {
				if wait == "generate" {
					slow()
				}
				return nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
			defer cancel()
			r := w.ask("", "hello")
			r.Key = "key:hash"
			_, err := w.Start(ctx, w.acme, r)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			time.Sleep(3 * time.Second)
			assert.Equal(t, "The answer is 42.", whole(t, drain(t, w.start(w.acme, r))))
			assert.Len(t, w.model.orders, 1)
		})
	}
}

// Without its client a turn goes on for a while, and then ends by itself.
func TestATurnIsAbandoned(t *testing.T) {
	abandon(t, func(live chat.Live, _ func()) { live.Close() })
	abandon(t, func(_ chat.Live, cancel func()) { cancel() })
}

func abandon(t *testing.T, leave func(live chat.Live, cancel func())) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.pieces = slowly(100, time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		live, err := w.Start(ctx, w.acme, w.ask("s", "count"))
		require.NoError(t, err)
		_, err = read(t.Context(), live, 5)
		require.NoError(t, err)
		leave(live, cancel)
		synctest.Wait()
		assert.Equal(t, 5, w.sessions.told(), "what the client has seen is told at once")
		time.Sleep(25 * time.Second)
		synctest.Wait()
		o := w.sessions.outcome()
		assert.Equal(t, "turn_abandoned", o.Code)
		assert.InDelta(t, 16, w.sessions.count("tell"), 2, "what the client has seen at once, then every two seconds: nobody follows")
		assert.True(t, o.Usage.Estimated)
		said := len(strings.Fields(o.Answer.Content))
		assert.InDelta(t, 30, said, 1, "25 s after the client left")
		events := drain(t, w.follow(w.acme, live.Stream(), 0))
		assert.Equal(t, numbers(said), whole(t, events))
		assert.Equal(t, "turn_abandoned", code(t, events))
		_, err = live.Next(t.Context())
		assert.ErrorIs(t, err, context.Canceled)
	})
}

// A client that is slower than the model gets tokens joined; one that is far slower reads them from the session. Either
// way it gets all of them, once, and holds up nobody.
func TestASlowClient(t *testing.T) {
	for _, n := range []int{100, 3_000} {
		inWorld(t, func(t *testing.T, w *world) {
			page := strings.Repeat("x", 150)
			w.model.pieces = nil
			var all strings.Builder
			for i := range n {
				w.model.pieces = append(w.model.pieces, piece{Delta: llm.Delta{Text: fmt.Sprint(i, page)}, after: 2 * time.Millisecond})
				all.WriteString(fmt.Sprint(i, page))
			}
			w.model.pieces = append(w.model.pieces, piece{Delta: llm.Delta{Finish: llm.FinishStop}})
			live := w.start(w.acme, w.ask("s", "talk"))
			var events []chat.Event
			for {
				e, err := live.Next(t.Context())
				if err == io.EOF {
					break
				}
				require.NoError(t, err)
				if e.Type != "" {
					events = append(events, e)
				}
				time.Sleep(900 * time.Millisecond)
			}
			assert.Equal(t, all.String(), whole(t, events))
			assert.Less(t, len(events), n/2)
			assert.Equal(t, n > 2_000, w.sessions.count("replay") > 0, "whether it was too slow")
		})
	}
}

// A model that thinks is waited for in the stream: the client knows its stream, sees its sources and that the turn lives,
// and a refusal that late is an event.
func TestAModelThatThinks(t *testing.T) {
	for name, test := range map[string]struct {
		refusal error
		end     string
	}{
		"and answers": {nil, ""},
		"and refuses": {fault.New(fault.Unavailable, "model_busy", "busy", nil), "model_busy"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.model.gate = func(llm.Order) error {
					time.Sleep(20 * time.Second)
					return test.refusal
				}
				r := w.ask("s", "think")
				r.Grounding = &chat.Grounding{TopK: 1}
				began := time.Now()
				live := w.start(w.acme, r)
				assert.Equal(t, time.Second, time.Since(began))
				assert.Equal(t, chat.StreamID("s.1"), live.Stream())
				first, err := live.Next(t.Context())
				require.NoError(t, err)
				assert.Equal(t, chat.Sources, first.Type)
				silence, err := live.Next(t.Context())
				require.NoError(t, err)
				assert.Empty(t, silence.Type, "a sign of life")
				assert.Equal(t, 16*time.Second, time.Since(began))
				events := drain(t, live)
				if test.end == "" {
					assert.Equal(t, "The answer is 42.", text(t, events))
					return
				}
				assert.Equal(t, test.end, code(t, events))
				assert.Equal(t, test.end, w.sessions.outcome().Code)
			})
		})
	}
}
