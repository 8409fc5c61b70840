//go:build unix

package isolate_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
)

func TestClientsThatLeave(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	base := quiet(t, s)
	for _, by := range []string{"sleep", "io", "ctx"} {
		t.Run("a stream paced by "+by, func(t *testing.T) {
			for _, r := range many(50, 50, func(i int) workerdtest.Reply {
				return workerdtest.Reply{Err: leave(s, fmt.Sprintf("/sse?id=%s%d&n=1000&ms=20&by=%s", by, i, by))}
			}) {
				assert.NoError(t, r.Err)
			}
			for i := range 50 {
				logged(t, s, fmt.Sprintf("sse%s%d", by, i), "returned")
			}
		})
	}
	t.Run("a stream of an object", func(t *testing.T) {
		assert.NoError(t, leave(s, "/objectsse/gone?n=1000&ms=20"))
		logged(t, s, "objectssegone", "returned")
	})
	t.Run("background work goes on", func(t *testing.T) {
		assert.Equal(t, quoted("ok"), s.Get("/background?id=a&ms=100").Body)
		logged(t, s, "backgrounda", "<nil>")
		assert.Equal(t, "ok", s.Get("/background?id=b&ms=100&bare=1").Body)
		assert.Equal(t, http.StatusOK, s.Get("/sleep?ms=200&tag=x").Status) // a bare goroutine only runs while something does
		logged(t, s, "backgroundb", "isolate: the event of this goroutine has ended")
	})
	after := quiet(t, s)
	assert.Equal(t, base.Stats.Goroutines-base.Stats.Idle, after.Stats.Goroutines-after.Stats.Idle)
}

// workerd does not tell when a client leaves before the first byte of the answer, so
// only the deadline ends such a wait; the handler may still clean up.
func TestDeadline(t *testing.T) {
	t.Parallel()
	s := start(t, map[string]string{"MAX_WAIT_MS": "700"})
	r := s.Get("/wait?id=nobody")
	assert.Equal(t, http.StatusGatewayTimeout, r.Status)
	logged(t, s, "waitnobody", "context deadline exceeded")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan workerdtest.Reply)
	go func() { done <- s.Send(ctx, http.MethodGet, "/settle?id=x&ms=5000", nil) }()
	logged(t, s, "settlex", "context deadline exceeded")
	logged(t, s, "settlex", "<nil>")
	cancel()
	<-done
	r = s.Get("/object/slow/hang")
	assert.Contains(t, []int{http.StatusServiceUnavailable, http.StatusGatewayTimeout}, r.Status)
	logged(t, s, "hangslow", "context deadline exceeded")
	quiet(t, s)
}
