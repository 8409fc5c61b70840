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
		began := time.Now()
		assert.Equal(t, want, whole(t, drain(t, w.follow(w.acme, live.Stream(), 0))))
		assert.Zero(t, time.Since(began), "what is there is read without a pause")
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

// A reader bears that the session fails to answer now and then.
func TestReplayFailsAtEveryCall(t *testing.T) {
	for at := 2; at <= 12; at++ { // the first is Follow's own
		for _, before := range []bool{true, false} {
			inWorld(t, func(t *testing.T, w *world) {
				w.model.pieces = slowly(20, 100*time.Millisecond)
				fail := func(op string, call int) error {
					if op == "replay" && call >= at && call < at+3 {
						return errors.New("the connection was lost")
					}
					return nil
				}
				if before {
					w.sessions.before = fail
				} else {
					w.sessions.after = fail
				}
				live := w.start(w.acme, w.ask("s", "count"))
				assert.Equal(t, numbers(20), whole(t, drain(t, w.follow(w.acme, live.Stream(), 0))))
				live.Close()
			})
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
			ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
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
		assert.Contains(t, w.log.String(), "answer_too_long")
		assert.NotContains(t, w.log.String(), "xxxx", "what was said is not for the log")
		assert.Equal(t, "answer_too_long", code(t, drain(t, w.follow(w.acme, "s.1", 0))))
		drain(t, w.start(w.globex, w.ask("s", "talk")))
	})
}

// What is our own mistake says nothing about itself to clients, but to the log: of what the session was told, and of what
// a model's answer was made of.
func TestOurOwnMistakes(t *testing.T) {
	for name, fails := range map[string]func(w *world, err error){
		"news, while the model speaks": func(w *world, err error) {
			w.model.pieces = slowly(20, 500*time.Millisecond)
			w.sessions.before = func(op string, call int) error {
				if op == "tell" && call == 1 {
					return err
				}
				return nil
			}
		},
		"the last news": func(w *world, err error) {
			w.sessions.before = func(op string, call int) error {
				if op == "tell" && call == 1 {
					return err
				}
				return nil
			}
		},
		"an answer": func(w *world, _ error) {
			w.model.pieces = append(words("a "), piece{err: fault.New(fault.Internal, "secret_mistake", "row 5 of the secret table", nil)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				fails(w, fault.Invalidf("events", "secret_mistake", "row 5 of the secret table"))
				events := drain(t, w.start(w.acme, w.ask("s", "count")))
				whole(t, events)
				assert.Equal(t, "internal", code(t, events))
				assert.NotContains(t, string(events[len(events)-1].Data), "secret")
				assert.Contains(t, w.log.String(), "secret_mistake")
				w.sessions.before = nil
				again := drain(t, w.follow(w.acme, "s.1", 0))
				assert.Equal(t, events[len(events)-1], again[len(again)-1])
				assert.Equal(t, "internal", w.sessions.outcome().Code)
			})
		})
	}
}

// A turn that is lost before its model has answered says why: its session is gone, or has ended it.
func TestATurnThatIsLostBeforeItsAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		lose func(w *world) error
		code string
	}{
		"deleted": {func(w *world) error { return w.sessions.kept.Delete(w.Context(), w.acme, "s") }, "session_deleted"},
		"ended": {func(w *world) error {
			_, err := w.sessions.kept.Alarm(w.Context(), w.acme)
			return err
		}, "turn_interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.model.gate = func(llm.Order) error {
					time.Sleep(time.Minute)
					return fault.New(fault.Unavailable, "model_busy", "", nil)
				}
				w.sessions.before = func(op string, call int) error {
					if op == "tell" && call <= 12 { // longer than the session waits
						return fault.New(fault.Unavailable, "object_unavailable", "", nil)
					}
					return nil
				}
				time.AfterFunc(chat.TurnLease, func() { assert.NoError(t, test.lose(w)) })
				live := w.start(w.acme, w.ask("s", "hello")) // it did not wait for the model
				assert.Equal(t, test.code, code(t, drain(t, live)))
				time.Sleep(time.Minute) // for the model
			})
		})
	}
}
