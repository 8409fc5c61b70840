package deploy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/stack"
)

// Where only patterns lead nobody can be asked: that is said beforehand and on the way, and each step takes its time all the same.
func TestACanaryThatAsksNobodySaysSo(t *testing.T) {
	w := newWorld(t)
	wanted := func(release, code string) *deploy.Desired {
		d := w.desired("acme", release, code)
		d.Stack.Domains, d.Stack.WorkersDev = nil, false
		d.Stack.Routes = []stack.Route{{Pattern: "*.acme.example/*", Zone: "acme.example"}}
		return d
	}
	first, second := wanted("v1", "one"), wanted("v2", "two")
	p := w.plan(w.acme(), first)
	p.Warn(w.options().Canary)
	assert.Empty(t, p.Warnings, "the first deployment has no canary")
	w.deploy(w.acme(), first)

	p = w.plan(w.acme(), second)
	p.Warn(deploy.Canary{})
	assert.Empty(t, p.Warnings)
	p.Warn(w.options().Canary)
	require.Len(t, p.Warnings, 1)
	assert.Contains(t, p.Warnings[0], "held against nothing")
	assert.Contains(t, p.Warnings[0], "only patterns lead")
	w.said = nil
	o := w.options()
	var waited []time.Duration
	o.Sleep = func(ctx context.Context, d time.Duration) error {
		waited = append(waited, d)
		return ctx.Err()
	}
	require.NoError(t, deploy.Apply(t.Context(), p, o))
	assert.Equal(t, []time.Duration{o.Canary.Bake, o.Canary.Bake}, waited, "at 10 and 50 %; at 0 % there is nothing to see")
	assert.Equal(t, 4, strings.Count(strings.Join(w.said, "\n"), "is asked how it is: only patterns")+strings.Count(strings.Join(w.said, "\n"), "was asked how it is: only patterns"))
	w.still(w.acme(), second)

	// Whoever leaves while a step takes its time has it taken back.
	third := wanted("v3", "three")
	ctx, leave := context.WithCancelCause(t.Context())
	o.Sleep = func(ctx context.Context, _ time.Duration) error {
		leave(errors.New("the user left"))
		return ctx.Err()
	}
	var back *deploy.RolledBackError
	require.ErrorAs(t, deploy.Apply(ctx, w.plan(w.acme(), third), o), &back)
	w.still(w.acme(), second)
}

// While the address changes, a canary asks at the one that leads to the Worker already.
func TestACanaryAsksAtTheOldAddress(t *testing.T) {
	w := newWorld(t)
	first, second := w.desired("acme", "v1", "one"), w.desired("acme", "v2", "two")
	first.Stack.WorkersDev, first.Stack.Routes = false, nil
	second.Stack.WorkersDev, second.Stack.Routes, second.Stack.Domains = false, nil, []string{"new.acme.example"}
	w.deploy(w.acme(), first)
	p := w.plan(w.acme(), second)
	p.Warn(w.options().Canary)
	assert.Empty(t, p.Warnings)
	w.api.Sick(func(_, _, tag string) int { return map[bool]int{true: 500}[tag == "v2"] })
	err := w.apply(p)
	assert.ErrorContains(t, err, "at 0 %: https://api.acme.example/health: answers 500")
	w.api.Sick(nil)
	w.still(w.acme(), first)
}
