package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/answer"
	"levada.dev/workflows/llm"
)

const levadas = "Levadas carry water across Madeira. They were cut into the rock."

// knows gives a tenant a document, which says as well what the model is to answer.
func (w *world) knows(tenant, turn string) {
	w.t.Helper()
	body, err := json.Marshal(map[string]string{"docId": "levadas", "text": levadas + ` {"script":` + turn + `}`})
	require.NoError(w.t, err)
	rec := w.do(tenant, "POST", "/ingest", string(body))
	require.Equal(w.t, http.StatusAccepted, rec.Code, rec.Body)
	w.finish(tenant, data[struct{ JobID string }](w.t, rec).JobID, "succeeded")
}

const (
	whereTo       = `{"query":"Where do levadas carry water?"}`
	whereToStream = `{"query":"Where do levadas carry water?","stream":true}`
)

type answeredData struct {
	Answer    string
	Abstained bool
	Model     string
	Prompt    string
	Citations []answer.Citation
}

// Each tenant is answered from its own documents, and pays for it.
func TestAnswersOfTwoTenants(t *testing.T) {
	w := newWorld(t)
	w.knows("acme", `{"tokens":["Levadas carry water across Madeira [1]."]}`)
	a := data[answeredData](t, w.do("acme", "POST", "/search", whereTo))
	assert.Equal(t, "Levadas carry water across Madeira [1].", a.Answer)
	require.Len(t, a.Citations, 1)
	c := a.Citations[0]
	assert.True(t, c.Supported)
	assert.Equal(t, c.Quote, levadas[c.Start:c.End])
	assert.Equal(t, tenants.DefaultPrompt, a.Prompt)

	b := data[answeredData](t, w.do("globex", "POST", "/search", whereTo))
	assert.True(t, b.Abstained)
	assert.Empty(t, b.Model)
	require.Len(t, w.talk.model.Calls(), 1, "nothing was asked for who has no document")
	call := w.talk.model.Calls()[0]
	assert.Equal(t, tenants.ID("acme"), call.Tenant)
	assert.Equal(t, llm.ForAnswer, call.Purpose)
	used := w.gate.Used(w.scope("acme"))
	assert.Equal(t, []string{"search", "answer"}, []string{used[len(used)-1].Capability, used[len(used)-1].Purpose})
	assert.Empty(t, w.gate.Used(w.scope("globex")))
	w.gate.Check(t)
}

func TestAModelThatFailsToAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		tenant, turn string
		status       int
		code, model  string
	}{
		"busy, and another is not":    {"acme", `{"error":{"code":3040,"status":429,"text":"busy"},"times":1,"tokens":["Levadas carry water across Madeira [1]."]}`, 200, "", "@local/script-openai"},
		"busy, and there is no other": {"globex", `{"error":{"code":3040,"status":429,"text":"busy"}}`, 503, "model_busy", ""},
		"the quota is used up":        {"acme", `{"error":{"code":3036,"status":429,"text":"used up your daily free allocation"}}`, 429, "model_quota", ""},
	} {
		for _, body := range []string{whereTo, whereToStream} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				w.knows(c.tenant, c.turn)
				rec := w.do(c.tenant, "POST", "/search", body)
				require.Equal(t, c.status, rec.Code, rec.Body)
				if c.status != 200 {
					assert.Equal(t, c.code, failed(t, rec).Code, "before the first word it is an error of HTTP")
				} else {
					assert.Contains(t, rec.Body.String(), `"`+c.model+`"`)
				}
				w.gate.Check(t)
				assert.Zero(t, w.talk.model.Open())
			})
		}
	}
}

// What goes wrong after the first word is the last event, and what was said is paid.
func TestAnAnswerThatIsCut(t *testing.T) {
	w := newWorld(t)
	w.knows("globex", `{"tokens":["Levadas ","carry"],"delayMs":5,"cutAfter":1}`)
	events := parse(t, w.do("globex", "POST", "/search", whereToStream).Body.String())
	require.Len(t, events, 3)
	assert.Equal(t, []string{"sources", "token", "error"}, []string{events[0].Event, events[1].Event, events[2].Event})
	assert.JSONEq(t, `{"code":"model_broke_off","message":"model @local/script broke off"}`, events[2].Data)
	rec := w.do("globex", "POST", "/search", whereTo)
	assert.Equal(t, 503, rec.Code)
	assert.Equal(t, "model_unavailable", failed(t, rec).Code)
	assert.Len(t, w.gate.Used(w.scope("globex")), 1, "what was refused costs nothing")
	w.gate.Check(t)
	assert.Zero(t, w.talk.model.Open())
}

func TestAnAnswerThatNobodyPaysFor(t *testing.T) {
	w := newWorld(t)
	w.knows("acme", `{"tokens":["Levadas carry water across Madeira [1]."]}`)
	w.gate.Refuse = func(s tenants.Scope, a quota.Ask) error {
		if s.Tenant() == "acme" && a.Amount.Tokens > 0 {
			return fault.New(fault.Limited, "budget_exhausted", "the day's tokens are used up", nil).WithRetryAfter(time.Hour)
		}
		return nil
	}
	for _, body := range []string{whereTo, whereToStream} {
		rec := w.do("acme", "POST", "/search", body)
		assert.Equal(t, 429, rec.Code)
		assert.Equal(t, "budget_exhausted", failed(t, rec).Code)
		assert.Equal(t, "3600", rec.Header().Get("Retry-After"))
	}
	assert.Empty(t, w.talk.model.Calls())
	rec := w.do("acme", "POST", "/search", `{"query":"Where do levadas carry water?","answer":false}`)
	assert.Equal(t, 200, rec.Code, "sources alone cost no answer")
	assert.Equal(t, 200, w.do("globex", "POST", "/search", whereTo).Code, "another tenant's budget is its own")
}

// A client that leaves stops the model, and what it said is paid.
func TestAClientThatLeavesAnAnswer(t *testing.T) {
	w := newWorld(t)
	w.knows("globex", `{"tokens":["Levadas ","carry ","water ","across ","Madeira."],"delayMs":5}`)
	c := &client{header: http.Header{}, leave: func(s string) bool { return strings.Contains(s, "carry") }}
	w.ServeHTTP(c, w.request("globex", "POST", "/search", whereToStream))
	assert.NotContains(t, c.body(), "event: done")
	assert.Contains(t, w.log.String(), `"code":"client_closed_request"`)
	assert.Zero(t, w.talk.model.Open())
	used := w.gate.Used(w.scope("globex"))
	require.Len(t, used, 1)
	assert.True(t, used[0].Estimated)
	w.gate.Check(t)
}

// A tenant's own prompt and ways are its own.
func TestATenantsOwnPrompt(t *testing.T) {
	const own = "Answer in {{language}} like a pirate, from <{{fence}}> alone.\n---\n{{sources}}\nAsked: {{question}}\n"
	w := newWorld(t, func(w *world) {
		configs := []tenants.Config{
			tenantstest.Config(t, "acme", func(c *tenants.Config) {
				c.Models.Chat = "@local/script"
				c.Prompts = map[string]string{"pirate@2": own}
				c.Answers = tenants.Answers{Prompt: "pirate@2", Unsupported: tenants.UnsupportedDrop, Language: "Portuguese", Unknown: "Arr."}
			}),
			tenantstest.Config(t, "globex", func(c *tenants.Config) { c.Models.Chat = "@local/script" }),
		}
		grants := map[string]tenants.Grant{}
		for _, c := range configs {
			grants[tenants.HashKey(w.keys[string(c.ID)])] = tenants.Grant{Tenant: c.ID, Name: "test", Scopes: tenants.AllScopes}
		}
		d, err := tenants.StaticDirectory(configs, grants)
		require.NoError(t, err)
		w.deps.Directory = d
	})
	const turn = `{"tokens":["Levadas carry water across Madeira. The m\u006fon is ch\u0065ese [1]."]}` // which the document does not say like this
	w.knows("acme", turn)
	w.knows("globex", turn)
	a := data[answeredData](t, w.do("acme", "POST", "/search", whereTo))
	assert.Equal(t, "Levadas carry water across Madeira. [1]", a.Answer)
	assert.Equal(t, "pirate@2", a.Prompt)
	system := w.talk.model.Calls()[0].Prompt.Messages[0].Content
	assert.Contains(t, system, "Answer in Portuguese like a pirate, from <source-")
	assert.Contains(t, w.talk.model.Calls()[0].Prompt.Messages[1].Content, "Asked: Where do levadas carry water?")
	assert.Equal(t, "Arr.", data[answeredData](t, w.do("acme", "POST", "/search", `{"query":"Who won in 1932?"}`)).Answer)

	b := data[answeredData](t, w.do("globex", "POST", "/search", whereTo))
	assert.Equal(t, "Levadas carry water across Madeira. [1] The moon is cheese [1].", b.Answer)
	assert.Equal(t, tenants.DefaultPrompt, b.Prompt)
	assert.NotContains(t, w.talk.model.Calls()[1].Prompt.Messages[0].Content, "pirate")

	// A turn of a conversation leaves out the same, whether it is told or answered, and has the tenant's words for nothing.
	for tenant, want := range map[string]string{
		"acme": "Levadas carry water across Madeira. [1] ", "globex": "Levadas carry water across Madeira. The moon is cheese [1].",
	} {
		c := data[turnData](t, w.do(tenant, "POST", "/chat", `{"message":"Where do levadas carry water?","rag":{},"stream":false}`))
		assert.Equal(t, want, c.Message)
		require.NotEmpty(t, c.Citations)
		told := w.do(tenant, "POST", "/chat", `{"sessionId":"told","message":"Where do levadas carry water?","rag":{}}`).Body.String()
		assert.Equal(t, 1, strings.Count(told, "event: citations\n"))
		kept := data[struct{ Messages []turnData }](t, w.do(tenant, "GET", "/sessions/told/history", ""))
		assert.Equal(t, c.Citations, kept.Messages[1].Citations)
		lies := 0
		for _, x := range c.Citations {
			if !x.Supported && x.Sentence == "The moon is cheese." {
				lies++
			}
		}
		assert.Equal(t, map[string]int{"acme": 0, "globex": 1}[tenant], lies, "%v", c.Citations)
		assert.Equal(t, tenant == "globex", strings.Contains(told, "cheese [1]"))
	}
	none := data[turnData](t, w.do("acme", "POST", "/chat", `{"message":"{\"script\":{\"tokens\":[\"Norway sells oil [1].\"]}}","rag":{"filter":{"docId":"no-such"}},"stream":false}`))
	assert.Equal(t, "Arr.", none.Message)
	assert.Empty(t, none.Citations)
}

// turnData is a turn as it is answered, and as the session has it.
type turnData struct {
	Message   string
	Citations []answer.Citation
}
