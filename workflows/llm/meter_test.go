package llm_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

// Whoever counts is told what the ledger has, of its own tenant's calls, whatever came of them.
func TestAMeterHasWhatIsBooked(t *testing.T) {
	gate, acme, globex := &quotatest.Gate{}, scope(t, "acme"), scope(t, "globex")
	var fails error
	inner := &llmtest.Embedder{After: func(llm.Call, []string) error { return fails }}
	e, r := llm.NewPaidEmbedder(inner, gate), llm.NewPaidReranker(&llmtest.Reranker{}, gate)
	counted := map[tenants.ID]quota.Amount{}
	run := func(s tenants.Scope) {
		ctx := llm.Metered(t.Context(), func(tokens, nanos int64) {
			sum := counted[s.Tenant()]
			counted[s.Tenant()] = quota.Amount{Tokens: sum.Tokens + tokens, Nanos: sum.Nanos + nanos}
		})
		_, err := e.Embed(ctx, s, llm.Call{Model: "@cf/baai/bge-m3", Purpose: llm.ForTools, RequestID: "r"}, []string{"terraced fields"})
		assert.Equal(t, fails, err)
		_, err = r.Rerank(ctx, s, llm.Call{Model: llm.DefaultReranker, Purpose: llm.ForRerank, RequestID: "r"}, "where?", []string{"above the sea"})
		require.NoError(t, err)
	}
	run(acme)
	run(globex)
	fails = fault.New(fault.Unavailable, llm.CodeBrokeOff, "", nil)
	run(acme)
	fails = fault.New(fault.Unavailable, "model_busy", "", nil)
	run(acme)
	for _, s := range []tenants.Scope{acme, globex} {
		var booked quota.Amount
		for _, u := range gate.Used(s) {
			booked.Tokens += u.Prompt + u.Completion
			booked.Nanos += u.Nanos
		}
		assert.Positive(t, booked.Nanos)
		assert.Equal(t, booked, counted[s.Tenant()])
	}
	assert.Greater(t, counted["acme"].Nanos, counted["globex"].Nanos)
	_, err := e.Embed(t.Context(), globex, llm.Call{Model: "@cf/baai/bge-m3", Purpose: llm.ForTools, RequestID: "r"}, []string{"nobody counts"})
	assert.Equal(t, fails, err)
	gate.Check(t)

	w, spent := newWorld(t), quota.Amount{}
	ctx := llm.Metered(t.Context(), func(tokens, nanos int64) { spent = quota.Amount{Tokens: tokens, Nanos: nanos} })
	a, err := w.Generate(ctx, acme, dictated(t, `{"tokens":["a","b"],"usage":{"prompt":20,"completion":2}}`, cheap))
	require.NoError(t, err)
	_, err = llmtest.Collect(t, a)
	require.NoError(t, err)
	require.NoError(t, a.Close())
	assert.Equal(t, quota.Amount{Tokens: 22, Nanos: 4000}, spent)
}
