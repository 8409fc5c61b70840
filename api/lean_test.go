package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

// grounded is what a turn, or its first event, tells of its search.
type grounded struct {
	Message   string
	Sources   []rag.Source
	Rewritten *string `json:"rewrittenQuery"`
	Degraded  []rag.Missing
}

// holds gives a tenant a document.
func (w *world) holds(tenant, text string) {
	w.t.Helper()
	rec := w.do(tenant, "POST", "/ingest", fmt.Sprintf(`{"docId":"a","text":%q}`, text))
	require.Equal(w.t, http.StatusAccepted, rec.Code, rec.Body)
	w.finish(tenant, data[struct{ JobID string }](w.t, rec).JobID, "succeeded")
}

// says takes a turn of the session "s", with "rag" if it is grounded, whose answer is reply, in one piece.
func (w *world) says(tenant, message, reply string, onDocuments bool) grounded {
	w.t.Helper()
	rec := w.do(tenant, "POST", "/chat", turnBody(w.t, message, reply, onDocuments, false))
	require.Equal(w.t, http.StatusOK, rec.Code, rec.Body)
	synctest.Wait()
	return data[grounded](w.t, rec)
}

func turnBody(t testing.TB, message, reply string, onDocuments, stream bool) string {
	t.Helper()
	script, err := json.Marshal(map[string]any{"script": map[string]any{"tokens": []string{reply}}})
	require.NoError(t, err)
	body := map[string]any{"sessionId": "s", "message": message + " " + string(script), "stream": stream}
	if onDocuments {
		body["rag"] = map[string]any{"topK": 1}
	}
	b, err := json.Marshal(body)
	require.NoError(t, err)
	return string(b)
}

// rewrites are the calls of models that made a question whole.
func (w *world) rewrites(tenant tenants.ID) (n int) {
	for _, c := range w.talk.model.Calls() {
		if c.Tenant == tenant && c.Purpose == llm.ForRewrite {
			n++
		}
	}
	return n
}

// subjects is what each tenant's document says, in a conversation of the same name, and what that conversation asks.
var subjects = map[tenants.ID]struct{ text, whole string }{
	"acme":   {"Levadas carry water.", "What do levadas carry?"},
	"globex": {"Mills grind corn.", "What do mills grind?"},
}

// leaning is a world in which each tenant has a document and a conversation about it. A model that is asked to make a question whole answers as
// the first turn of that does.
func leaning(t *testing.T) *world {
	w := newWorld(t)
	for tenant, s := range subjects {
		w.holds(string(tenant), s.text)
		assert.Nil(t, w.says(string(tenant), "And?", s.whole, true).Rewritten, "nothing was said before")
	}
	for tenant := range subjects {
		require.Zero(t, w.rewrites(tenant))
	}
	return w
}

// A turn whose message leans on its conversation is searched by what that is about: the tenant's own conversation, in the stream, the answer in one
// piece and the replay, and it is paid for. The model that answers is shown the message as it was said.
func TestAMessageThatLeansOnItsConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := leaning(t)
		for tenant, s := range subjects {
			a := w.says(string(tenant), "And why is that?", "Yes.", true)
			require.NotNil(t, a.Rewritten)
			assert.Equal(t, s.whole, *a.Rewritten)
			assert.Empty(t, a.Degraded)
			require.Len(t, a.Sources, 1)
			assert.Equal(t, s.text, a.Sources[0].Text)
			require.NotNil(t, a.Sources[0].Scores.Keyword, "the words of the whole question are searched for")

			calls := w.talk.model.Calls()
			last := calls[len(calls)-1]
			assert.Equal(t, llm.ForChat, last.Purpose)
			shown := last.Prompt.Messages[len(last.Prompt.Messages)-1].Content
			assert.Contains(t, shown, "Question: And why is that?")
			assert.NotContains(t, shown, s.whole)
			asked := calls[len(calls)-2]
			assert.Equal(t, []any{llm.ForRewrite, "s", tenant}, []any{asked.Purpose, asked.Session, asked.Tenant})
			for other, o := range subjects {
				assert.Equal(t, other == tenant, contains(asked.Prompt, o.whole), "%s is asked with what was said to it", tenant)
			}
			var booked []quota.Use
			for _, u := range w.gate.Used(w.scope(string(tenant))) {
				if u.Purpose == string(llm.ForRewrite) {
					booked = append(booked, u)
				}
			}
			require.Len(t, booked, 1)
			assert.Equal(t, quota.Chat, booked[0].Capability, "what a turn asks is its conversation's")
			assert.Positive(t, booked[0].Prompt)
			assert.Positive(t, booked[0].Completion)

			rec := w.do(string(tenant), "POST", "/chat", turnBody(t, "And how?", "Yes.", true, true))
			synctest.Wait()
			again := w.do(string(tenant), "GET", "/chat/streams/"+rec.Header().Get("X-Stream-Id"), "")
			for _, body := range []string{rec.Body.String(), again.Body.String()} {
				events := parse(t, body)
				assert.Equal(t, "Yes.", whole(t, events))
				require.Equal(t, "sources", events[0].Event)
				var first grounded
				require.NoError(t, json.Unmarshal([]byte(events[0].Data), &first))
				require.NotNil(t, first.Rewritten)
				assert.Equal(t, s.whole, *first.Rewritten)
			}
			assert.Equal(t, 2, w.rewrites(tenant))

			rec = w.do(string(tenant), "POST", "/search", `{"query":"And why is that?","sessionId":"s","stream":true}`)
			var searched grounded
			require.NoError(t, json.Unmarshal([]byte(parse(t, rec.Body.String())[0].Data), &searched))
			require.NotNil(t, searched.Rewritten, "as a search with the session does")
			assert.Equal(t, s.whole, *searched.Rewritten)
		}
		w.gate.Check(t)
		assert.Zero(t, w.talk.model.Open())
	})
}

// However long a conversation is, a question is made whole from what was said last in it.
func TestALongConversationIsReadFromItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		turn := func(tenant, message, reply string) {
			opened, err := w.deps.Sessions.Begin(t.Context(), w.scope(tenant), chat.Opening{
				Session: "long", Keep: chat.Retention{Turns: 1000, WindowTokens: 50}, Messages: []llm.Message{{Role: llm.User, Content: message}},
			})
			require.NoError(t, err)
			_, err = w.deps.Sessions.Tell(t.Context(), w.scope(tenant), chat.News{
				Stream: opened.Stream, Events: []chat.Event{{ID: 1, Type: chat.Done, Data: []byte("{}")}},
				Outcome: &chat.Outcome{Answer: llm.Message{Role: llm.Assistant, Content: reply}, Finish: llm.FinishStop},
			})
			require.NoError(t, err)
		}
		for tenant, s := range subjects {
			w.holds(string(tenant), s.text)
			for i := range 810 { // 1,620 messages
				turn(string(tenant), fmt.Sprint("Weather ", i, "?"), "It rains.")
			}
			turn(string(tenant), "Tell me something.", s.text)
			w.do(string(tenant), "POST", "/search", `{"query":"And why is that?","sessionId":"long","answer":false}`)
			calls := w.talk.model.Calls()
			asked := calls[len(calls)-1]
			require.Equal(t, []any{llm.ForRewrite, tenant}, []any{asked.Purpose, asked.Tenant})
			assert.True(t, contains(asked.Prompt, s.text), "%s", tenant)
			assert.True(t, contains(asked.Prompt, "Weather 809?"))
			assert.False(t, contains(asked.Prompt, "Weather 799?"))
		}
	})
}

func contains(p llm.Prompt, text string) bool {
	for _, m := range p.Messages {
		if strings.Contains(m.Content, text) {
			return true
		}
	}
	return false
}

// A message that says what it is about, and one that no document is searched for, costs no call.
func TestAMessageThatStandsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := leaning(t)
		for tenant := range subjects {
			a := w.says(string(tenant), "Where do levadas and mills stand?", "Yes.", true)
			assert.Nil(t, a.Rewritten)
			assert.Nil(t, a.Degraded)
			w.says(string(tenant), "And why is that?", "Yes.", false)
			assert.Zero(t, w.rewrites(tenant))
		}
		w.gate.Check(t)
	})
}

// A message that no model made whole is searched as it is, and the turn says so. It is the others' who can.
func TestAMessageThatIsNotMadeWhole(t *testing.T) {
	for code, fail := range map[string]func(w *world){
		"model_busy": func(w *world) {
			w.talk.model.Before = func(c llm.Call, p llm.Prompt) error {
				if c.Purpose == llm.ForRewrite && contains(p, subjects["acme"].whole) {
					return fault.Unavailablef(nil, "model_busy", "busy")
				}
				return nil
			}
		},
		"search_late": func(w *world) {
			w.talk.model.Before = func(c llm.Call, p llm.Prompt) error {
				if c.Purpose == llm.ForRewrite && contains(p, subjects["acme"].whole) {
					time.Sleep(7 * time.Second)
				}
				return nil
			}
		},
		"budget_exhausted": func(w *world) {
			first := true
			w.gate.Refuse = func(s tenants.Scope, a quota.Ask) error {
				if s.Tenant() == "acme" && a.Amount.Tokens > 0 && first {
					first = false
					return fault.New(fault.Limited, "budget_exhausted", "nothing left today", nil)
				}
				return nil
			}
		},
	} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := leaning(t)
				fail(w)
				for _, tenant := range []tenants.ID{"acme", "globex"} {
					a := w.says(string(tenant), "And why is that?", "Yes.", true)
					assert.Equal(t, "Yes.", a.Message)
					assert.Len(t, a.Sources, 1)
					if tenant == "acme" {
						assert.Nil(t, a.Rewritten)
						assert.Equal(t, []rag.Missing{{Part: rag.PartRewrite, Code: code}}, a.Degraded)
						assert.Nil(t, a.Sources[0].Scores.Keyword)
						continue
					}
					require.NotNil(t, a.Rewritten)
					assert.Empty(t, a.Degraded)
				}
				w.gate.Check(t)
				assert.Zero(t, w.talk.model.Open())
			})
		})
	}
}
