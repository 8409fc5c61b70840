package dev_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
)

// Workers that log more than the pipe to Node holds stop workerd until Node reads on. So Node must never wait for workerd
// without reading: not when it is asked for something, and not when it wakes a workerd that has just been started again.
func TestLoggingAllTheTime(t *testing.T) {
	t.Parallel()
	o := options(t, newState(t))
	o.Logs = nil
	p := start(t, o)
	stop := logAllTheTime(p)
	defer stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	kv := p.KV(front, "CONFIG")
	for range 20 {
		require.NoError(t, kv.Put(ctx, "k", []byte("v")))
		require.NoError(t, p.Queue("jobs").Disturb(ctx, dev.Faults{}))
	}
	for range 2 {
		killWorkerd(t, p)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			code, _, err := try(ctx, p, http.MethodGet, "/word", "")
			require.NoError(c, err)
			require.Equal(c, http.StatusOK, code)
		}, time.Minute, 20*time.Millisecond, "the platform does not answer again")
		require.NoError(t, kv.Put(ctx, "k", []byte("v")))
	}
}

// logAllTheTime makes the Workers log, also those of a workerd that is only just there, until stop.
func logAllTheTime(p *dev.Platform) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var callers sync.WaitGroup
	line := strings.Repeat("a long line ", 1000)
	for range 8 {
		callers.Go(func() {
			for ctx.Err() == nil {
				_, _, _ = try(ctx, p, http.MethodPost, "/log", line) // refused while there is no workerd
			}
		})
	}
	return func() { cancel(); callers.Wait() }
}
