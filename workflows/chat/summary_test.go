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
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// long is a request that takes much of a small window.
func (w *world) long(message string) chat.Request {
	r := w.ask("s", message+" "+strings.Repeat("word ", 60))
	r.Models = append(r.Models, llm.GenerationModels()...)
	r.Keep = chat.Retention{Days: 1, Turns: 100, WindowTokens: 200}
	return r
}

// What falls out of the window is summarised after the turn, and the next turn is shown the summary instead.
func TestASummary(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.notes = words("  They ", "talked. ")
		for i := 0; w.sessions.count("summarise") == 0; i++ {
			require.Less(t, i, 10)
			drain(t, w.start(w.acme, w.long("turn")))
			synctest.Wait()
		}
		order := w.model.last(llm.ForSummary)
		assert.Equal(t, gpt(t), order.Models)
		assert.Equal(t, "s", order.Call.Session)
		assert.LessOrEqual(t, order.Prompt.MaxTokens, 500)
		assert.Contains(t, order.Prompt.Messages[1].Content, "user: turn word")
		assert.Contains(t, order.Prompt.Messages[1].Content, "assistant: The answer is 42.")
		assert.Equal(t, []string{"They talked."}, w.sessions.notes)

		drain(t, w.start(w.acme, w.long("next")))
		assert.Contains(t, w.model.last(llm.ForChat).Prompt.Messages[0].Content, "\nThey talked.\n")
		synctest.Wait()
		assert.Contains(t, w.model.last(llm.ForSummary).Prompt.Messages[1].Content, "\nThey talked.\n", "a summary goes on from the last")

		drain(t, w.start(w.globex, w.long("hello")))
		assert.NotContains(t, w.model.last(llm.ForChat).Prompt.Messages[0].Content, "They talked")
	})
}

// Who reads a transcript reads the summary, too: it is redacted as answers are, for the tenant whose policy that is.
func TestASummaryIsRedactedAsAnswersAre(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.notes = words("Notes.")
		for s, policy := range map[tenants.Scope]tenants.Redacting{w.acme: tenants.RedactOff, w.globex: tenants.RedactOn} {
			before := w.sessions.count("summarise")
			for i := 0; w.sessions.count("summarise") == before; i++ {
				require.Less(t, i, 10)
				r := w.long("turn")
				r.Policy.Answers = policy
				drain(t, w.start(s, r))
				synctest.Wait()
			}
			assert.Equal(t, policy == tenants.RedactOn, w.model.last(llm.ForSummary).Redact)
			assert.Equal(t, policy == tenants.RedactOn, w.model.last(llm.ForChat).Redact)
		}
	})
}

// Whatever was said is in the window, or in the notes, or, until it is in the notes, beside them.
func TestNothingIsMissingFromAPrompt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.notes = words("Notes.")
		noted := ""
		for n := range 12 {
			drain(t, w.start(w.acme, w.long(fmt.Sprintf("fact-%d.", n))))
			shown := noted
			for _, m := range w.model.last(llm.ForChat).Prompt.Messages {
				shown += m.Content
			}
			for i := range n + 1 {
				assert.Contains(t, shown, fmt.Sprintf("fact-%d.", i), "turn %d", n)
			}
			synctest.Wait()
			if w.sessions.count("summarise") > 0 {
				noted += w.model.last(llm.ForSummary).Prompt.Messages[1].Content
			}
		}
		assert.Greater(t, w.sessions.count("summarise"), 5)
	})
}

// A summary that fails harms nobody, and the next turn makes it.
func TestASummaryThatFails(t *testing.T) {
	for name, fail := range map[string]func(w *world){
		"refused":        func(w *world) { w.model.gate = onlySummaries(errors.New("no tokens left")) },
		"breaks off":     func(w *world) { w.model.notes = append(words("half")[:1], piece{err: errors.New("broke off")}) },
		"says nothing":   func(w *world) { w.model.notes = words(" ") },
		"panics":         func(w *world) { w.model.notes = []piece{{panic: true}} },
		"takes for ever": func(w *world) { w.model.notes = slowly(1, time.Hour) },
		"is not stored": func(w *world) {
			w.sessions.before = func(op string, _ int) error {
				if op == "summarise" {
					return errors.New("the session does not answer")
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				fail(w)
				for range 5 {
					assert.Equal(t, "The answer is 42.", whole(t, drain(t, w.start(w.acme, w.long("turn")))))
				}
				time.Sleep(30 * time.Second)
				synctest.Wait()
				assert.Empty(t, w.sessions.notes)
				assert.Contains(t, w.log.String(), "streamId=s.")

				w.model.gate, w.sessions.before, w.model.notes = nil, nil, words("They talked.")
				drain(t, w.start(w.acme, w.long("turn")))
				synctest.Wait()
				assert.Equal(t, []string{"They talked."}, w.sessions.notes)
			})
		})
	}
}

// A turn that failed makes no summary: what kept the model from answering keeps it from that, too.
func TestNoSummaryAfterAFailure(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.gate = onlySummaries(errors.New("not yet"))
		for range 5 {
			drain(t, w.start(w.acme, w.long("turn")))
		}
		synctest.Wait()
		asked := len(w.model.orders)
		w.model.refuse = fault.New(fault.Limited, "budget_exhausted", "", nil)
		_, err := w.Start(t.Context(), w.acme, w.long("turn"))
		require.Error(t, err)
		synctest.Wait()
		assert.Len(t, w.model.orders, asked+1)
	})
}

func onlySummaries(err error) func(llm.Order) error {
	return func(o llm.Order) error {
		if o.Call.Purpose == llm.ForSummary {
			return err
		}
		return nil
	}
}
