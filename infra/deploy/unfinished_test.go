package deploy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/double"
)

// putBack puts what Workers had in a release back by hand, as somebody does in the dashboard.
func (w *world) putBack(live map[string]string) {
	w.api.Edit(acmeAccount, func(a *double.Account) {
		for script, version := range live {
			a.Deploy(script, version)
		}
	})
}

// live is which version each Worker has.
func (w *world) live() map[string]string {
	all := map[string]string{}
	w.api.Edit(acmeAccount, func(a *double.Account) {
		for _, script := range a.Scripts() {
			for version, percent := range a.Live(script) {
				if percent == 100 {
					all[script] = version
				}
			}
		}
	})
	return all
}

// What somebody has put in the place of a release that went wrong keeps the traffic: while the next one is tried out, when that is sick, and
// when it fails before anything has changed. A plan says so.
func TestWhatSomebodyWentBackToKeepsTheTraffic(t *testing.T) {
	back := func(t *testing.T) (*world, map[string]string) {
		w := newWorld(t)
		w.deploy(w.acme(), w.desired("acme", "v1", "one"))
		good := w.live()
		w.deploy(w.acme(), w.desired("acme", "v2", "two"))
		w.putBack(good)
		require.Contains(t, w.health("api.acme.example"), `"version":"v1"`)
		return w, good
	}
	t.Run("the next is tried out", func(t *testing.T) {
		w, _ := back(t)
		third := w.desired("acme", "v3", "three")
		p := w.plan(w.acme(), third)
		for _, a := range p.Actions {
			if a.Kind == "worker" {
				assert.Contains(t, a.String(), "is deployed, release v2 has")
			}
		}
		w.wrote = func(int, bool) { assert.NotContains(t, w.health("api.acme.example"), `"version":"v2"`) }
		require.NoError(t, w.apply(p))
		w.wrote = nil
		w.still(w.acme(), third)
	})
	t.Run("the next is sick", func(t *testing.T) {
		w, good := back(t)
		w.api.Sick(func(_, _, tag string) int { return map[bool]int{true: 500}[tag == "v3"] })
		var rolled *deploy.RolledBackError
		require.ErrorAs(t, w.apply(w.plan(w.acme(), w.desired("acme", "v3", "three"))), &rolled)
		assert.Empty(t, rolled.To, "it is no release that was noted last")
		assert.Equal(t, good, w.live())
	})
	t.Run("nothing of the next arrives", func(t *testing.T) {
		w, good := back(t)
		p := w.plan(w.acme(), w.desired("acme", "v3", "three"))
		w.refuseAt = w.writes + 1
		var rolled *deploy.RolledBackError
		err := w.apply(p)
		require.Error(t, err)
		assert.NotErrorAs(t, err, &rolled)
		assert.Equal(t, good, w.live())
	})
}

// A way back that was killed at any write goes on where it was going when the same command is given again.
func TestAWayBackThatIsKilledGoesOn(t *testing.T) {
	begin := func(t *testing.T) (*world, *deploy.Desired) {
		w := newWorld(t)
		first := w.desired("acme", "v1", "one")
		w.deploy(w.acme(), first)
		second := w.desired("acme", "v2", "two")
		second.Tenants = published(t, "acme", "Renamed")
		w.deploy(w.acme(), second)
		return w, first
	}
	returns := func(w *world) *deploy.Return {
		back, err := deploy.MakeReturn(w.t.Context(), w.acme(), w.desired("acme", "v1", "one").Unit, "", deploy.PlanOptions{})
		require.NoError(w.t, err)
		require.Equal(w.t, "v1", back.To.Release)
		return back
	}
	whole, _ := begin(t)
	first := whole.writes
	require.NoError(t, whole.apply(returns(whole).Plan))
	require.Greater(t, whole.writes, first+4)
	for n := first + 1; n <= whole.writes; n++ {
		w, release := begin(t)
		w.cutFrom = n
		require.Error(t, w.apply(returns(w).Plan), "write %d", n)
		w.cutFrom = 0
		require.NoError(t, w.apply(returns(w).Plan), "after write %d", n)
		w.still(w.acme(), release)
	}
}
