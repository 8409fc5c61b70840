package quotatest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// gates is several isolates over one ledger. Nobody looks after what lies there.
type gates []*quota.Purses

func isolates(l Ledger, of func(context.Context, tenants.Scope) (quota.Limits, error)) gates {
	all := make(gates, 5)
	for i := range all {
		all[i] = quota.NewGate(l, of, &quota.Options{Background: quiet})
	}
	return all
}

// rush has a thousand ask at once for the same, and gives what was granted. Who is refused is refused with code.
func (all gates) rush(t *testing.T, s tenants.Scope, a quota.Ask, code string) (holds []quota.Hold) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			h, err := all[i%len(all)].Acquire(t.Context(), s, a)
			if err != nil {
				assert.Equal(t, code, fault.As(err).Code, "%v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			holds = append(holds, h)
		})
	}
	wg.Wait()
	return holds
}

// settle settles all of them with the same use, at once and twice, and has the isolates tell it.
func (all gates) settle(t *testing.T, s tenants.Scope, holds []quota.Hold, u quota.Use) {
	var wg sync.WaitGroup
	for _, h := range holds {
		wg.Go(func() {
			h.Settle(t.Context(), u)
			h.Settle(t.Context(), u) // does nothing
		})
	}
	wg.Wait()
	for _, g := range all {
		_, err := g.Statement(t.Context(), s, quota.DayOf(time.Now()), quota.DayOf(time.Now()))
		require.NoError(t, err)
	}
}
