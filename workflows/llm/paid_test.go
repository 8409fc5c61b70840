package llm_test

import (
	"context"
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

func TestPaidEmbedder(t *testing.T) {
	for _, m := range llm.EmbeddingModels() {
		t.Run(m.Slug, func(t *testing.T) {
			gate := &quotatest.Gate{}
			llmtest.TestEmbedder(t, m, func(*testing.T) llm.Embedder { return llm.NewPaidEmbedder(&llmtest.Embedder{}, gate) })
			gate.Check(t)
		})
	}
}

func TestAnEmbeddingIsPaidByItsTenant(t *testing.T) {
	gate, acme, globex := &quotatest.Gate{}, scope(t, "acme"), scope(t, "globex")
	inner := &llmtest.Embedder{}
	e := llm.NewPaidEmbedder(inner, gate)
	call := llm.Call{Model: "@cf/baai/bge-m3", Purpose: llm.ForQuery, RequestID: "r"}
	texts := []string{"terraced fields", "above the sea"}
	got, err := e.Embed(t.Context(), acme, call, texts)
	require.NoError(t, err)
	assert.Len(t, got.Vectors, 2)
	assert.Equal(t, []quota.Use{{Capability: "search", Purpose: "query", Model: call.Model, Prompt: 5, Neurons: 5 * 1075, Nanos: 60}}, gate.Used(acme))
	held := gate.Asked(acme)[0].Amount
	assert.GreaterOrEqual(t, held.Tokens, int64(len("terraced fields"+"above the sea")))
	assert.Equal(t, held.Tokens*12, held.Nanos)
	assert.Empty(t, gate.Used(globex))

	call.Purpose = llm.ForDocument
	_, err = e.Embed(t.Context(), globex, call, texts)
	require.NoError(t, err)
	assert.Equal(t, []string{"ingest", "document"}, []string{gate.Used(globex)[0].Capability, gate.Used(globex)[0].Purpose})
	gate.Check(t)
}

// mute does not say how many tokens it read.
type mute struct{ llm.Embedder }

func (m mute) Embed(ctx context.Context, s tenants.Scope, c llm.Call, texts []string) (llm.Embedded, error) {
	out, err := m.Embedder.Embed(ctx, s, c, texts)
	out.Tokens = 0
	return out, err
}

func TestEmbeddingsThatFail(t *testing.T) {
	call := llm.Call{Model: "@cf/baai/bge-m3", Purpose: llm.ForEmbeddings, RequestID: "r"}
	text := []string{"terraced fields above the sea"}
	tests := []struct {
		name string
		err  error
		paid bool
	}{
		{"busy", fault.New(fault.Unavailable, "model_busy", "", nil), false},
		{"the quota", fault.New(fault.Limited, "model_quota", "", nil), false},
		{"refused", fault.New(fault.Invalid, "model_refused", "", nil), false},
		{"it broke off", fault.New(fault.Unavailable, llm.CodeBrokeOff, "", nil), true},
		{"an answer nobody understands", fault.New(fault.Internal, "model_answer", "", nil), true},
		{"it does not say", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			gate, acme := &quotatest.Gate{}, scope(t, "acme")
			inner := &llmtest.Embedder{After: func(llm.Call, []string) error { return tt.err }}
			_, err := llm.NewPaidEmbedder(mute{inner}, gate).Embed(t.Context(), acme, call, text)
			assert.Equal(t, tt.err, err)
			gate.Check(t)
			if !tt.paid {
				assert.Empty(t, gate.Used(acme))
				return
			}
			require.Len(t, gate.Used(acme), 1)
			assert.Equal(t, quota.Use{Capability: "embeddings", Purpose: "embeddings", Model: call.Model, Prompt: 10, Neurons: 10 * 1075, Nanos: 120, Estimated: true}, gate.Used(acme)[0])
		})
	}
	t.Run("the caller leaves", func(t *testing.T) {
		gate, acme := &quotatest.Gate{}, scope(t, "acme")
		ctx, cancel := context.WithCancel(t.Context())
		inner := &llmtest.Embedder{Before: func(llm.Call, []string) error { cancel(); return ctx.Err() }}
		_, err := llm.NewPaidEmbedder(inner, gate).Embed(ctx, acme, call, text)
		require.Error(t, err)
		gate.Check(t)
		require.Len(t, gate.Used(acme), 1)
		assert.True(t, gate.Used(acme)[0].Estimated)
	})
	t.Run("no budget", func(t *testing.T) {
		gate, inner := &quotatest.Gate{Refuse: func(tenants.Scope, quota.Ask) error {
			return fault.New(fault.Limited, "budget_exhausted", "", nil)
		}}, &llmtest.Embedder{}
		_, err := llm.NewPaidEmbedder(inner, gate).Embed(t.Context(), scope(t, "acme"), call, text)
		assert.Equal(t, "budget_exhausted", fault.As(err).Code)
		assert.Empty(t, inner.Calls(), "nothing passes unpaid")
	})
}
