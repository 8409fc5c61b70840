package memory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/cache/cachetest"
)

func TestCache(t *testing.T) {
	cachetest.TestStore(t, func(*testing.T) cachetest.Subject {
		now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
		return cachetest.Subject{
			Store:   memory.NewCache(func() time.Time { return now }),
			Advance: func(d time.Duration) { now = now.Add(d) },
		}
	})
}

func TestCacheFailsBeforeAndAfter(t *testing.T) {
	s, err := tenants.Resume("acme")
	require.NoError(t, err)
	key, broken := cache.Key{Kind: "k", Name: "n"}, errors.New("broken")
	c := memory.NewCache(time.Now)
	c.Before = func(string) error { return broken }
	require.ErrorIs(t, c.Put(t.Context(), s, key, []byte("x"), time.Hour), broken)
	assert.Zero(t, c.Len(), "it has not happened")
	c.Before, c.After = nil, func(string) error { return broken }
	require.ErrorIs(t, c.Put(t.Context(), s, key, []byte("x"), time.Hour), broken)
	assert.Equal(t, 1, c.Len(), "it has happened")
}
