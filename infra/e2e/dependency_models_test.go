package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/dev/localai"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
)

// Without the index of meanings a search finds by words, and says so; who wants meanings alone is told to come back. What could not be written is
// written later, and what was written without an answer is there once.
func TestVectorizeIsDown(t *testing.T) {
	one, two := newcomer(t, "index"), newcomer(t, "index")
	for _, u := range []user{one, two} {
		u.index(document{DocID: "anvil", Text: "The anvil of " + u.tenant + " weighs a hundredweight."})
	}
	settled(t, platform)
	before := vectors(t, platform, "bge-m3")
	mend := wrong(t, platform, stack.API, dev.Disturbance{Calls: "vectorize", Mood: dev.Fails, Error: dev.IndexFailed})
	assert.Equal(t, []string{"vectors"}, failing(t, platform))
	for _, u := range []user{one, two} {
		h := u.ask("anvil", "hybrid", map[string]any{"filter": nil})
		assert.Equal(t, []string{"anvil"}, h.docs())
		require.Len(t, h.Degraded, 1)
		assert.Equal(t, []any{"vector", "index_unavailable"}, []any{h.Degraded[0].Part, h.Degraded[0].Code})
		unavailable(t, u.do(http.MethodPost, "/search", map[string]any{"query": "iron", "mode": "vector", "answer": false}), "index_unavailable")
	}
	mend()
	assert.Empty(t, failing(t, platform))
	assert.Empty(t, one.ask("anvil", "hybrid", map[string]any{"filter": nil}).Degraded)

	wrong(t, platform, stack.Consumers,
		dev.Disturbance{Calls: "vectorize.write", Mood: dev.Fails, Error: dev.IndexFailed, Times: 1},
		dev.Disturbance{Calls: "vectorize.write", Mood: dev.Loses, Error: dev.ConnectionLost, Times: 1})
	accs := map[user]accepted{}
	for _, u := range []user{one, two} {
		accs[u] = u.ingest(document{DocID: "tongs", Text: "The tongs of " + u.tenant + " hang beside the forge."})
	}
	for u, acc := range accs {
		assert.Equal(t, "succeeded", u.finished(acc.JobID).State)
		assert.Empty(t, u.letters(""))
	}
	assert.Equal(t, 2, struck(t, platform, stack.Consumers))
	assert.Equal(t, before+2, vectors(t, platform, "bge-m3"))
}

// down checks what a tenant is told whose models do not answer: a search finds by words, and chat says when to come back and costs nothing.
func down(t *testing.T, u user, code string) {
	t.Helper()
	before := u.account()
	h := u.ask("chisel", "hybrid", map[string]any{"filter": nil})
	assert.Equal(t, []string{"chisel"}, h.docs())
	require.Len(t, h.Degraded, 1)
	assert.Equal(t, []any{"vector", code}, []any{h.Degraded[0].Part, h.Degraded[0].Code})
	unavailable(t, u.do(http.MethodPost, "/search", map[string]any{"query": "tools", "mode": "vector", "answer": false}), code)
	message, _ := tokens("down", 2, 0)
	unavailable(t, u.do(http.MethodPost, "/chat", map[string]any{"message": message}), code)
	after := u.account()
	assert.Equal(t, before.Totals.NanoUSD, after.Totals.NanoUSD, "what was not answered costs nothing")
}

// works checks that a tenant's models answer.
func works(t *testing.T, u user) {
	t.Helper()
	message, want := tokens("works", 2, 0)
	assert.Equal(t, want, said(u.tells(message, nil)))
	h := u.ask("chisel", "hybrid", map[string]any{"filter": nil})
	assert.Empty(t, h.Degraded)
	assert.Equal(t, []string{"chisel"}, h.docs())
}

// modelled is a newcomer with a document.
func modelled(t *testing.T) user {
	u := newcomer(t, "models")
	u.index(document{DocID: "chisel", Text: "A chisel wants a mallet."})
	eventually(t, "it is booked", func() bool { return u.account().Totals.Calls > 0 })
	return u
}

// A gateway that is down stops everybody's models; one that fails one tenant's calls, or has its spend limit used up, that tenant's and nobody else's.
// Documents wait, and none is given up.
func TestAIGatewayIsDown(t *testing.T) {
	one, two := modelled(t), modelled(t)
	mend := troubled(t, localai.GatewayDown)
	for _, u := range []user{one, two} {
		down(t, u, "model_unavailable")
	}
	mend()
	works(t, one)
	works(t, two)
	for code, trouble := range map[string]localai.Trouble{"model_unavailable": localai.GatewayDown, "model_busy": localai.SpendLimit} {
		trouble.Tenant = one.tenant
		mend = troubled(t, trouble)
		down(t, one, code)
		works(t, two)
		mend()
	}
	works(t, one)
	trouble := localai.GatewayDown
	trouble.Times, trouble.Tenant = 1, one.tenant
	troubled(t, trouble)
	acc := one.ingest(document{DocID: "mallet", Text: "A mallet is made of beech."})
	assert.Equal(t, "succeeded", one.finished(acc.JobID).State)
	assert.Empty(t, one.letters(""))
}

// Models that fail or are busy: likewise, and for a model that writes the next one of the tenant's list is asked. A call whose answer got lost is
// made again.
func TestWorkersAIIsDown(t *testing.T) {
	one, two := modelled(t), modelled(t)
	for code, trouble := range map[string]localai.Trouble{"model_unavailable": localai.ModelsFail, "model_busy": localai.ModelsBusy} {
		trouble.Tenant = one.tenant
		mend := troubled(t, trouble)
		down(t, one, code)
		works(t, two)
		mend()
	}
	works(t, one)
	alder := as(t, "alder")
	troubled(t, localai.Trouble{Model: "@local/script", Tenant: "alder", Times: 1, Status: http.StatusInternalServerError, Code: 3043, Text: "boom"})
	message, want := tokens("replaced", 2, 0)
	all := alder.tells(message, nil)
	assert.Equal(t, want, said(all))
	assert.Equal(t, "@local/script-openai", inOrder(t, all).field("model"))

	wrong(t, platform, stack.Consumers, dev.Disturbance{Calls: "ai", Mood: dev.Loses, Error: dev.ConnectionLost, Times: 1})
	acc := one.ingest(document{DocID: "plane", Text: "A plane wants a sharp iron."})
	assert.Equal(t, "succeeded", one.finished(acc.JobID).State)
	assert.Equal(t, 1, struck(t, platform, stack.Consumers))
	assert.Empty(t, one.letters(""))
}

// A text is taken while the tenant's model does not speak: its fallback does. With both down the take waits until one is back. The other tenant's
// model speaks as ever.
func TestModelsThatSpeakAreDown(t *testing.T) {
	const model, fallback = "@cf/deepgram/aura-1", "@cf/myshell-ai/melotts"
	one, two := newcomer(t, "voices"), newcomer(t, "voices")
	speaks := func(c *tenants.Config) {
		c.Speech = tenants.Speech{Enabled: true, Model: model, Fallback: fallback}
	}
	one.key, two.key = one.publish(speaks), two.publish(speaks)
	speak := func(u user, text string) (id string) {
		a := u.do(http.MethodPost, "/tts", map[string]any{"text": text})
		require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
		var acc accepted
		a.into(t, &acc)
		return acc.JobID
	}
	spoken := func(u user, id, by string) {
		var j speechJob
		eventually(t, "it is spoken", func() bool {
			var err error
			j, err = u.speech(id)
			return err == nil && j.State.Final()
		})
		assert.Equal(t, []any{job.Succeeded, by}, []any{j.State, j.Model}, "%+v", j.Error)
		assert.Positive(t, j.DurationMS)
	}
	trouble := localai.ModelsFail
	trouble.Model, trouble.Tenant = model, one.tenant
	mend := troubled(t, trouble)
	spoken(one, speak(one, "The bell rings at noon."), fallback)
	spoken(two, speak(two, "The bell rings at noon."), model)
	mend()

	trouble.Model = "" // of all
	mend = troubled(t, trouble)
	waits := speak(one, "The bell rings at dusk.")
	spoken(two, speak(two, "The bell rings at dusk."), model)
	eventually(t, "both are asked, and asked again", func() bool {
		failed := map[string]int{}
		for _, call := range gatewayLog(t, one.tenant) {
			if !call.Success {
				failed[call.Model]++
			}
		}
		return failed[model] > 2 && failed[fallback] > 1 // one of the model's was answered by the fallback
	})
	j, err := one.speech(waits)
	require.NoError(t, err)
	assert.False(t, j.State.Final(), "it is not given up")
	mend()
	spoken(one, waits, model)
	assert.Empty(t, one.letters(""))
}
