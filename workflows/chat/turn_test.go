package chat_test

import (
	"context"
	"errors"
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

// slowly is an answer of so many words, "0 1 2 ", each after a while.
func slowly(n int, after time.Duration) (all []piece) {
	for i := range n {
		all = append(all, piece{Delta: llm.Delta{Text: fmt.Sprint(i, " ")}, after: after})
	}
	return append(all, piece{Delta: llm.Delta{Finish: llm.FinishStop}})
}

// numbers is what such an answer says.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprint(&b, i, " ")
	}
	return b.String()
}

// Wherever a model breaks off or its port panics, what came is kept, the error is told once, and the money is settled.
func TestAModelThatBreaksOffAtEveryPoint(t *testing.T) {
	broken := fault.New(fault.Unavailable, "model_broke_off", "the model broke off", nil).WithRetryAfter(time.Second)
	for _, how := range []struct {
		code string
		piece
	}{{"model_broke_off", piece{err: broken}}, {"internal", piece{err: errors.New("a stranger's")}}, {"internal", piece{panic: true}}} {
		for at := range 5 {
			inWorld(t, func(t *testing.T, w *world) {
				w.model.pieces = append(slowly(4, time.Second)[:at:at], how.piece)
				events := drain(t, w.start(w.acme, w.ask("s", "count")))
				assert.Equal(t, numbers(at), whole(t, events))
				assert.Equal(t, how.code, code(t, events))
				assert.Equal(t, chat.UsageEvent, events[len(events)-2].Type, "what it took is told")
				o := w.sessions.outcome()
				assert.Equal(t, numbers(at), o.Answer.Content)
				assert.Equal(t, how.code, o.Code)
				assert.True(t, o.Usage.Estimated)
				assert.NotZero(t, o.Nanos)
				if how.code == "internal" {
					assert.Contains(t, w.log.String(), "level=ERROR")
					assert.NotContains(t, string(events[len(events)-1].Data), "stranger")
				} else {
					assert.JSONEq(t, `{"code":"model_broke_off","message":"the model broke off","retryAfterMs":1000}`, string(events[len(events)-1].Data))
					assert.Empty(t, w.log.String())
				}
				assert.Equal(t, numbers(at), whole(t, drain(t, w.follow(w.acme, "s.1", 0))))
				w.model.pieces = words("again")
				assert.Equal(t, "again", whole(t, drain(t, w.start(w.acme, w.ask("s", "again")))))
			})
		}
	}
}

// told is the id of the last event that the session has.
func (s *sessions) told() (last int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.news {
		for _, e := range n.Events {
			last = e.ID
		}
	}
	return last
}

// outcome is the one that was told.
func (s *sessions) outcome() chat.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.news {
		if n.Outcome != nil {
			return *n.Outcome
		}
	}
	return chat.Outcome{}
}

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
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
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
		assert.InDelta(t, 28, w.sessions.count("tell"), 3, "each word at once, as the client may come back")
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

// The session may be slow, too: nobody is told more than Ahead events of what it does not have.
func TestASlowSession(t *testing.T) {
	many, large := slowly(3*chat.Ahead, 0), slowly(60, 0)
	for i := range 60 {
		large[i].Text = strings.Repeat("x", 10_000)
	}
	slowSession(t, many, numbers(3*chat.Ahead))
	slowSession(t, large, strings.Repeat("x", 600_000))
}

func slowSession(t *testing.T, pieces []piece, want string) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.pieces = pieces
		w.sessions.before = func(op string, _ int) error {
			if op == "tell" {
				time.Sleep(4 * time.Second)
			}
			return nil
		}
		live := w.start(w.acme, w.ask("s", "count"))
		var events []chat.Event
		for {
			e, err := live.Next(t.Context())
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			assert.Less(t, e.ID-w.sessions.told(), chat.Ahead)
			events = append(events, e)
		}
		assert.Equal(t, want, whole(t, events))
	})
}

// Every call of Tell fails once, before or after it had its effect; nothing is lost and nothing is doubled.
func TestTellFailsAtEveryCall(t *testing.T) {
	lost := errors.New("the connection was lost")
	for _, leaves := range []bool{false, true} {
		for at := 1; at <= 8; at++ {
			for _, before := range []bool{true, false} {
				inWorld(t, func(t *testing.T, w *world) {
					w.model.pieces = slowly(20, 500*time.Millisecond)
					fail := func(op string, call int) error {
						if op == "tell" && call == at {
							return lost
						}
						return nil
					}
					if before {
						w.sessions.before = fail
					} else {
						w.sessions.after = fail
					}
					live := w.start(w.acme, w.ask("s", "count"))
					events, err := read(t.Context(), live, 5)
					require.NoError(t, err)
					if leaves {
						live.Close()
						live = w.follow(w.acme, live.Stream(), events[4].ID)
					}
					assert.Equal(t, numbers(20), whole(t, append(events, drain(t, live)...)))
					assert.Equal(t, numbers(20), whole(t, drain(t, w.follow(w.acme, "s.1", 0))))
					assert.Equal(t, numbers(20), w.sessions.outcome().Answer.Content)
					assert.Empty(t, code(t, drain(t, w.follow(w.acme, "s.1", 0))))
				})
			}
		}
	}
}

// The owner dies at every call that it makes of anybody: whoever follows gets what was told, once, and one end, also the client
// that had seen more. When the owner wakes up after that, it changes nothing.
func TestTheOwnerDiesAtEveryPoint(t *testing.T) {
	for at := 1; at <= 12; at++ {
		for _, before := range []bool{true, false} {
			inWorld(t, func(t *testing.T, w *world) {
				w.model.pieces = slowly(20, 500*time.Millisecond)
				dead := make(chan struct{})
				die := func(op string, call int) error {
					if op == "tell" && call >= at {
						<-dead
						return errors.New("the isolate is gone")
					}
					return nil
				}
				if before {
					w.sessions.before = die
				} else {
					w.sessions.after = die
				}
				live := w.start(w.acme, w.ask("s", "count"))
				seen, err := read(t.Context(), live, 3)
				require.NoError(t, err)

				follower := w.follow(w.acme, live.Stream(), seen[2].ID)
				rest := drain(t, follower)
				fromSession := drain(t, w.follow(w.acme, live.Stream(), 0))
				told := whole(t, fromSession)
				assert.True(t, strings.HasPrefix(numbers(20), told), told)
				assert.Equal(t, max(told, text(t, seen)), text(t, seen)+text(t, rest))
				whole(t, append(seen, rest...))
				if told != numbers(20) {
					assert.Equal(t, "turn_interrupted", code(t, fromSession))
				}

				close(dead)
				synctest.Wait()
				time.Sleep(time.Minute)
				assert.Equal(t, fromSession, drain(t, w.follow(w.acme, live.Stream(), 0)), "the end stays what it was")
				drained, err := read(t.Context(), live, 0)
				require.ErrorIs(t, err, io.EOF)
				assert.Equal(t, fromSession[len(fromSession)-1], drained[len(drained)-1], "also for the client that had stayed")
			})
		}
	}
}

// The owner may die before the client has heard anything. The session is free again when the lease is over.
func TestTheOwnerDiesBeforeTheModelAnswers(t *testing.T) {
	for _, at := range []string{"begin", "generate"} {
		inWorld(t, func(t *testing.T, w *world) {
			dead := make(chan struct{})
			w.sessions.after = func(op string, call int) error {
				if at == "begin" && op == "begin" && call == 1 || op == "tell" && call < 10 {
					<-dead
				}
				return nil
			}
			w.model.gate = func(llm.Order) error {
				if len(w.model.orders) == 1 && at == "generate" {
					<-dead
				}
				return nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			r := w.ask("s", "hello")
			r.Key = "key:hash"
			_, err := w.Start(ctx, w.acme, r)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			_, err = w.Start(t.Context(), w.acme, w.ask("s", "another"))
			assert.Equal(t, "turn_in_progress", fault.As(err).Code)
			assert.Equal(t, "turn_interrupted", code(t, drain(t, w.start(w.acme, r))))
			close(dead)
			synctest.Wait()
			w.sessions.after, w.model.gate = nil, nil
			assert.Equal(t, "The answer is 42.", whole(t, drain(t, w.start(w.acme, w.ask("s", "another")))))
			assert.Equal(t, "turn_interrupted", code(t, drain(t, w.follow(w.acme, "s.1", 0))))
		})
	}
}

// A session that is deleted takes its turn with it.
func TestTheSessionIsDeleted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.pieces = slowly(20, 500*time.Millisecond)
		live := w.start(w.acme, w.ask("s", "count"))
		seen, err := read(t.Context(), live, 3)
		require.NoError(t, err)
		follower := w.follow(w.acme, live.Stream(), 0)
		require.Error(t, w.sessions.Delete(t.Context(), w.globex, "s"))
		require.NoError(t, w.sessions.Delete(t.Context(), w.acme, "s"))
		rest := drain(t, live)
		whole(t, append(seen, rest...))
		assert.Equal(t, "session_deleted", code(t, rest))
		assert.Equal(t, "session_deleted", code(t, drain(t, follower)))
		_, err = w.Follow(t.Context(), w.acme, live.Stream(), 0)
		assert.Equal(t, "stream_not_found", fault.As(err).Code)
	})
}

// A session that never answers does not keep a turn for ever. Its client gets an error and no end: it may come back.
func TestASessionThatDoesNotAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.pieces = slowly(200, 500*time.Millisecond)
		live := w.start(w.acme, w.ask("s", "count"))
		away := true
		w.sessions.before = func(op string, _ int) error {
			if away && op != "begin" {
				return fault.Unavailablef(nil, "object_unavailable", "the session does not answer")
			}
			return nil
		}
		events, err := read(t.Context(), live, 0)
		require.Equal(t, "object_unavailable", fault.As(err).Code)
		assert.NotEmpty(t, text(t, events))
		assert.False(t, events[len(events)-1].Type.Final())
		assert.Contains(t, w.log.String(), "the session was not told")
		away = false
		rest := drain(t, w.follow(w.acme, live.Stream(), events[len(events)-1].ID))
		assert.Equal(t, "turn_interrupted", code(t, rest))
	})
}

// The session has no room for an answer that long.
func TestAnAnswerThatIsTooLong(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.pieces = nil
		for i := range 200 {
			w.model.pieces = append(w.model.pieces, piece{Delta: llm.Delta{Text: fmt.Sprint(i, strings.Repeat("x", 10_000))}, after: 50 * time.Millisecond})
		}
		events := drain(t, w.start(w.acme, w.ask("s", "talk")))
		whole(t, events)
		assert.Equal(t, "answer_too_long", code(t, events))
		assert.Equal(t, "answer_too_long", code(t, drain(t, w.follow(w.acme, "s.1", 0))))
		drain(t, w.start(w.globex, w.ask("s", "talk")))
	})
}
