package reembed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	consumer "levada.dev/consumers/reembed"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/reembed"
)

// runs remembers what was started, and refuses while it is told to.
type runs struct {
	flow.Runs
	started map[string]any
	down    bool
}

func (r *runs) Start(_ context.Context, s tenants.Scope, k flow.Kind, id string, params any) error {
	if r.down {
		return fault.Unavailablef(nil, "workflow_unavailable", "down")
	}
	r.started[s.Key(string(k), id)] = params
	return nil
}

func TestAMoveIsStartedOnceHoweverOftenItIsTold(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	r := &runs{started: map[string]any{}}
	told := func(s tenants.Scope) consumers.Of[events.TenantEmbeddingRequested] {
		f := events.TenantEmbeddingRequested{JobID: "job", Model: "m", Stay: true}
		ev, err := events.New(s, "ledger", events.Cause{ID: "request"}, time.Now(), f)
		require.NoError(t, err)
		return consumers.Of[events.TenantEmbeddingRequested]{Delivery: consumers.Delivery{Event: ev}, Fact: f}
	}
	c := consumer.New(r)
	ofAcme := told(acme)
	r.down = true
	errs := c.Start(t.Context(), acme, []consumers.Of[events.TenantEmbeddingRequested]{ofAcme})
	assert.True(t, fault.Retryable(errs[0]), "it is told again")
	r.down = false
	for range 2 {
		assert.Equal(t, []error{nil, nil}, c.Start(t.Context(), acme, []consumers.Of[events.TenantEmbeddingRequested]{ofAcme, ofAcme}))
	}
	assert.Equal(t, []error{nil}, c.Start(t.Context(), globex, []consumers.Of[events.TenantEmbeddingRequested]{told(globex)}))
	require.Len(t, r.started, 2, "one of each tenant")
	assert.Equal(t, reembed.Order{Model: "m", Stay: true, Cause: ofAcme.Event.Cause()}, r.started[acme.Key("reembed", "job")])
}
