package llm_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

func TestCandidates(t *testing.T) {
	m := tenants.Models{Chat: cheap, ChatAllowed: []string{dear, other}, ChatFallback: []string{other, cheap, small, other}}
	tests := []struct {
		requested string
		want      []string
	}{
		{"", []string{cheap, other, small}},
		{llm.Default, []string{cheap, other, small}},
		{cheap, []string{cheap, other, small}},
		{dear, []string{dear, other, cheap, small}},
		{other, []string{other, cheap, small}},
	}
	for _, tt := range tests {
		got, err := llm.Candidates(m, tt.requested)
		require.NoError(t, err, tt.requested)
		assert.Equal(t, find(t, tt.want...), got, tt.requested)
	}
	alone, err := llm.Candidates(tenants.Models{Chat: cheap}, "")
	require.NoError(t, err)
	assert.Equal(t, find(t, cheap), alone)
}

func TestCandidatesRefused(t *testing.T) {
	m := tenants.Models{Chat: cheap, ChatAllowed: []string{dear, cheap}, ChatFallback: []string{other}}
	assert.Equal(t, []string{"default", cheap, dear}, llm.Nameable(m))
	for _, requested := range []string{small, other} { // to be a fallback does not allow it
		_, err := llm.Candidates(m, requested)
		f := fault.As(err)
		assert.Equal(t, fault.Denied, f.Kind)
		assert.Equal(t, "model_not_allowed", f.Code)
		assert.Equal(t, "allowed are default, "+cheap+", "+dear, f.Hint)
	}
	_, err := llm.Candidates(m, "gpt-5")
	f := fault.As(err)
	assert.Equal(t, fault.Invalid, f.Kind)
	assert.Equal(t, "model_unknown", f.Code)
	assert.Equal(t, "model", f.Field)
	assert.Contains(t, f.Hint, dear)

	for _, m := range []tenants.Models{{}, {Chat: "gone"}, {Chat: cheap, ChatFallback: []string{"gone"}}} {
		_, err := llm.Candidates(m, "")
		assert.Equal(t, "model_unconfigured", fault.As(err).Code, "a configuration that names what does not exist is not the caller's mistake")
	}
}
