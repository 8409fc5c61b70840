package quota_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
)

// Whether the budgets have room is asked in one exchange, refused as a call is, and nothing is held of it: an isolate that dies then has spent nothing.
func TestRoomIsAskedForAndNotHeld(t *testing.T) {
	inRoom(t, func(t *testing.T, r *room) {
		g, die := r.gate()
		room := func(n int64) quota.Ask { return quota.Ask{Room: tokens(n).Amount} }
		pass(t, g, r.acme, room(1000))
		assert.Equal(t, []int64{1, 0}, []int64{int64(r.exchanges()), r.reserved()})
		f, call := refused(t, g, r.acme, room(1001), "budget_exhausted"), refused(t, g, r.acme, tokens(1001), "budget_exhausted")
		assert.Equal(t, call.Error(), f.Error())
		assert.Equal(t, call.RetryAfter, f.RetryAfter, "as the call would be")

		h := pass(t, g, r.acme, quota.Ask{Amount: tokens(600).Amount, Room: tokens(400).Amount})
		assert.EqualValues(t, 600, r.reserved())
		assert.Equal(t, 2*time.Second, refused(t, g, r.acme, room(401), "budget_exhausted").RetryAfter, "a call in flight is in the way")
		pass(t, g, r.acme, room(400))
		h.Settle(t.Context(), use(100))
		n := r.exchanges()
		pass(t, g, r.acme, room(500))
		assert.Equal(t, n, r.exchanges(), "what lies here has its room")
		pass(t, g, r.acme, room(900))
		assert.Equal(t, []int64{int64(n) + 1, 0}, []int64{int64(r.exchanges()), r.reserved()}, "what lies here is in nobody's way")
		refused(t, g, r.acme, room(901), "budget_exhausted")
		_, err := g.Acquire(t.Context(), r.acme, quota.Ask{Room: quota.Amount{Tokens: -1}})
		assert.Equal(t, "ask_invalid", fault.As(err).Code)

		pass(t, g, r.acme, quota.Ask{Room: tokens(20).Amount, Ahead: tokens(20).Amount})
		n = r.exchanges()
		h = pass(t, g, r.acme, tokens(20))
		assert.Equal(t, n, r.exchanges(), "who spends it here at once had it leased")
		h.Settle(t.Context())
		time.Sleep(4 * time.Second)
		pass(t, g, r.acme, room(500))
		die()
		for range 40 {
			time.Sleep(30 * time.Second)
			_, err := r.ledger.Close(r.acme)
			require.NoError(t, err)
		}
		require.Len(t, r.statement().Lines, 1)
		assert.EqualValues(t, 100, r.statement().Lines[0].Prompt, "what was spent, and nothing unsettled")
	})
}
