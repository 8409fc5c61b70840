package deploy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/stack"
)

func TestAddressesOfOthers(t *testing.T) {
	w := newWorld(t)
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
	for host, says := range map[string]string{
		"api.globex.example": "is in no zone that the token sees",
		"api.acme.example":   "it leads to acme-prod-api",
	} {
		d := w.desired("initech", "v1", "one")
		d.Stack.Domains = []string{host}
		refused := w.plan(w.acme(), d).Refused()
		require.Len(t, refused, 1, host)
		assert.Contains(t, refused[0].String(), says)
	}
	d := w.desired("initech", "v1", "one")
	d.Stack.Routes = []stack.Route{{Pattern: "acme.example/api/*", Zone: "acme.example"}, {Pattern: "a.globex.example/*", Zone: "globex.example"}}
	refused := w.plan(w.acme(), d).Refused()
	require.Len(t, refused, 2)
	assert.Contains(t, refused[0].String(), "it leads to acme-prod-api")
	assert.Contains(t, refused[1].String(), "the token sees no zone globex.example")
}

// Addresses that are not wanted any more are taken away, so that another pool can have them.
func TestAnAddressIsLedOver(t *testing.T) {
	w := newWorld(t)
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
	d := w.desired("acme", "v2", "one")
	domains, routes := d.Stack.Domains, d.Stack.Routes
	d.Stack.Domains, d.Stack.Routes = nil, nil
	assert.Equal(t, "~domain ~route ~release", kinds(w.plan(w.acme(), d)))
	w.deploy(w.acme(), d)
	other := w.desired("initech", "v1", "one")
	other.Stack.Domains, other.Stack.Routes = domains, routes
	w.deploy(w.acme(), other)
	assert.Contains(t, w.health("api.acme.example"), `"version":"v1"`)
	w.still(w.acme(), d)

	add := map[string]string{"hostname": "by-hand.acme.example", "service": "acme-prod-api", "environment": "production"}
	require.NoError(t, w.acme().Do(t.Context(), "PUT", w.acme().Path("workers", "domains"), add, nil))
	assert.Equal(t, "!domain ~release", kinds(w.plan(w.acme(), d)))
	w.deploy(w.acme(), d)
}

// A Worker and its queue, which are not wanted any more, go with what ties them to each other.
func TestAWorkerGoesWithItsQueue(t *testing.T) {
	w := newWorld(t)
	d := w.desired("acme", "v1", "one")
	extra := d.Stack.Workers[0]
	extra.Role, extra.Public, extra.Assets, extra.Bindings, extra.Secrets = "extra", false, nil, nil, nil
	d.Stack.Workers = append(d.Stack.Workers, extra)
	d.Stack.Queues = append(d.Stack.Queues, stack.Queue{Name: "odd", Consumer: "extra", MaxBatchSize: 1, DeadLetter: "audit-dlq"})
	d.Code["extra"] = module("extra")
	w.deploy(w.acme(), d)
	d = w.desired("acme", "v2", "one")
	w.deploy(w.acme(), d)
	p := w.plan(w.acme(), d, deploy.PlanOptions{Destroy: []string{"acme-prod-extra", "acme-prod-odd"}})
	assert.Equal(t, "-worker -queue ~owner", kinds(p))
	require.NoError(t, w.apply(p))
	w.still(w.acme(), d)
	assert.Len(t, w.plan(w.acme(), d, deploy.PlanOptions{Destroy: []string{"acme-prod-extra"}}).Refused(), 1, "it is gone")
}
