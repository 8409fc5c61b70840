package llm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

func TestARerankIsPaid(t *testing.T) {
	gate, model := &quotatest.Gate{}, &llmtest.Reranker{}
	r := llm.NewPaidReranker(model, gate)
	acme, globex := tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")
	call := llm.Call{Model: llm.DefaultReranker, Purpose: llm.ForRerank}

	out, err := r.Rerank(t.Context(), acme, call, "water", []string{"fire", "water flows"})
	require.NoError(t, err)
	require.Len(t, out.Scores, 2)
	assert.Greater(t, out.Scores[1], out.Scores[0])
	used := gate.Used(acme)
	require.Len(t, used, 1)
	assert.Equal(t, []string{"search", "rerank"}, []string{used[0].Capability, used[0].Purpose})
	assert.EqualValues(t, out.Tokens, used[0].Prompt)
	assert.EqualValues(t, used[0].Prompt*3, used[0].Nanos)
	assert.Empty(t, gate.Used(globex))

	for _, bad := range [][]string{nil, {""}, strings.Split(strings.Repeat("x,", 51), ",")} {
		_, err := r.Rerank(t.Context(), globex, call, "water", bad)
		assert.True(t, fault.Is(err, fault.Invalid), "%v", err)
	}
	_, err = r.Rerank(t.Context(), tenants.Scope{}, call, "water", []string{"a"})
	assert.Equal(t, tenants.ErrNoScope, err)
	call.Model = "@cf/nobody/knows"
	_, err = r.Rerank(t.Context(), acme, call, "water", []string{"a"})
	assert.True(t, fault.Is(err, fault.Invalid))
	assert.Len(t, model.Calls(), 1)
}
