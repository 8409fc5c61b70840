package deploy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/stack"
)

func TestAUnitsNamesAreItsOwn(t *testing.T) {
	s := stack.Levada(stack.Pool{})
	for _, good := range []Unit{{"acme", "prod"}, {"a", "dev"}, {"prod", "stage"}, {"production-team", "prod"}} {
		require.NoError(t, good.Check(&s), good)
	}
	for unit, code := range map[Unit]string{
		{"acme", "production"}:           "env_unknown",
		{"acme", ""}:                     "env_unknown",
		{"Acme", "prod"}:                 "pool_invalid",
		{"", "prod"}:                     "pool_invalid",
		{"-a", "prod"}:                   "pool_invalid",
		{"acme-prod", "dev"}:             "pool_ambiguous",
		{"acme-stage-eu", "prod"}:        "pool_ambiguous",
		{strings.Repeat("a", 60), "dev"}: "pool_too_long",
	} {
		assert.Equal(t, code, fault.As(unit.Check(&s)).Code, unit)
	}
	assert.True(t, Unit{"acme", "prod"}.owns("acme-prod-api"))
	assert.False(t, Unit{"acme", "prod"}.owns("acme-production-api"))
	assert.False(t, Unit{"acm", "prod"}.owns("acme-prod-api"))
}

func TestWhoseAWorkerIs(t *testing.T) {
	u := Unit{"acme", "prod"}
	for name, c := range map[string]struct {
		tags        []string
		ours, taken bool
	}{
		"nobody's":       {nil, false, false},
		"wrangler's":     {[]string{"cf:service=acme-prod-api"}, false, false},
		"ours":           {append(u.tags(), "spec=x"), true, false},
		"another pool's": {Unit{"globex", "prod"}.tags(), false, true},
		"of another env": {Unit{"acme", "dev"}.tags(), false, true},
	} {
		ours, taken := u.owner(c.tags)
		assert.Equal(t, []bool{c.ours, c.taken}, []bool{ours, taken}, name)
	}
}

func TestReleaseNames(t *testing.T) {
	for _, good := range []string{"v1.2.3", "20261122-2005-2fa26d8", "r_1"} {
		assert.NoError(t, CheckRelease(good))
	}
	for _, bad := range []string{"", "-v1", "a b", "a/b", strings.Repeat("x", 51), "ü"} {
		assert.Equal(t, "release_invalid", fault.As(CheckRelease(bad)).Code, bad)
	}
}
