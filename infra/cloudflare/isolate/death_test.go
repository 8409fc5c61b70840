//go:build unix

package isolate_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
)

// Whatever kills the Go instance: everything in progress fails, nothing hangs, and the
// next request finds a new instance.
func TestDeaths(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for _, how := range []string{"panic", "nilmap", "exit", "stack", "getter", "memory", "deadlock"} {
		t.Run(how, func(t *testing.T) {
			require.Equal(t, "pong", s.Get("/ping").Body)
			before := tables(t, s)
			var wg sync.WaitGroup
			var mu sync.Mutex
			var replies []workerdtest.Reply
			add := func(r workerdtest.Reply) {
				mu.Lock()
				defer mu.Unlock()
				replies = append(replies, r)
			}
			paths := []string{"/await?ms=60000&tag=x", "/sleep?ms=60000&tag=x", "/wait?id=w"}
			if how == "deadlock" { // it ends once the pending timers have run out
				paths = []string{"/await?ms=60000&tag=x", "/wait?id=w"}
			}
			for i := range 20 {
				wg.Go(func() { add(s.Get(paths[i%len(paths)] + fmt.Sprint(i))) })
			}
			for range 5 {
				resp, err := s.Open(context.Background(), "/sse?id=x&n=100000&ms=20&by=io")
				require.NoError(t, err)
				wg.Go(func() {
					defer resp.Body.Close()
					buf := make([]byte, 1<<10)
					for {
						if _, err := resp.Body.Read(buf); err != nil {
							add(workerdtest.Reply{Status: http.StatusInternalServerError, Err: nil, Body: err.Error() + " died"})
							return
						}
					}
				})
			}
			eventually(t, "the requests to be in progress", func() bool { return tables(t, s).Tasks >= 25 })
			killer := s.Get("/die?how=" + how)
			assert.Equal(t, http.StatusInternalServerError, killer.Status, killer.Body)
			assert.Equal(t, "pong", s.Get("/ping").Body)
			wg.Wait()
			assert.Len(t, replies, 25)
			for _, r := range replies {
				assert.NoError(t, r.Err)
				assert.Equal(t, http.StatusInternalServerError, r.Status)
				assert.Contains(t, r.Body, "died")
			}
			after := tables(t, s)
			assert.Equal(t, before.Instances+1, after.Instances)
			assert.Zero(t, after.Tasks)
		})
	}
}

func TestManyDeaths(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for range 40 {
		assert.Equal(t, http.StatusInternalServerError, s.Get("/die?how=exit").Status)
		assert.Equal(t, "pong", s.Get("/ping").Body)
	}
	assert.Equal(t, 41, tables(t, s).Instances)
}

// A write of an object that was interrupted by the death of the instance leaves no trace.
func TestDeathBetweenWrites(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	require.Equal(t, "1", s.Post("/object/w/inc", "").Body)
	r := s.Post("/object/w/writes", "die")
	assert.Equal(t, http.StatusInternalServerError, r.Status, "the caller lives in the same instance here")
	st := state(t, s, "w")
	assert.EqualValues(t, 1, st.Inc)
	assert.EqualValues(t, 0, st.W1)
	assert.EqualValues(t, 2, st.Boots)
	r = s.Post("/object/w/writes", "error")
	assert.Equal(t, "|after two writes", r.Body)
	st = state(t, s, "w")
	assert.EqualValues(t, []int64{1, 1}, []int64{st.W1, st.W2}, "an error undoes nothing")
	assert.Equal(t, 1, strings.Count(s.Log(), "died:"))
}
