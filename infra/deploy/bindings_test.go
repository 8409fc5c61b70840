package deploy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/stack"
)

// A pool that begins to write to Analytics Engine has a dataset of its own, which is bound to the Workers that count and to no other.
func TestAPoolBeginsToWriteAnalytics(t *testing.T) {
	w := newWorld(t)
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
	d := w.desired("acme", "v2", "one")
	d.Stack.Workers = stack.Levada(stack.Pool{Name: "acme", Env: "prod", Analytics: true}).Workers
	p := w.plan(w.acme(), d)
	w.api.Forget()
	require.NoError(t, w.apply(p))
	uploads := 0
	for _, r := range w.api.Requests() {
		text, err := json.Marshal(r.Body)
		require.NoError(t, err)
		uploads += strings.Count(string(text), `"dataset":"acme_prod_levada_meters"`)
	}
	assert.Equal(t, 3, uploads)
	w.still(w.acme(), d)
}

// A pool that keeps more traces tells the Workers that count, and no other; the other pool is as it was.
func TestAPoolKeepsMoreTraces(t *testing.T) {
	w := newWorld(t)
	globex := w.desired("globex", "v1", "one")
	w.deploy(w.globex(), globex)
	d := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), d)
	d = w.desired("acme", "v2", "one")
	d.Stack.Observability.Traces = 50
	w.api.Forget()
	require.NoError(t, w.apply(w.plan(w.acme(), d)))
	uploads := 0
	for _, r := range w.api.Requests() {
		text, err := json.Marshal(r.Body)
		require.NoError(t, err)
		assert.NotContains(t, string(text), `"name":"TRACES","text":"10"`)
		uploads += strings.Count(string(text), `"name":"TRACES","text":"50","type":"plain_text"`)
	}
	assert.Equal(t, 3, uploads)
	w.still(w.acme(), d)
	w.still(w.globex(), globex)
}

func TestANamespaceThatWasDeletedIsMadeAndBoundAnew(t *testing.T) {
	for _, name := range []string{"config", "cache"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := w.desired("acme", "v1", "one")
			w.deploy(w.acme(), d)
			unit := d.Unit
			w.api.Edit(acmeAccount, func(a *double.Account) { a.DeleteNamespace("acme-prod-" + name) })
			p := w.plan(w.acme(), d)
			assert.True(t, slices.ContainsFunc(changes(p), func(l string) bool {
				return strings.Contains(l, "binding "+strings.ToUpper(name)+" leads to a namespace that is gone")
			}), changes(p))
			_, err := deploy.MakeDrift(t.Context(), w.acme(), unit)
			if name == "config" {
				assert.ErrorContains(t, err, "release_lost", "its notes were in it: that is not a pool that was never deployed")
			} else {
				assert.NoError(t, err)
			}
			adopt := deploy.PlanOptions{Adopt: name == "config"} // what says whose the rest is was in it
			if adopt.Adopt {
				assert.NotEmpty(t, p.Refused(), "nothing says whose it is any more")
			}
			require.NoError(t, w.apply(w.plan(w.acme(), d, adopt)))
			assert.Zero(t, w.plan(w.acme(), d).Changes())
			drift, err := deploy.MakeDrift(t.Context(), w.acme(), unit)
			require.NoError(t, err)
			assert.Zero(t, drift.Changes())
		})
	}
}
