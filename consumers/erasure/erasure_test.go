package erasure_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	consumer "levada.dev/consumers/erasure"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/flow/flowtest"
)

func TestAnErasureIsStartedOnceHoweverOftenItIsTold(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	r := &flowtest.Starts{}
	told := func(s tenants.Scope) consumers.Of[events.TenantErasureRequested] {
		f := events.TenantErasureRequested{JobID: "job"}
		ev, err := events.New(s, "ledger", events.Cause{ID: "request"}, time.Now(), f)
		require.NoError(t, err)
		return consumers.Of[events.TenantErasureRequested]{Delivery: consumers.Delivery{Event: ev}, Fact: f}
	}
	c := consumer.New(r)
	ofAcme := told(acme)
	r.Down = true
	errs := c.Start(t.Context(), acme, []consumers.Of[events.TenantErasureRequested]{ofAcme})
	assert.True(t, fault.Retryable(errs[0]), "it is told again")
	r.Down = false
	for range 2 {
		assert.Equal(t, []error{nil, nil}, c.Start(t.Context(), acme, []consumers.Of[events.TenantErasureRequested]{ofAcme, ofAcme}))
	}
	assert.Equal(t, []error{nil}, c.Start(t.Context(), globex, []consumers.Of[events.TenantErasureRequested]{told(globex)}))
	require.Len(t, r.Started, 2, "one of each tenant")
	assert.Equal(t, erasure.Order{Cause: ofAcme.Event.Cause()}, r.Started[acme.Key("erasure", "job")])
}
