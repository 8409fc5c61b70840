package chat_test

import (
	"errors"
	"fmt"
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

// Where nothing can be caught any more the session ends the turn, and its client is told.
func TestPortsThatPanic(t *testing.T) {
	for _, where := range []string{"begin", "generate", "tell", "spent"} {
		inWorld(t, func(t *testing.T, w *world) {
			broken := func() { panic("broken " + where) }
			w.sessions.before = func(op string, call int) error {
				if op == where && call == 1 {
					broken()
				}
				return nil
			}
			w.model.gate = func(llm.Order) error {
				if where == "generate" {
					broken()
				}
				return nil
			}
			w.model.spent = func() {
				if where == "spent" {
					broken()
				}
			}
			live, err := w.Start(t.Context(), w.acme, w.ask("s", "hello"))
			if where == "begin" || where == "generate" {
				assert.Equal(t, "internal", fault.As(err).Code)
			} else {
				require.NoError(t, err)
				events := drain(t, live)
				whole(t, events)
				assert.Equal(t, "turn_interrupted", code(t, events))
			}
			if where != "generate" { // after which the session is free at once
				synctest.Wait()
			}
			w.sessions.before, w.model.gate, w.model.spent = nil, nil, func() {}
			assert.Equal(t, "The answer is 42.", whole(t, drain(t, w.start(w.acme, w.ask("s", "hello")))))
			synctest.Wait()
			assert.Contains(t, w.log.String(), "broken "+where)
		})
	}
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
