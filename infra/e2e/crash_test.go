package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever runs a turn may die in the middle of it. Its client comes back to what was kept, each token once, and then to one
// error that says what happened; the session takes the next turn, and nothing was paid that was not reserved.
func TestKilledInTheMiddleOfATurn(t *testing.T) {
	t.Parallel()
	state := newState(t)
	p := own(t, state)
	tenants := []string{"alder", "birch"}
	heard := map[string][]happening{}
	streams := map[string]*talk{}
	for _, tenant := range tenants {
		message, _ := tokens(tenant, 400, 50)
		s, err := asOn(t, p, tenant).say(message, map[string]any{"sessionId": "crash"})
		require.NoError(t, err)
		streams[tenant] = s
	}
	for _, tenant := range tenants { // long enough that the session was told of some
		all, err := streams[tenant].some(80)
		require.NoError(t, err)
		heard[tenant] = all
	}
	held := map[string]int64{} // by the turn, and leased beside it
	for _, tenant := range tenants {
		_, _, held[tenant] = asOn(t, p, tenant).account().tokensToday()
		require.Positive(t, held[tenant])
	}
	require.NoError(t, p.Kill())
	p = own(t, state)
	for _, tenant := range tenants {
		u := asOn(t, p, tenant)
		_, answer := tokens(tenant, 400, 0)
		last := heard[tenant][len(heard[tenant])-1].ID
		back, err := u.resume(streams[tenant].Stream, last)
		require.NoError(t, err)
		rest, err := back.rest()
		require.NoError(t, err)
		end := inOrder(t, append(heard[tenant], rest...))
		assert.Equal(t, []string{"error", "turn_interrupted"}, []string{end.Type, end.field("code")})

		back, err = u.resume(streams[tenant].Stream, 0)
		require.NoError(t, err)
		kept, err := back.rest()
		require.NoError(t, err)
		end = inOrder(t, kept)
		assert.Equal(t, "turn_interrupted", end.field("code"))
		assert.NotEmpty(t, said(kept), "what the session was told of is kept")
		assert.Equal(t, answer[:len(said(kept))], said(kept), "each token once, in order")

		message, next := tokens("after", 3, 0)
		all := u.tells(message, map[string]any{"sessionId": "crash"})
		assert.Equal(t, next, said(all), "the session goes on")
		h := u.history("crash")
		assert.Equal(t, "turn_interrupted", h.Messages[1].Error)

		limit, spent, reserved := u.account().tokensToday()
		assert.GreaterOrEqual(t, spent+reserved, held[tenant], "what was held by the dead is not given away")
		assert.LessOrEqual(t, spent+reserved, limit)
	}
}
