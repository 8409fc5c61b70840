package objects

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clock is the platform's alarm: one, which survives a failing handler, and may be replaced while it rings. Setting and
// reading it takes time.
type clock struct {
	mu     sync.Mutex
	due    time.Time
	timer  *time.Timer
	rings  bool
	ring   func() error
	sets   int
	broken error
	rang   []time.Duration // since start
	start  time.Time
}

func newClock() *clock { return &clock{start: time.Now()} }

const latency = time.Millisecond

func (c *clock) SetAlarm(_ context.Context, at time.Time) error {
	time.Sleep(latency)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sets++
	if c.broken != nil {
		return c.broken
	}
	c.due, c.rings = at, false
	c.arm()
	return nil
}

func (c *clock) Alarm(context.Context) (time.Time, error) {
	time.Sleep(latency)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil || c.rings {
		return time.Time{}, c.broken
	}
	return c.due, nil
}

// arm makes the alarm ring when it is due. The caller holds mu.
func (c *clock) arm() {
	if c.timer != nil {
		c.timer.Stop()
	}
	due := c.due
	c.timer = time.AfterFunc(time.Until(due), func() {
		c.mu.Lock()
		if c.due != due {
			c.mu.Unlock()
			return
		}
		c.rings = true
		c.rang = append(c.rang, time.Since(c.start))
		c.mu.Unlock()
		err := c.ring()
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case !c.rings: // another one was set
		case err != nil:
			c.due, c.rings = time.Now().Add(2*time.Second), false
			c.arm()
		default:
			c.due, c.rings = time.Time{}, false
		}
	})
}

// woken makes a waker on a clock, whose alarms run f.
func woken(t *testing.T, f func(ctx context.Context) error) (*waker, *clock) {
	t.Helper()
	c := newClock()
	w, err := newWaker(t.Context(), c)
	require.NoError(t, err)
	c.ring = func() error { return w.ring(context.Background(), f) }
	return w, c
}

func nothing(context.Context) error { return nil }

// seconds are the whole seconds of durations.
func seconds(ds []time.Duration) (s []int) {
	for _, d := range ds {
		s = append(s, int(d/time.Second))
	}
	return s
}

func TestOneAlarmServesMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := woken(t, nothing)
		for range 10 {
			require.NoError(t, w.by(t.Context(), c.start.Add(10*time.Second)))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, 1, c.sets)
		assert.Len(t, c.rang, 1)
	})
}

func TestTheAlarmsAfterItAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := woken(t, nothing)
		for i := range 1000 {
			require.NoError(t, w.by(t.Context(), c.start.Add(30*time.Second+time.Duration(i)*10*time.Millisecond)))
		}
		assert.Equal(t, 1, c.sets)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Equal(t, []int{30, 40}, seconds(c.rang))
	})
}

func TestTheEarlierWinsAndTheLaterStillComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := woken(t, nothing)
		require.NoError(t, w.by(t.Context(), c.start.Add(30*time.Second)))
		require.NoError(t, w.by(t.Context(), c.start.Add(5*time.Second)))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []int{5, 30}, seconds(c.rang))
	})
}

func TestAnAlarmOutlivesTheInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := woken(t, nothing)
		require.NoError(t, w.by(t.Context(), c.start.Add(5*time.Second)))
		again, err := newWaker(t.Context(), c)
		require.NoError(t, err)
		require.NoError(t, again.by(t.Context(), c.start.Add(20*time.Second)))
		assert.Equal(t, 1, c.sets, "it knows of the alarm")
		c.ring = func() error { return again.ring(context.Background(), nothing) }
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []int{5, 20}, seconds(c.rang))
	})
}

// TestACallUnderWayIsNotForgotten is why there is a second alarm: a call asks for one, the one that was set already rings
// and finds nothing, and only then the call commits.
func TestACallUnderWayIsNotForgotten(t *testing.T) {
	for name, earlierFirst := range map[string]bool{"the alarm was set": true, "the alarm is moved": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				committed, found := false, false
				w, c := woken(t, func(context.Context) error {
					found = found || committed
					return nil
				})
				soon, late := c.start.Add(time.Second), c.start.Add(30*time.Second)
				if earlierFirst {
					require.NoError(t, w.by(t.Context(), soon))
				}
				require.NoError(t, w.by(t.Context(), late))
				if !earlierFirst {
					require.NoError(t, w.by(t.Context(), soon))
				}
				time.Sleep(2 * time.Second) // the alarm has rung
				assert.False(t, found)
				committed = true
				time.Sleep(time.Minute)
				synctest.Wait()
				assert.True(t, found)
			})
		})
	}
}

func TestWhoAsksWhileTheAlarmRingsIsWokenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *waker
		asked := false
		w, c := woken(t, func(ctx context.Context) error {
			if asked {
				return nil
			}
			asked = true
			return errors.Join(w.by(ctx, time.Now().Add(20*time.Second)), w.by(ctx, time.Now().Add(3*time.Second)))
		})
		require.NoError(t, w.by(t.Context(), c.start.Add(time.Second)))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []int{1, 4, 30}, seconds(c.rang), "the later one shares an alarm")
	})
}

func TestAnAlarmThatFailsRingsAgainAndKeepsTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := 2
		w, c := woken(t, func(context.Context) error {
			if failures--; failures >= 0 {
				return errors.New("not now")
			}
			return nil
		})
		require.NoError(t, w.by(t.Context(), c.start.Add(time.Second)))
		require.NoError(t, w.by(t.Context(), c.start.Add(40*time.Second)))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Equal(t, []int{1, 3, 5, 40}, seconds(c.rang))
	})
}

func TestAnAlarmThatCannotBeSetIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := woken(t, nothing)
		c.broken = errors.New("storage is down")
		require.ErrorIs(t, w.by(t.Context(), c.start.Add(time.Second)), c.broken)
		c.broken = nil
		require.NoError(t, w.by(t.Context(), c.start.Add(2*time.Second)), "and nobody believes that it was")

		require.NoError(t, w.by(t.Context(), c.start.Add(9*time.Second)))
		c.ring = func() error {
			return w.ring(context.Background(), func(context.Context) error {
				if len(c.rang) == 1 {
					c.broken = errors.New("storage is down")
					time.AfterFunc(time.Second, func() { c.broken = nil })
				}
				return nil
			})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []int{2, 4, 10}, seconds(c.rang), "the second, to set what the first could not")
	})
}

func TestAnErasedObjectIsWokenAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := woken(t, nothing)
		require.NoError(t, w.by(t.Context(), c.start.Add(5*time.Second)))
		require.NoError(t, w.by(t.Context(), c.start.Add(15*time.Second)))
		broken := errors.New("storage is down")
		require.ErrorIs(t, w.erase(t.Context(), func(context.Context) error { return broken }), broken)
		require.NoError(t, w.erase(t.Context(), func(context.Context) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.timer.Stop()
			c.due = time.Time{}
			return nil
		}))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Empty(t, c.rang, "nothing is left to be woken for")
		require.NoError(t, w.by(t.Context(), c.start.Add(90*time.Second)))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []int{90}, seconds(c.rang))
	})
}

func TestACallerWhoLeavesDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := woken(t, nothing)
		go func() { assert.NoError(t, w.by(t.Context(), c.start.Add(time.Hour))) }()
		synctest.Wait() // it has the turn
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, w.by(ctx, c.start.Add(time.Second)), context.Canceled)
		assert.Zero(t, c.sets)
		time.Sleep(2 * time.Hour)
	})
}

// TestNoWakeUpIsEverLost has calls ask at random times, commit later, and be found by an alarm that rings after the
// commit, not long after the time that they asked for.
func TestNoWakeUpIsEverLost(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			type call struct{ asked, committed, found time.Duration }
			var mu sync.Mutex
			var calls []*call
			var c *clock
			w, c := woken(t, func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				for _, k := range calls {
					if k.committed > 0 && k.found == 0 {
						k.found = time.Since(c.start)
					}
				}
				return nil
			})
			var wg sync.WaitGroup
			for range 30 {
				start := time.Duration(random.IntN(60_000)) * time.Millisecond
				wait := time.Duration(1+random.IntN(60_000)) * time.Millisecond
				work := time.Duration(random.Int64N(int64(wait)))
				wg.Go(func() {
					time.Sleep(start)
					k := &call{asked: time.Since(c.start) + wait}
					if !assert.NoError(t, w.by(t.Context(), c.start.Add(k.asked))) {
						return
					}
					time.Sleep(work) // a call is over before the time it asks for
					mu.Lock()
					defer mu.Unlock()
					k.committed = time.Since(c.start)
					calls = append(calls, k)
				})
			}
			wg.Wait()
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			require.Len(t, calls, 30)
			lost := slices.IndexFunc(calls, func(k *call) bool { return k.found == 0 || k.found > k.asked+slack+20*latency })
			if lost >= 0 {
				t.Errorf("seed %d: %+v is lost; alarms at %v", seed, *calls[lost], c.rang)
			}
		})
	}
}
