package deploy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/double"
)

// What the account would refuse on the way back is said in the plan, and nothing is written.
func TestAVersionThatCannotBeDeployedIsSaidBefore(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(w *world)
		refused int
		says    string
	}{
		"too old": {func(w *world) {
			w.api.Edit(acmeAccount, func(a *double.Account) {
				for range 100 {
					a.EditCode("acme-prod-api")
				}
			})
		}, 1, "is not one of the newest 100, which alone can be deployed"},
		"bound to what is gone": {func(w *world) {
			w.api.Edit(acmeAccount, func(a *double.Account) { a.DeleteNamespace("acme-prod-cache") })
			w.deploy(w.acme(), w.desired("acme", "v3", "three"))
		}, 1, "is bound as CACHE to a KV namespace that is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.deploy(w.acme(), w.desired("acme", "v1", "one"))
			w.deploy(w.acme(), w.desired("acme", "v2", "two"))
			for _, release := range []string{"v1", "v2"} {
				w.deploy(w.globex(), w.desired("globex", release, release))
			}
			c.happens(w)
			before := len(w.api.Writes())
			back, err := deploy.MakeReturn(t.Context(), w.acme(), deploy.Unit{Pool: "acme", Env: "prod"}, "v1", deploy.PlanOptions{})
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(back.Refused()), c.refused)
			for _, a := range back.Refused() {
				assert.Equal(t, "worker", a.Kind)
				assert.Contains(t, a.String(), c.says)
			}
			var refused *deploy.RefusedError
			require.ErrorAs(t, w.apply(back.Plan), &refused)
			assert.Len(t, w.api.Writes(), before)

			other, err := deploy.MakeReturn(t.Context(), w.globex(), deploy.Unit{Pool: "globex", Env: "prod"}, "v1", deploy.PlanOptions{})
			require.NoError(t, err)
			assert.Empty(t, other.Refused())
			require.NoError(t, w.apply(other.Plan))
		})
	}
}
