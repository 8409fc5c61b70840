package transfer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	consumer "levada.dev/consumers/transfer"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/transfer"
)

func TestARunIsStartedOnceHoweverOftenItIsTold(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	r := &flowtest.Starts{}
	told := func(s tenants.Scope) consumers.Of[events.TenantTransferRequested] {
		f := events.TenantTransferRequested{JobID: "job", From: "https://old.example.com", Key: "sealed", Last: true}
		ev, err := events.New(s, "ledger", events.Cause{ID: "request"}, time.Now(), f)
		require.NoError(t, err)
		return consumers.Of[events.TenantTransferRequested]{Delivery: consumers.Delivery{Event: ev}, Fact: f}
	}
	c := consumer.New(r)
	ofAcme := told(acme)
	r.Down = true
	errs := c.Start(t.Context(), acme, []consumers.Of[events.TenantTransferRequested]{ofAcme})
	assert.True(t, fault.Retryable(errs[0]), "it is told again")
	r.Down = false
	for range 2 {
		assert.Equal(t, []error{nil, nil}, c.Start(t.Context(), acme, []consumers.Of[events.TenantTransferRequested]{ofAcme, ofAcme}))
	}
	assert.Equal(t, []error{nil}, c.Start(t.Context(), globex, []consumers.Of[events.TenantTransferRequested]{told(globex)}))
	require.Len(t, r.Started, 2, "one of each tenant")
	assert.Equal(t, transfer.Order{From: "https://old.example.com", Key: "sealed", Last: true, Cause: ofAcme.Event.Cause()}, r.Started[acme.Key("transfer", "job")])
}
