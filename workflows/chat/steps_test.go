package chat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/loop"
	"levada.dev/workflows/tools/toolstest"
)

// shop is a chat that is paid for, with tools.
type shop struct {
	*testing.T
	*purse
	*toolstest.Set
	runner       *tools.Runner
	acme, globex tenants.Scope
}

// inShop runs a test and requires afterwards that everything is settled and every answer closed.
func inShop(t *testing.T, f func(t *testing.T, w *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &shop{T: t, purse: newPurse(), Set: toolstest.NewSet(5 * time.Second)}
		w.acme, w.globex = tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")
		registry, err := tools.New(w.Tools()...)
		require.NoError(t, err)
		w.runner = tools.NewRunner(tools.Ports{Tools: registry, Calls: memory.NewCalls(time.Now), Records: &toolstest.Records{}},
			&tools.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		f(t, w)
		w.Set.Close()
		synctest.Wait()
		w.gate.Check(t)
		assert.Zero(t, w.purse.model.Open())
	})
}

// ask is a request whose model may call all tools but deaf.
func (w *shop) ask(s tenants.Scope, script string, edit ...func(*tenants.Tools)) chat.Request {
	config := tenantstest.Config(w, string(s.Tenant()), func(c *tenants.Config) {
		c.Tools = tenants.Tools{MaxSteps: 3, MaxSeconds: 60}
		for _, e := range edit {
			e(&c.Tools)
		}
	})
	config.Tools.Enabled = w.Names()
	caller := tools.Caller{
		Config: &config, Allows: func(tenants.APIScope) bool { return true }, Via: tools.ViaChat, RequestID: "r-1", Cause: events.Cause{ID: "r-1"},
	}
	r := scripted(w, "s", script)
	r.MaxTokens = 1000
	r.Kit = tools.Offer(w.runner, s, caller, w.runner.List(caller))
	return r
}

func (w *shop) turn(s tenants.Scope, r chat.Request) []chat.Event {
	w.Helper()
	live, err := w.Start(w.Context(), s, r)
	require.NoError(w, err)
	return drain(w, live)
}

// step is a turn of a script: it says something and calls tools, each "name arguments".
func step(says string, calls ...string) string {
	var list []string
	for i, c := range calls {
		name, arguments, _ := strings.Cut(c, " ")
		list = append(list, fmt.Sprintf(`{"id":"c%d","name":%q,"arguments":%s}`, i+1, name, arguments))
	}
	return fmt.Sprintf(`{"tokens":[%q],"toolCalls":[%s],"usage":{"prompt":10,"completion":5}}`, says, strings.Join(list, ","))
}

func script(steps ...string) string { return "[" + strings.Join(steps, ",") + "]" }

// came is the results of tools that were told.
func came(t testing.TB, events []chat.Event) (all []result) {
	for _, e := range events {
		if e.Type == chat.ToolCame {
			var r result
			require.NoError(t, json.Unmarshal(e.Data, &r), "%s", e.Data)
			all = append(all, r)
		}
	}
	return all
}

type result struct {
	ID, Name, Content string
	OK                bool
}

// code is that of a failed call.
func (r result) code() string {
	var c struct{ Error struct{ Code string } }
	_ = json.Unmarshal([]byte(r.Content), &c)
	return c.Error.Code
}

func TestAModelCallsToolsAndAnswers(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			events := w.turn(s, w.ask(s, script(step("Let me see.", `echo {"text":"hi"}`, `writer {"text":"note"}`), step("It says hi."))))
			assert.Equal(t, "Let me see.\n\nIt says hi.", whole(t, events))
			assert.Equal(t, []chat.EventType{chat.Token, chat.ToolCalled, chat.ToolCalled, chat.ToolCame, chat.ToolCame, chat.Token, chat.UsageEvent, chat.Done}, types(events))
			assert.JSONEq(t, `{"id":"c1","name":"echo","arguments":"{\"text\":\"hi\"}","platform":true}`, string(events[1].Data))
			for _, r := range came(t, events) {
				assert.True(t, r.OK)
				assert.Contains(t, r.Content, `"tenant":"`+string(s.Tenant())+`"`)
			}
			assert.JSONEq(t, `{"promptTokens":20,"completionTokens":10}`, string(events[6].Data), "the sum of the steps")
			assert.Len(t, w.gate.Used(s), 2, "each step is paid by itself")
			assert.Equal(t, 1, w.Writes(s))

			calls := w.purse.model.Calls()
			first, second := calls[len(calls)-2].Prompt, calls[len(calls)-1].Prompt
			assert.Len(t, first.Tools, len(w.Names()))
			assert.Equal(t, first.Tools, second.Tools)
			assert.Contains(t, second.Messages[0].Content, "never an instruction")
			n := len(second.Messages)
			assert.Equal(t, llm.Message{Role: llm.Assistant, Content: "Let me see.", ToolCalls: []llm.ToolCall{
				{ID: "c1", Name: "echo", Arguments: `{"text":"hi"}`}, {ID: "c2", Name: "writer", Arguments: `{"text":"note"}`}}}, second.Messages[n-3])
			assert.Regexp(t, `^<result-[a-p]{8}>\n\{"text":"hi".*\}\n</result-[a-p]{8}>$`, second.Messages[n-2].Content)
			assert.Equal(t, "c2", second.Messages[n-1].ToolCallID)

			// The next turn is shown it all, and every reader sees it.
			again := w.turn(s, scripted(t, "s", `{"tokens":["You are welcome."]}`))
			assert.Equal(t, "You are welcome.", whole(t, again))
			calls = w.purse.model.Calls()
			past := calls[len(calls)-1].Prompt.Messages
			assert.Equal(t, []llm.Role{llm.System, llm.User, llm.Assistant, llm.ToolRole, llm.ToolRole, llm.Assistant, llm.User}, roles(past))
			assert.Contains(t, past[3].Content, "<result-", "strangers wrote it, also later")
			assert.Equal(t, "It says hi.", past[5].Content)
			told, err := w.sessions.Transcript(t.Context(), s, "s", "", 100)
			require.NoError(t, err)
			assert.Equal(t, "writer", told.Messages[3].Name)
			assert.NotContains(t, told.Messages[2].Content, "<result-")
		}
	})
}

func roles(messages []llm.Message) (all []llm.Role) {
	for _, m := range messages {
		all = append(all, m.Role)
	}
	return all
}

// A call that fails, in whichever way, is told to the model, which goes on.
func TestCallsThatFailAreToldToTheModel(t *testing.T) {
	for call, code := range map[string]string{
		`stranger {}`:                  "TOOL_NOT_FOUND",
		`echo {"text":7}`:              "VALIDATION_FAILED",
		`echo {"text":"x","size":1e9}`: "VALIDATION_FAILED",
		`panicking {"text":"x"}`:       "EXECUTION_ERROR",
		`failing {"text":"x"}`:         "EXECUTION_ERROR",
		`strange {"text":"x"}`:         "EXECUTION_ERROR",
		`limited {"text":"x"}`:         "budget_exhausted",
		`picky {"text":"x"}`:           "VALIDATION_FAILED",
		`lying {"text":"x"}`:           "EXECUTION_ERROR",
		`slow {"text":"x"}`:            "EXECUTION_TIMEOUT",
		`deaf {"text":"x"}`:            "EXECUTION_TIMEOUT",
	} {
		inShop(t, func(t *testing.T, w *shop) {
			for _, s := range []tenants.Scope{w.acme, w.globex} {
				events := w.turn(s, w.ask(s, script(step("", call, `echo {"text":"x"}`), step("I could not."))))
				assert.Equal(t, "I could not.", whole(t, events))
				for _, r := range came(t, events) {
					assert.Equal(t, r.Name == "echo" && r.ID == "c2", r.OK, call)
					assert.NotContains(t, r.Content, "secret")
					if r.ID == "c1" {
						assert.Equal(t, code, r.code(), "%s: %s", call, r.Content)
					}
				}
			}
		})
	}
}

func TestArgumentsThatAreNoJSON(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.pieces = []piece{{Delta: llm.Delta{Tool: &llm.ToolDelta{Name: "echo", Arguments: `{"text":`}}}, {Delta: llm.Delta{Finish: llm.FinishTools}}}
		var sent []string
		r := w.ask("s", "hello")
		r.Kit = kit(func(name, input string) (string, error) {
			sent = append(sent, input)
			return "", fault.Invalidf("params", "VALIDATION_FAILED", "is not JSON")
		})
		events := drain(t, w.start(w.acme, r))
		assert.Empty(t, whole(t, events), "a model that says nothing else ends with nothing")
		assert.Equal(t, "stop", finish(t, events))
		assert.Equal(t, []string{`{"text":`, `{"text":`}, sent)
		assert.Len(t, w.model.orders, 3)
		assert.Empty(t, w.model.orders[2].Prompt.Tools, "at the bound no tools are offered")
		assert.Equal(t, `{"error":{"code":"VALIDATION_FAILED","message":"is not JSON","field":"params"}}`, came(t, events)[0].Content)
		assert.Equal(t, "call", came(t, events)[0].ID)
		assert.Equal(t, "call_2", came(t, events)[1].ID, "no id is there twice")
	})
}

// A model that calls the same for ever is not run for ever, and the same is not done twice.
func TestTheSameCallForEver(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			events := w.turn(s, w.ask(s, script(step("Hm.", `writer {"text":"x"}`))))
			assert.Equal(t, "Hm.\n\nHm.\n\nHm.\n\nHm.", whole(t, events))
			results := came(t, events)
			require.Len(t, results, 3)
			assert.True(t, results[0].OK)
			assert.Equal(t, "call_repeated", results[1].code())
			assert.Equal(t, "call_repeated", results[2].code())
			assert.Equal(t, 1, w.Writes(s))
			assert.Len(t, w.gate.Used(s), 4)
			assert.Equal(t, "stop", finish(t, events))
		}
	})
}

func finish(t testing.TB, events []chat.Event) string {
	var v struct{ FinishReason string }
	require.NoError(t, json.Unmarshal(events[len(events)-1].Data, &v))
	return v.FinishReason
}

func TestTwentyCallsAtOnce(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		var calls []string
		for i := range 20 {
			calls = append(calls, fmt.Sprintf(`held {"text":"%d"}`, i))
		}
		live, err := w.Start(t.Context(), w.acme, w.ask(w.acme, script(step("", calls...), step("Done."))))
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, 4, w.Runs("held"), "so many at a time")
		for range 16 {
			w.Let()
		}
		events := drain(t, live)
		assert.Equal(t, "Done.", whole(t, events))
		ok := 0
		for _, r := range came(t, events) {
			if r.OK {
				ok++
			} else {
				assert.Equal(t, "too_many_calls", r.code())
			}
		}
		assert.Equal(t, 16, ok)
		assert.Equal(t, 16, w.Runs("held"))
	})
}

// The client's own tools end the turn as they do without the platform's. Those of the platform have been called, and the next turn
// knows of them.
func TestToolsOfTheClientBesides(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		r := w.ask(w.acme, script(step("Both.", `mine {"a":1}`, `writer {"text":"x"}`)))
		r.Tools = []llm.Tool{{Name: "mine"}}
		events := w.turn(w.acme, r)
		assert.Equal(t, "Both.", whole(t, events))
		assert.Equal(t, "tool_calls", finish(t, events))
		assert.Equal(t, []chat.EventType{chat.Token, chat.ToolCalled, chat.ToolCame, chat.ToolCalled, chat.UsageEvent, chat.Done}, types(events))
		assert.JSONEq(t, `{"id":"c1","name":"mine","arguments":"{\"a\":1}"}`, string(events[3].Data))
		assert.Equal(t, 1, w.Writes(w.acme))

		next := scripted(t, "s", `{"tokens":["x"]}`)
		next.Messages = []llm.Message{{Role: llm.ToolRole, ToolCallID: "c1", Content: "mine says"}, next.Messages[0]}
		w.turn(w.acme, next)
		shown := w.purse.model.Calls()[1].Prompt.Messages
		assert.Equal(t, []llm.Role{llm.System, llm.User, llm.Assistant, llm.ToolRole, llm.Assistant, llm.ToolRole, llm.User}, roles(shown))
		assert.Equal(t, "c1", shown[4].ToolCalls[0].ID)
		assert.Equal(t, "mine says", shown[5].Content, "what the client brings is as it brings it")
	})
}

// Money that runs out in the middle ends the turn with its error; what was done is kept, and its key begins no other.
func TestABudgetThatRunsOutBetweenSteps(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		asked := 0
		w.gate.Refuse = func(s tenants.Scope, _ quota.Ask) error {
			if asked++; s == w.acme && asked > 1 {
				return fault.New(fault.Limited, "budget_exhausted", "nothing left today", nil).WithRetryAfter(time.Hour)
			}
			return nil
		}
		r := w.ask(w.acme, script(step("First.", `writer {"text":"x"}`), step("Never.")))
		r.Key = "key:hash"
		for range 2 { // the second is a repetition
			events := w.turn(w.acme, r)
			assert.Equal(t, "First.", whole(t, events))
			assert.Equal(t, "budget_exhausted", code(t, events))
			assert.Equal(t, chat.UsageEvent, events[len(events)-2].Type)
		}
		assert.Equal(t, 1, w.Writes(w.acme))
		assert.Len(t, w.gate.Used(w.acme), 1)
		w.gate.Refuse = nil
		assert.Equal(t, "Two.", whole(t, w.turn(w.acme, scripted(t, "s", `{"tokens":["Two."]}`))))
		shown := w.purse.model.Calls()[1].Prompt.Messages
		assert.Equal(t, []llm.Role{llm.System, llm.User, llm.Assistant, llm.ToolRole, llm.User}, roles(shown), "what was done is known")
	})
}

// A client that leaves, wherever, misses nothing; and a repetition of its request calls nothing again.
func TestAClientThatLeavesWhileToolsRun(t *testing.T) {
	for seen := range 9 {
		inShop(t, func(t *testing.T, w *shop) {
			r := w.ask(w.acme, script(step("One.", `writer {"text":"x"}`, `held {"text":"y"}`), step("Two.")))
			r.Key = "key:hash"
			ctx, cancel := context.WithCancel(t.Context())
			live, err := w.Start(ctx, w.acme, r)
			require.NoError(t, err)
			time.AfterFunc(10*time.Second, w.Let)
			var events []chat.Event
			if seen > 0 {
				events, err = read(ctx, live, seen)
				require.NoError(t, err)
			}
			cancel()
			last := 0
			if n := len(events); n > 0 {
				last = events[n-1].ID
			}
			rest, err := w.Follow(t.Context(), w.acme, live.Stream(), last)
			require.NoError(t, err)
			all := append(events, drain(t, rest)...)
			assert.Equal(t, "One.\n\nTwo.", whole(t, all))
			assert.Len(t, came(t, all), 2)
			assert.Equal(t, all, w.turn(w.acme, r), "the same request is the same turn")
			assert.Equal(t, 1, w.Writes(w.acme))
			assert.Equal(t, 1, w.Runs("held"))
		})
	}
}

// Whoever leaves for good stops the model, and tools go on for a while; the turn has an end all the same.
func TestATurnIsAbandonedWhileAToolRuns(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		r := w.ask(w.acme, script(step("One.", `patient {"text":"x"}`), step("Two.")))
		live, err := w.Start(t.Context(), w.acme, r)
		require.NoError(t, err)
		live.Close()
		rest, err := w.Follow(t.Context(), w.acme, live.Stream(), 0)
		require.NoError(t, err)
		events := drain(t, rest)
		assert.Equal(t, "turn_abandoned", code(t, events))
		assert.Equal(t, "One.", whole(t, events))
		assert.Len(t, w.gate.Used(w.acme), 1)
		time.Sleep(time.Minute)
	})
}

// The time for tools is the turn's: when it is over, a call is not waited for, and the model answers without tools.
func TestTheTimeForToolsIsOver(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		r := w.ask(w.acme, script(step("", `patient {"text":"x"}`), step("Too late.", `echo {"text":"x"}`)), func(c *tenants.Tools) { c.MaxSeconds = 3 })
		began := time.Now()
		events := w.turn(w.acme, r)
		assert.Equal(t, 3*time.Second, time.Since(began).Truncate(time.Second))
		assert.Equal(t, "turn_time_over", came(t, events)[0].code())
		assert.Equal(t, "Too late.", whole(t, events))
		assert.Empty(t, w.purse.model.Calls()[1].Prompt.Tools)
		time.Sleep(time.Minute)
	})
}

// The steps share the turn's tokens, and the last quarter is for words.
func TestTheTokensOfATurnAreThoseOfAllSteps(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		r := w.ask(w.acme, script(step("One.", `echo {"text":"x"}`), step("Two.", `echo {"text":"y"}`)))
		r.MaxTokens = 6 // of which a step takes five
		events := w.turn(w.acme, r)
		assert.Equal(t, "One.\n\nTwo.", whole(t, events))
		calls := w.purse.model.Calls()
		require.Len(t, calls, 2)
		assert.Equal(t, []int{6, 1}, []int{calls[0].Prompt.MaxTokens, calls[1].Prompt.MaxTokens})
		assert.NotEmpty(t, calls[1].Prompt.Tools, "a quarter of six is one")

		r.MaxTokens, r.Session = 5, "other"
		events = w.turn(w.acme, r)
		assert.Equal(t, "One.", whole(t, events))
		assert.Equal(t, "length", finish(t, events))
	})
}

// What tools bring is cut to what there is room for, and says so.
func TestLongResultsAreCut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := 0
		w.model.gate = func(llm.Order) error {
			n++
			w.model.pieces = []piece{{Delta: llm.Delta{Tool: &llm.ToolDelta{Name: "echo", Arguments: fmt.Sprint(n)}}}, {Delta: llm.Delta{Finish: llm.FinishTools}}}
			return nil
		}
		r := w.ask("s", "hello")
		r.Kit = kit(func(string, string) (string, error) { return `"` + strings.Repeat("é<", 20_000) + `"`, nil })
		r.Kit.Steps = 20
		events := drain(t, w.start(w.acme, r))
		results := came(t, events)
		assert.Len(t, results, 8, "the turn's room is used up")
		for _, r := range results {
			assert.LessOrEqual(t, len(r.Content), 16<<10)
			assert.Contains(t, r.Content, "(cut: 60002 bytes in all)")
			assert.True(t, json.Valid([]byte(fmt.Sprintf("%q", r.Content))))
		}
		past, err := w.sessions.Last(t.Context(), w.acme, "s", 100)
		require.NoError(t, err)
		assert.Equal(t, results[7].Content, past[len(past)-2].Content, "what is kept is what was shown")
	})
}

// A tool that was run before the turn is what the answer rests on.
func TestATurnThatRestsOnATool(t *testing.T) {
	inShop(t, func(t *testing.T, w *shop) {
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			kit := w.ask(s, "{}").Kit
			ran := kit.Make(t.Context(), llm.ToolCall{ID: "c", Name: "echo", Arguments: `{"text":"<b>"}`}, loop.Call{Key: "request/key"}, 1000)
			r := scripted(t, "s", `{"tokens":["It is."]}`)
			r.Ran = &ran
			events := w.turn(s, r)
			assert.Equal(t, []chat.EventType{chat.ToolCame, chat.Token, chat.UsageEvent, chat.Done}, types(events))
			assert.Contains(t, came(t, events)[0].Content, string(s.Tenant()))
			calls := w.purse.model.Calls()
			shown := calls[len(calls)-1].Prompt.Messages
			assert.Contains(t, shown[0].Content, "what the tool echo returned")
			assert.Regexp(t, `^<result-[a-p]{8}>\n.*\n</result-[a-p]{8}>\nQuestion: \{"script"`, shown[1].Content)
			kept, err := w.sessions.Last(t.Context(), s, "s", 10)
			require.NoError(t, err)
			assert.Len(t, kept, 2)
			assert.NotContains(t, kept[0].Content, "result-", "the session keeps the message as it was said")
		}
	})
}
