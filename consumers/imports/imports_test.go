package imports_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	reacts "levada.dev/consumers/imports"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
)

func delivery(t *testing.T, s tenants.Scope, f events.Fact) consumers.Delivery {
	ev, err := events.New(s, "ledger", events.Cause{ID: "request"}, time.Unix(0, 0), f)
	require.NoError(t, err)
	return consumers.Delivery{Event: ev, Attempt: 1}
}

// listens is a flow that notes its order and waits until it is told that all is settled.
type listens struct {
	mu     sync.Mutex
	orders map[string]imports.Order
}

func (l *listens) order(s tenants.Scope, id string) imports.Order {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.orders[s.Key(id)]
}

func (l *listens) flow(ctx context.Context, s tenants.Scope, r flow.Run, params []byte) error {
	var o imports.Order
	if err := json.Unmarshal(params, &o); err != nil {
		return err
	}
	if !l.begin(s.Key(r.ID()), o) {
		return errors.New("started twice")
	}
	_, err := r.Wait(ctx, "settled", imports.Settled, time.Hour)
	return err
}

func (l *listens) begin(at string, o imports.Order) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, twice := l.orders[at]
	l.orders[at] = o
	return !twice
}

func TestAnImportIsStartedAndSettledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &listens{orders: map[string]imports.Order{}}
		runs := memory.NewRuns(map[flow.Kind]flow.Flow{imports.Kind: l.flow})
		defer runs.Stop()
		start, complete := reacts.New(runs).Routes()[0], reacts.New(runs).Routes()[1]
		acme, globex := tenantstest.Two(t)
		for _, s := range []tenants.Scope{acme, globex} {
			var started []consumers.Delivery
			for _, f := range []events.ImportStarted{
				{ImportID: "a", Origin: "batch", Parts: 3, Entries: 900},
				{ImportID: "b", Origin: "sitemap", Sitemap: "https://" + string(s.Tenant()) + ".example/map.xml", Source: "docs"},
			} {
				started = append(started, delivery(t, s, f))
			}
			for range 2 {
				for _, err := range start.Handle(t.Context(), s, started) {
					require.NoError(t, err)
				}
				synctest.Wait()
			}
			cause := started[0].Event.Cause()
			assert.Equal(t, imports.Order{Origin: imports.Origin{Batch: 3}, Entries: 900, Cause: cause}, l.order(s, "a"))
			assert.Equal(t, "https://"+string(s.Tenant())+".example/map.xml", l.order(s, "b").Origin.Sitemap)
			assert.Equal(t, "docs", l.order(s, "b").Source)
		}
		done := delivery(t, acme, events.ImportCompleted{ImportID: "a", State: "succeeded"})
		for range 2 {
			assert.Equal(t, []error{nil}, complete.Handle(t.Context(), acme, []consumers.Delivery{done}))
			synctest.Wait()
		}
		ended, err := runs.Ended(acme, imports.Kind, "a")
		assert.True(t, ended)
		assert.NoError(t, err)
		ended, _ = runs.Ended(globex, imports.Kind, "a")
		assert.False(t, ended, "another tenant's import of the same id goes on")
		unknown := delivery(t, acme, events.ImportCompleted{ImportID: "none", State: "cancelled"})
		assert.Equal(t, []error{nil}, complete.Handle(t.Context(), acme, []consumers.Delivery{unknown}), "it ends when it begins")
	})
}

func TestWhatFailsIsTriedAgain(t *testing.T) {
	acme := tenantstest.Scope(t, "acme")
	for i, fact := range []events.Fact{
		events.ImportStarted{ImportID: "a", Origin: "prefix", Prefix: "docs/"},
		events.ImportCompleted{ImportID: "a", State: "succeeded"},
	} {
		runs := memory.NewRuns(map[flow.Kind]flow.Flow{imports.Kind: (&listens{}).flow})
		t.Cleanup(runs.Stop)
		runs.Before = func(string) error { return fault.Unavailablef(nil, "workflow_unavailable", "no") }
		err := reacts.New(runs).Routes()[i].Handle(t.Context(), acme, []consumers.Delivery{delivery(t, acme, fact)})[0]
		assert.True(t, fault.Is(err, fault.Unavailable), fact.Type())
	}
}
