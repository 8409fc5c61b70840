package quota_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/tenantstest"
)

func TestWhatACallIsBookedUnder(t *testing.T) {
	ctx := t.Context()
	for purpose, want := range map[string]string{
		"document": quota.Ingest, "query": quota.Search, "rewrite": quota.Search, "rerank": quota.Search, "answer": quota.Search,
		"chat": quota.Chat, "summary": quota.Chat, "safety": quota.Chat, "tools": quota.Tools, "speech": quota.Speech, "embeddings": quota.Embeddings,
		"of tomorrow": "of tomorrow",
	} {
		assert.Equal(t, want, quota.CapabilityOf(ctx, purpose), purpose)
		assert.Equal(t, quota.Chat, quota.CapabilityOf(quota.Under(ctx, quota.Chat), purpose), "a turn's, whatever it asks")
		assert.Equal(t, quota.Tools, quota.CapabilityOf(quota.Under(quota.Under(ctx, quota.Chat), quota.Tools), purpose), "a turn's tool's")
	}
}

// An account has lines of versions that knew neither purposes nor neurons, and of what was never settled. It is read as one.
func TestAnAccountOfSeveralVersionsIsReadAsOne(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	ledger := memory.NewQuota(time.Now)
	day := quota.DayOf(time.Now())
	of := func(capability, purpose string, nanos int64, neurons quota.Neurons) quota.Line {
		return quota.Line{Day: day, Capability: capability, Purpose: purpose, Model: "m", Calls: 1, Prompt: 3, Nanos: nanos, Neurons: neurons}
	}
	carry := func(s tenants.Scope, lines ...quota.Line) {
		require.NoError(t, ledger.Carry(t.Context(), s, day[:8]+"01", lines))
	}
	carry(acme, of("query", "", 11_000, 0), of("search", "query", 12_000, 1_234_567), of("chat", "query", 5, 7), of("unsettled", "", 33, 0), of("rerank", "", 1, 0))
	carry(globex, of("query", "", 11, 0))

	gate := quota.NewGate(ledger, func(context.Context, tenants.Scope) (quota.Limits, error) { return quota.Limits{}, nil }, nil)
	st, err := gate.Statement(t.Context(), acme, day, day)
	require.NoError(t, err)
	both := of("search", "query", 23_000, 2_234_567)
	both.Calls, both.Prompt = 2, 6
	assert.Equal(t, []quota.Line{of("chat", "query", 5, 7), both, of("search", "rerank", 1, 90), of("unsettled", "", 33, 3_000)}, st.Lines)

	st, err = gate.Statement(t.Context(), globex, day, day)
	require.NoError(t, err)
	assert.Equal(t, []quota.Line{of("search", "query", 11, 1_000)}, st.Lines)
}

// Neurons are the same number in rows, on the wire and for whoever reads the account.
func TestNeuronsAreWrittenExactly(t *testing.T) {
	for n, want := range map[quota.Neurons]string{
		0: "0", 1: "0.000001", 26_668: "0.026668", 1_000_000: "1", -2_500_000: "-2.5", 4_503_599_627_370_495: "4503599627.370495",
	} {
		text, err := json.Marshal(n)
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
		var back quota.Neurons
		require.NoError(t, json.Unmarshal(text, &back))
		assert.Equal(t, n, back)
	}
	var n quota.Neurons
	assert.Error(t, json.Unmarshal([]byte(`"x"`), &n))
	assert.Equal(t, quota.Neurons(1_000_000), quota.NeuronsOf(quota.NanosPerNeuron))
}
