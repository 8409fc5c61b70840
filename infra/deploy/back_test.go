package deploy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/stack"
)

// killed deploys a release and is killed when it says this.
func (w *world) killed(d *deploy.Desired, says string) {
	w.t.Helper()
	o := w.options()
	o.Progress = func(line string) {
		w.said = append(w.said, line)
		if strings.HasPrefix(line, says) {
			w.cutFrom = w.writes + 1 + len(d.Stack.Workers) // the traffic of this step is still divided
		}
	}
	require.Error(w.t, deploy.Apply(w.t.Context(), w.plan(w.acme(), d), o))
	w.cutFrom = 0
}

// Whoever was killed with all the traffic on a version that nobody had asked how it is goes on, and takes it back when it is not well.
func TestASickVersionOfAnotherRunIsTakenBack(t *testing.T) {
	w := newWorld(t)
	first, second := w.desired("acme", "v1", "one"), w.desired("acme", "v2", "two")
	w.deploy(w.acme(), first)
	w.killed(second, "traffic 100 %")
	require.Contains(t, w.health("api.acme.example"), `"version":"v2"`)
	w.api.Sick(func(_, _, tag string) int { return map[bool]int{true: 500}[tag == "v2"] })
	var back *deploy.RolledBackError
	require.ErrorAs(t, w.apply(w.plan(w.acme(), second)), &back)
	assert.Contains(t, w.health("api.acme.example"), `"version":"v1"`)
	w.api.Sick(nil)
	p := w.plan(w.acme(), first)
	for _, a := range p.Actions {
		assert.False(t, a.Kind == "worker" && a.Op != deploy.Same, "%s", a)
	}
	w.deploy(w.acme(), second)
}

// The way back from a deployment that nobody finished leads to the release that was noted last.
func TestTheWayBackFromAnUnfinishedDeployment(t *testing.T) {
	w := newWorld(t)
	first, second := w.desired("acme", "v1", "one"), w.desired("acme", "v2", "two")
	w.deploy(w.acme(), first)
	w.deploy(w.acme(), second)
	w.killed(w.desired("acme", "v3", "three"), "traffic 100 %")
	back, err := deploy.MakeReturn(t.Context(), w.acme(), first.Unit, "", deploy.PlanOptions{})
	require.NoError(t, err)
	assert.Equal(t, "v2", back.To.Release)
	require.NoError(t, w.apply(back.Plan))
	assert.Contains(t, w.health("api.acme.example"), `"version":"v2"`)
	w.still(w.acme(), second)
}

// A step of the canary that fails takes back what went up at once before it, too, and names what cannot go back.
func TestAFailingStepTakesEverythingBack(t *testing.T) {
	sick := func(w *world) {
		w.api.Sick(func(_, _, tag string) int { return map[bool]int{true: 500}[tag == "v2"] })
	}
	w := newWorld(t)
	first, second := w.desired("acme", "v1", "one"), w.desired("acme", "v2", "two")
	w.deploy(w.acme(), first)
	second.Stack.Workflows = append(second.Stack.Workflows, stack.Workflow{Name: "tour", Class: "Tour", Role: stack.Workflows})
	sick(w)
	var back *deploy.RolledBackError
	require.ErrorAs(t, w.apply(w.plan(w.acme(), second)), &back)
	assert.Empty(t, back.Stayed)
	for _, a := range w.plan(w.acme(), first).Actions {
		assert.False(t, a.Kind == "worker" && a.Op != deploy.Same, "%s", a)
	}

	w = newWorld(t)
	w.deploy(w.acme(), first)
	second.Stack.Objects = append(second.Stack.Objects, stack.Object{Class: "Room", Role: stack.Objects})
	sick(w)
	require.ErrorAs(t, w.apply(w.plan(w.acme(), second)), &back)
	assert.Equal(t, []string{"acme-prod-objects"}, back.Stayed)
	assert.ErrorContains(t, back, "without acme-prod-objects, which could not go back")
}

// After a key was renewed and the release before it came back, the next deployment gives the Workers the new key again.
func TestKeysAreThoseOfTheVersion(t *testing.T) {
	w := newWorld(t)
	first, second := w.desired("acme", "v1", "one"), w.desired("acme", "v2", "one")
	w.deploy(w.acme(), first)
	second.Secrets[stack.SealKey] = "another key made of many random bits"
	w.deploy(w.acme(), second)
	back, err := deploy.MakeReturn(t.Context(), w.acme(), first.Unit, "", deploy.PlanOptions{})
	require.NoError(t, err)
	require.NoError(t, w.apply(back.Plan))
	w.still(w.acme(), first)
	assert.Contains(t, strings.Join(changes(w.plan(w.acme(), second)), "\n"), "its secrets are others")
	w.deploy(w.acme(), second)
}

func TestWhoeverLeavesAfterTheTrafficTakesItBack(t *testing.T) {
	w := newWorld(t)
	first, second := w.desired("acme", "v1", "one"), w.desired("acme", "v2", "two")
	second.Tenants = published(t, "acme", "Renamed")
	w.deploy(w.acme(), first)
	ctx, leave := context.WithCancelCause(t.Context())
	o := w.options()
	o.Progress = func(line string) {
		if strings.Contains(line, "~ tenants") {
			leave(errors.New("the user left"))
		}
	}
	var back *deploy.RolledBackError
	require.ErrorAs(t, deploy.Apply(ctx, w.plan(w.acme(), second), o), &back)
	assert.Contains(t, w.health("api.acme.example"), `"version":"v1"`)
	assert.Equal(t, "Inc", nameOf(t, w, acmeAccount, "acme"))
	w.still(w.acme(), first)
}
