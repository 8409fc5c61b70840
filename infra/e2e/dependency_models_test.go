package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/dev/localai"
	"levada.dev/infra/stack"
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

// A gateway that is down, or has a tenant's spend limit used up, stops that tenant's models and nobody else's; documents wait, and none is given up.
func TestAIGatewayIsDown(t *testing.T) {
	one, two := modelled(t), modelled(t)
	for code, trouble := range map[string]localai.Trouble{"model_unavailable": localai.GatewayDown, "model_busy": localai.SpendLimit} {
		trouble.Tenant = one.tenant
		mend := troubled(t, trouble)
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
