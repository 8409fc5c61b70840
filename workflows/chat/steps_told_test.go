package chat_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools/toolstest"
)

var errAway = fault.Unavailablef(nil, "object_unavailable", "the session is away")

// What a tool may have done, the session knows of before it is done: whoever runs the turn may die at once.
func TestTheSessionKnowsOfACallBeforeItIsMade(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			live, err := w.Start(t.Context(), s, w.ask(s, script(step("One.", `held {"text":"x"}`), step("Two."))))
			require.NoError(t, err)
			<-w.Entered()
			kept, err := w.sessions.Replay(t.Context(), s, live.Stream(), 0, 100)
			require.NoError(t, err)
			assert.Equal(t, []chat.EventType{chat.Token, chat.ToolCalled}, types(kept.Events))
			w.Let()
			assert.Equal(t, "One.\n\nTwo.", whole(t, drain(t, live)))
		}
	})
}

// Whoever runs a turn is not heard of any more, from one of its calls of the session on. The same request sent again when the session has ended the
// turn: where a tool may have run it is told the end and calls nothing; where none has it is answered. So the tool writes once or, before it was
// told, not at all.
func TestARequestIsRepeatedWhoseTurnDied(t *testing.T) {
	for at := range 4 {
		inShop(t, func(t *testing.T, w *shop) {
			for _, s := range []tenants.Scope{w.acme, w.globex} {
				told, dead := 0, false
				w.sessions.Before = func(op string) error {
					if op == "tell" || op == "end" {
						told++
						dead = dead || told > at
					}
					if dead {
						return errAway
					}
					return nil
				}
				r := w.ask(s, script(step("One.", `writer {"text":"x"}`), step("Two.", `writer {"text":"y"}`), step("Three.")))
				r.Key = "key:hash"
				live, err := w.Start(t.Context(), s, r)
				require.NoError(t, err)
				defer live.Close()
				time.Sleep(chat.TurnLease + 5*time.Second)
				done := min(at, 2) // one step is told before each of the first two calls
				assert.Equal(t, done, w.Writes(s), "what nobody knows of is not done")
				w.sessions.Before = nil
				_, _ = w.sessions.Alarm(t.Context(), s)
				again, err := w.Start(t.Context(), s, r)
				require.NoError(t, err)
				events := drain(t, again)
				answered := at == 0 || at == 3 // it was not begun, or went well
				assert.Equal(t, answered, code(t, events) == "", "%v", code(t, events))
				if at > 0 {
					assert.Equal(t, live.Stream(), again.Stream())
				}
				if answered {
					done = 2
				}
				time.Sleep(time.Minute) // the first owner is still there, and comes back
				synctest.Wait()
				assert.Equal(t, done, w.Writes(s))
				assert.Equal(t, events, drain(t, must(w.Start(t.Context(), s, r))), "and the next time the same")
				assert.Equal(t, done, w.Writes(s))
				answers := 0
				script, err := w.sessions.Transcript(t.Context(), s, "s", "", 100)
				require.NoError(t, err)
				for _, m := range script.Messages {
					if m.Content == "Three." {
						answers++
					}
				}
				assert.Equal(t, map[bool]int{true: 1}[answered], answers)
			}
		})
	}
}

func must(live chat.Live, err error) chat.Live {
	if err != nil {
		panic(err)
	}
	return live
}

// A session that ends and begins anew under its name has turns of the same names: what they call is not what was called before.
func TestASessionThatBeginsAnewCallsAnew(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			for i := range 2 {
				live, err := w.Start(t.Context(), s, w.ask(s, script(step("", fmt.Sprintf(`writer {"text":"%d"}`, i)), step("Done."))))
				require.NoError(t, err)
				assert.Equal(t, chat.StreamID("s.1"), live.Stream())
				for _, r := range came(t, drain(t, live)) {
					assert.True(t, r.OK, r.Content)
				}
				require.NoError(t, w.sessions.Delete(t.Context(), s, "s"))
				_, err = w.sessions.Relay(t.Context(), s, &toolstest.Records{})
				require.NoError(t, err)
				time.Sleep(chat.ReplayLife + time.Minute)
				_, err = w.sessions.Alarm(t.Context(), s)
				require.NoError(t, err)
			}
			assert.Equal(t, 2, w.Writes(s))
		}
	})
}

// A session that is deleted while a tool of its turn runs ends the turn. What the tool does under its key it does to its end, once; the model is not
// asked again, and the session that begins anew knows nothing of it.
func TestASessionIsDeletedWhileAToolRuns(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			live, err := w.Start(t.Context(), s, w.ask(s, script(step("One.", `held {"text":"x"}`), step("Never."))))
			require.NoError(t, err)
			<-w.Entered()
			asked := len(w.purse.model.Calls())
			require.NoError(t, w.sessions.Delete(t.Context(), s, "s"))
			time.AfterFunc(6*time.Second, w.Let)
			events := drain(t, live)
			assert.Equal(t, "session_deleted", code(t, events))
			assert.Equal(t, "One.", whole(t, events))
			assert.Len(t, w.purse.model.Calls(), asked)
			next := w.turn(s, scripted(t, "s", `{"tokens":["Anew."]}`))
			assert.Equal(t, "Anew.", whole(t, next))
			shown := w.purse.model.Calls()[asked].Prompt.Messages
			assert.Equal(t, []llm.Role{llm.User}, roles(shown))
			time.Sleep(time.Minute)
		}
		assert.Equal(t, 2, w.Runs("held"))
	})
}
