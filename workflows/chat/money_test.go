package chat_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// purse is a chat whose answers are paid for.
type purse struct {
	*chat.Chat
	gate     *quotatest.Gate
	model    *memory.Model
	sessions *memory.Sessions
	shelf    *shelf
}

func newPurse() *purse {
	p := &purse{gate: &quotatest.Gate{}, model: &memory.Model{}, sessions: memory.NewSessions(memory.NewShelf(time.Now), time.Now), shelf: &shelf{}}
	p.Chat = chat.New(chat.Ports{Sessions: p.sessions, Summaries: p.sessions, Generator: llm.NewGenerator(p.model, p.gate, nil), Retriever: p.shelf}, nil)
	return p
}

func scripted(t testing.TB, session, script string) chat.Request {
	models := gpt(t)
	other, err := llm.FindGeneration("@local/script-openai")
	require.NoError(t, err)
	return chat.Request{Session: session, Messages: []llm.Message{{Role: llm.User, Content: `{"script":` + script + `}`}},
		Models: append(models, other), MaxTokens: 100}
}

// However a turn goes, what was reserved for it is settled.
func TestEveryTurnIsSettled(t *testing.T) {
	for name, test := range map[string]struct {
		script, code string // of the error
		leave        bool
		tokens       int64 // that are booked for the answer; -1 for some
	}{
		"well":                 {`{"tokens":["a","b","c"],"usage":{"prompt":7,"completion":3}}`, "", false, 3},
		"the client leaves":    {`{"tokens":["a","b","c"],"delayMs":100,"usage":{"prompt":7,"completion":3}}`, "", true, 3},
		"abandoned":            {`{"tokens":["a","b","c"],"delayMs":20000}`, "turn_abandoned", true, -1},
		"breaks off":           {`{"tokens":["a","b","c"],"cutAfter":2}`, "model_broke_off", false, -1},
		"the fallback answers": {`{"tokens":["a"],"error":{"code":3040,"status":429},"times":1,"usage":{"prompt":7,"completion":1}}`, "", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPurse()
				for _, tenant := range []string{"acme", "globex"} {
					s := tenantstest.Scope(t, tenant)
					live, err := p.Start(t.Context(), s, scripted(t, "s", test.script+" "))
					require.NoError(t, err)
					if test.leave {
						live.Close()
						live, err = p.Follow(t.Context(), s, live.Stream(), 0)
						require.NoError(t, err)
					}
					assert.Equal(t, test.code, code(t, drain(t, live)))
					synctest.Wait()
					require.Len(t, p.gate.Used(s), 1)
					used := p.gate.Used(s)[0]
					assert.Equal(t, "chat", used.Capability)
					if test.tokens >= 0 {
						assert.Equal(t, test.tokens, used.Completion)
					} else {
						assert.NotZero(t, used.Completion)
						assert.True(t, used.Estimated)
					}
				}
				p.gate.Check(t)
				assert.Zero(t, p.model.Open())
			})
		})
	}
}

// A tenant whose budget is used up is refused, and nobody else; its session is as it was.
func TestABudgetThatIsUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPurse()
		acme, globex := tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")
		broke := true
		p.gate.Refuse = func(s tenants.Scope, _ quota.Ask) error {
			if broke && s == acme {
				return fault.New(fault.Limited, "budget_exhausted", "nothing left today", nil).WithRetryAfter(time.Hour)
			}
			return nil
		}
		r := scripted(t, "s", `{"tokens":["a"]}`)
		r.Key = "key:hash"
		_, err := p.Start(t.Context(), acme, r)
		f := fault.As(err)
		assert.Equal(t, "budget_exhausted", f.Code)
		assert.Equal(t, time.Hour, f.RetryAfter)
		live, err := p.Start(t.Context(), globex, r)
		require.NoError(t, err)
		drain(t, live)
		assert.Len(t, p.model.Calls(), 1)

		broke = false
		live, err = p.Start(t.Context(), acme, r)
		require.NoError(t, err, "the key of a turn that was refused begins another")
		assert.Equal(t, "a", whole(t, drain(t, live)))
		assert.Len(t, p.model.Calls()[1].Prompt.Messages, 1)
		p.gate.Check(t)
	})
}

// Many turns at once, whose clients leave where they like, are all settled and all told to their end.
func TestManyTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPurse()
		both := []tenants.Scope{tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")}
		const n = 200
		for i := range n {
			go func() {
				s := both[i%2]
				script := fmt.Sprintf(`{"tokens":["a%d ","b ","c ","d ","e"],"firstDelayMs":%d,"delayMs":%d}`, i, 100+i, 1+i*5)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i*37%3000)*time.Millisecond)
				defer cancel()
				live, err := p.Start(ctx, s, scripted(t, fmt.Sprint("s", i/2), script))
				last := 0
				var seen []chat.Event
				if err == nil {
					defer live.Close()
					if seen, err = read(ctx, live, 0); err == io.EOF {
						assert.Equal(t, fmt.Sprintf("a%d b c d e", i), whole(t, seen))
						return
					}
					if len(seen) > 0 {
						last = seen[len(seen)-1].ID
					}
				}
				time.Sleep(time.Duration(1+i) * time.Millisecond)
				live, err = p.Follow(t.Context(), s, chat.NewStreamID(fmt.Sprint("s", i/2), 1), last)
				if assert.NoError(t, err) {
					assert.Equal(t, fmt.Sprintf("a%d b c d e", i), whole(t, append(seen, drain(t, live)...)))
				}
			}()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, s := range both {
			assert.Len(t, p.gate.Used(s), n/2)
		}
		p.gate.Check(t)
		assert.Zero(t, p.model.Open())
	})
}

// What a turn costs in calls of its session and in rows is what docs/design/chat.md says.
func TestWhatATurnCosts(t *testing.T) {
	for _, test := range []struct {
		delay string // between ten tokens
		calls map[string]int
		rows  int
	}{
		{"100", map[string]int{"begin": 1, "end": 1}, 4},
		{"1000", map[string]int{"begin": 1, "tell": 4, "end": 1}, 8},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPurse()
			s := tenantstest.Scope(t, "acme")
			r := scripted(t, "s", `{"tokens":["a","b","c","d","e","f","g","h","i","j"],"delayMs":`+test.delay+`}`)
			for range 2 { // the first turn of a session writes one row more
				calls, rows := map[string]int{}, p.sessions.Written(s)
				p.sessions.Before = func(op string) error { calls[op]++; return nil }
				live, err := p.Start(t.Context(), s, r)
				require.NoError(t, err)
				drain(t, live)
				assert.Equal(t, test.calls, calls)
				if rows > 0 {
					assert.Equal(t, test.rows, p.sessions.Written(s)-rows)
				}
			}
		})
	}
}
