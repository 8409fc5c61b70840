package deploy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/stack"
)

// A release's name means one thing: it is refused for something else before anything is written.
func TestANameIsOfOneRelease(t *testing.T) {
	for name, change := range map[string]func(d *deploy.Desired){
		"code":          func(d *deploy.Desired) { recode(d, stack.API, "other") },
		"configuration": func(d *deploy.Desired) { d.Tenants = published(t, "acme", "Renamed") },
		"table":         func(d *deploy.Desired) { d.Stack.Gateway.Spend[0].USD = 99 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.deploy(w.acme(), w.desired("acme", "v1", "one"))
			other := w.desired("acme", "v1", "one")
			change(other)
			w.refused(other)
			w.deploy(w.acme(), w.desired("acme", "v2", "two"))
			w.refused(other)
			w.deploy(w.globex(), func() *deploy.Desired { d := w.desired("globex", "v1", "other"); return d }())

			w.deploy(w.acme(), w.desired("acme", "v1", "one")) // what the name is of
			other.Release = "v3"
			w.deploy(w.acme(), other)
		})
	}
}

// refused looks that a name is refused, and nothing done.
func (w *world) refused(d *deploy.Desired) {
	w.t.Helper()
	p := w.plan(w.acme(), d)
	require.Len(w.t, p.Refused(), 1)
	assert.Equal(w.t, "x release v1  (is kept with other content: choose another name)", p.Refused()[0].String())
	before := len(w.api.Writes())
	var refused *deploy.RefusedError
	require.ErrorAs(w.t, w.apply(p), &refused)
	assert.Len(w.t, w.api.Writes(), before)
}

// A run that was stopped goes on under its name, also with other code; and one that is taken back leaves the release that was kept under it.
func TestAStoppedReleaseKeepsItsName(t *testing.T) {
	w := newWorld(t)
	first := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), first)
	w.killed(w.desired("acme", "v2", "two"), "traffic 100 %")
	w.deploy(w.acme(), w.desired("acme", "v2", "two, mended"))

	w.api.Sick(func(_, _, tag string) int { return map[bool]int{true: 500}[tag == "v1"] })
	var back *deploy.RolledBackError
	require.ErrorAs(t, w.apply(w.plan(w.acme(), first)), &back)
	w.api.Sick(nil)
	assert.Contains(t, w.keeps(acmeAccount, "acme", "release"), "v1")
	ret, err := deploy.MakeReturn(t.Context(), w.acme(), first.Unit, "v1", deploy.PlanOptions{})
	require.NoError(t, err)
	require.NoError(t, w.apply(ret.Plan))
	w.still(w.acme(), first)
}

// A note that fails, when a kept release is deployed anew under its name, leaves that as it was.
func TestAFailedNoteLeavesTheKeptRelease(t *testing.T) {
	probe := newWorld(t)
	first := probe.desired("acme", "v1", "one")
	probe.deploy(probe.acme(), first)
	probe.deploy(probe.acme(), probe.desired("acme", "v2", "two"))
	before := probe.writes
	probe.deploy(probe.acme(), first)
	last := probe.writes - before

	w := newWorld(t)
	w.deploy(w.acme(), first)
	w.deploy(w.acme(), w.desired("acme", "v2", "two"))
	kept := w.api.KV(acmeAccount, "acme-prod-config")["levada/release/v1"]
	p := w.plan(w.acme(), first)
	w.refuseAt = w.writes + last
	var back *deploy.RolledBackError
	require.ErrorAs(t, w.apply(p), &back)
	assert.JSONEq(t, kept, w.api.KV(acmeAccount, "acme-prod-config")["levada/release/v1"])
	w.deploy(w.acme(), first)
}

// Whoever was killed between the two writes of a note has not used up the name: that release was never live.
func TestANameIsNotUsedUpByHalfANote(t *testing.T) {
	w := newWorld(t)
	first := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), first)
	w.deploy(w.globex(), w.desired("globex", "v1", "one"))
	o := w.options()
	o.Progress = func(line string) {
		if line == "~ release v2" {
			w.cutFrom = w.writes + 2
		}
	}
	require.Error(t, deploy.Apply(t.Context(), w.plan(w.acme(), w.desired("acme", "v2", "two")), o))
	w.cutFrom = 0
	require.Contains(t, w.keeps(acmeAccount, "acme", "release"), "v2")
	mended := w.desired("acme", "v2", "two, mended")
	p := w.plan(w.acme(), mended)
	assert.Contains(t, changes(p), "~ release v2  (was noted by a deployment that was stopped then, and never live: it is noted anew)")
	w.deploy(w.acme(), mended)

	other := w.desired("globex", "v2", "three")
	w.deploy(w.globex(), other)
	back, err := deploy.MakeReturn(t.Context(), w.globex(), other.Unit, "", deploy.PlanOptions{})
	require.NoError(t, err)
	late := w.options()
	late.Now = func() time.Time { return w.now.Add(-time.Hour) } // the clock of whoever goes back is behind
	require.NoError(t, deploy.Apply(t.Context(), back.Plan, late))
	p = w.plan(w.globex(), w.desired("globex", "v2", "four"))
	require.Len(t, p.Refused(), 1, "it was live")
}

// The releases are in the order in which they were noted, whatever they are called.
func TestReleasesAreInTheOrderOfTheirNotes(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"v9", "v10", "hotfix"} {
		w.deploy(w.acme(), w.desired("acme", name, name))
	}
	w.deploy(w.globex(), w.desired("globex", "v1", "one"))
	s, err := deploy.ReadStatus(t.Context(), w.acme(), deploy.Unit{Pool: "acme", Env: "prod"})
	require.NoError(t, err)
	assert.Equal(t, []string{"v9", "v10", "hotfix"}, s.Releases)
}
