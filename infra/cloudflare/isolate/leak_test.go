//go:build unix

package isolate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
)

// mixed are requests that use everything an event can use.
func mixed(s *workerdtest.Server, i int) workerdtest.Reply {
	switch i % 12 {
	case 0:
		return s.Get(fmt.Sprintf("/await?n=2&ms=%d&tag=t%d", i%8, i))
	case 1:
		return s.Get(fmt.Sprintf("/sleep?ms=%d&io=2&tag=t%d&how=%s", i%30, i, []string{"sleep", "after", "ctx"}[i%3]))
	case 2:
		return s.Get(fmt.Sprintf("/sse?id=k&n=3&ms=2&by=%s", []string{"sleep", "io", "ctx"}[i%3]))
	case 3:
		return s.Get("/timeout?to=5&ms=50")
	case 4:
		return s.Get(fmt.Sprintf("/parallel?n=4&ms=2&tag=p%d", i))
	case 5:
		return s.Get("/proxy?stream=2&ms=1")
	case 6:
		return s.Post(fmt.Sprintf("/object/leak%d/txninc", i%10), "")
	case 7:
		return s.Post(fmt.Sprintf("/object/leak%d/ioinc", i%10), "")
	case 8:
		return s.Get("/send?n=70000")
	case 9:
		return s.Get("/background?id=l&ms=3")
	case 10:
		return s.Get("/awaitjs")
	}
	return s.Get("/ping")
}

// TestNothingLeaks runs ten thousand mixed events and requires every table to be as it was.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	s := start(t, map[string]string{"DEBUG": "0"})
	const warmUp, events = 1000, 10_000
	allOK(t, many(warmUp, 50, func(i int) workerdtest.Reply { return mixed(s, i) }), nil)
	before := settled(t, s)
	allOK(t, many(events, 50, func(i int) workerdtest.Reply { return mixed(s, i) }), nil)
	after := settled(t, s)
	assert.GreaterOrEqual(t, after.Stats.Begun-before.Stats.Begun, events)
	busy := func(st goStats) int { return st.Stats.Goroutines - st.Stats.Idle }
	assert.Equal(t, busy(before), busy(after), "goroutines")
	assert.Equal(t, before.Stats.Tasks, after.Stats.Tasks, "tasks")
	assert.Zero(t, after.Stats.Pending, "operations")
	h0, h1 := before.Stats.Host, after.Stats.Host
	assert.Equal(t, h0.Handles, h1.Handles, "handles")
	assert.LessOrEqual(t, h1.Timers, 1, "timers: Go has one")
	// Each /awaitjs holds several values. A few may stay: Go's allocator packs small objects, and
	// a finalizer runs when the whole pack is free.
	assert.Less(t, h1.Values, h0.Values+events/12/10, "values of syscall/js")
	assert.Equal(t, h0.Streams, h1.Streams, "streams")
	assert.Equal(t, 1, h1.Instances)
	t.Logf("heap %d KB -> %d KB, %d hops, %d operations", before.Heap>>10, after.Heap>>10, after.Stats.Hops, after.Stats.Ops)
}

// settled waits until nothing is in progress and finalizers have freed the JavaScript values.
func settled(t *testing.T, s *workerdtest.Server) goStats {
	t.Helper()
	st := quiet(t, s)
	eventually(t, "finalizers", func() bool {
		next := quiet(t, s)
		done := next.Stats.Host.Values == st.Stats.Host.Values
		st = next
		return done
	})
	return st
}

// TestSoak mixes requests, clients that leave and deaths of the instance. SOAK sets its
// seconds (default 5); what fails must have failed because of a death or of its own leaving.
func TestSoak(t *testing.T) {
	t.Parallel()
	seconds := 5
	if v := os.Getenv("SOAK"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal("SOAK: ", err)
		}
		seconds = n
	}
	s := start(t, nil)
	ctx, stop := context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second)
	defer stop()
	var sent, left, died atomic.Int64
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := rand.IntN(1 << 20)
				sent.Add(1)
				if i%20 == 0 {
					left.Add(1)
					own, cancel := context.WithTimeout(ctx, time.Duration(5+i%300)*time.Millisecond)
					s.Send(own, http.MethodGet, "/sse?id=k&n=100&ms=20&by=io", nil)
					cancel()
					continue
				}
				r := mixed(s, i)
				if r.Err == nil && r.Status == http.StatusOK {
					continue
				}
				// A death breaks streams, resets objects and answers 500 elsewhere.
				why := fmt.Sprint(r.Body, r.Err)
				if strings.Contains(why, "died") || r.Err != nil || strings.Contains(why, "Reset\":true") {
					died.Add(1)
					continue
				}
				t.Errorf("%d %s", r.Status, why)
			}
		})
	}
	deaths := 0
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(1500+rand.IntN(1000)) * time.Millisecond):
			s.Get("/die?how=" + []string{"panic", "exit", "getter", "nilmap"}[rand.IntN(4)])
			deaths++
		}
	}
	wg.Wait()
	st := quiet(t, s)
	assert.LessOrEqual(t, st.Stats.Goroutines-st.Stats.Idle, 8)
	assert.Equal(t, deaths+1, st.Stats.Host.Instances)
	assert.Zero(t, st.Stats.Host.LostTasks)
	t.Logf("%d requests, %d clients left, %d deaths failed %d requests", sent.Load(), left.Load(), deaths, died.Load())
}
