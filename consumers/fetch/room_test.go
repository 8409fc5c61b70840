package fetch

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
)

func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		require.NoError(t, r.enter(t.Context(), "acme", "1"))
		require.NoError(t, r.enter(t.Context(), "acme", "1"), "it is in already")
		ctx, cancel := context.WithCancel(t.Context())
		second := make(chan error, 1)
		go func() { second <- r.enter(ctx, "acme", "2") }()
		require.NoError(t, r.enter(t.Context(), "globex", "3"), "one tenant's do not keep another's out")
		synctest.Wait()
		assert.Empty(t, second)
		third := make(chan error, 1)
		go func() { third <- r.enter(t.Context(), "initech", "4") }()
		synctest.Wait()
		assert.Empty(t, third, "no more than there is room for")
		r.leave("globex", "nobody")
		synctest.Wait()
		assert.Empty(t, third)
		r.leave("globex", "3")
		require.NoError(t, <-third)
		cancel()
		assert.Equal(t, fault.Unavailable, fault.KindOf(<-second))
		r.leave("acme", "1")
		require.NoError(t, r.enter(t.Context(), "acme", "2"))
	})
}
