package deploy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/double"
)

// A queue that somebody paused, so that what a bad version does comes to nothing, goes on once the good one has its traffic, and not before.
func TestAPausedQueueGoesOnAfterTheNewVersion(t *testing.T) {
	w := newWorld(t)
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
	w.deploy(w.globex(), w.desired("globex", "v1", "one"))
	for id, name := range map[string]string{acmeAccount: "acme-prod-embed", globexAccount: "globex-prod-embed"} {
		w.api.Edit(id, func(a *double.Account) {
			a.EditQueue(name, func(s *double.QueueSettings) { s.DeliveryPaused = true })
		})
	}
	w.deploy(w.acme(), w.desired("acme", "v2", "two"))
	resumed := slices.IndexFunc(w.said, func(l string) bool {
		return strings.HasPrefix(l, "! queue acme-prod-embed  (delivery_paused true -> false)")
	})
	whole := slices.IndexFunc(w.said, func(l string) bool { return strings.HasPrefix(l, "traffic 100 %") })
	assert.Greater(t, resumed, whole)
	assert.Positive(t, whole)
	p, err := deploy.MakeDrift(t.Context(), w.globex(), deploy.Unit{Pool: "globex", Env: "prod"})
	require.NoError(t, err)
	assert.Equal(t, []string{"! queue globex-prod-embed  (delivery_paused true -> false)"}, changes(p), "another account's is its own")
}

// What the table says of a queue, and what it says no more: a release from before it said anything had the platform's usual.
func TestTheRetentionOfAQueueIsOfTheTable(t *testing.T) {
	w := newWorld(t)
	old := w.desired("acme", "v1", "one")
	for i := range old.Stack.Queues {
		old.Stack.Queues[i].Retention = 0
	}
	w.deploy(w.acme(), old)
	now := w.desired("acme", "v2", "one")
	p := w.plan(w.acme(), now)
	assert.Contains(t, changes(p), "~ queue acme-prod-fetch  (message_retention_period 345600 -> 1209600)")
	assert.Equal(t, "~queue ~release", kinds(p))
	w.deploy(w.acme(), now)
	back, err := deploy.MakeReturn(t.Context(), w.acme(), now.Unit, "v1", deploy.PlanOptions{})
	require.NoError(t, err)
	assert.Contains(t, changes(back.Plan), "~ queue acme-prod-fetch  (message_retention_period 1209600 -> 345600)")
	for _, q := range now.Stack.Queues {
		assert.Equal(t, 14*24*time.Hour, q.Retention, q.Name)
	}
}
