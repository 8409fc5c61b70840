package consumers_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/events/fault"
)

// enters starts somebody who wants room and, when he has it, waits until he is told to leave.
func enters(ctx context.Context, r *consumers.Room, bytes int64) (in func() bool, leave func(), failed <-chan error) {
	var is atomic.Bool
	gone, errs := make(chan struct{}), make(chan error, 1)
	go func() {
		leave, err := r.Enter(ctx, bytes)
		if err != nil {
			errs <- err
			return
		}
		is.Store(true)
		<-gone
		leave()
	}()
	synctest.Wait()
	return is.Load, func() { close(gone); synctest.Wait() }, errs
}

func TestWhoWaitsGetsInByTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := consumers.NewRoom(10)
		first, leave, _ := enters(t.Context(), r, 6)
		ctx, cancel := context.WithCancel(t.Context())
		all, _, failed := enters(ctx, r, 100)
		small, leaveSmall, _ := enters(t.Context(), r, 4)
		assert.Equal(t, []bool{true, false, false}, []bool{first(), all(), small()}, "who came first is not overtaken for ever")
		cancel()
		synctest.Wait()
		assert.Equal(t, "memory_busy", fault.As(<-failed).Code)
		assert.True(t, small(), "who stood behind gets in when he gives up")
		whole, leaveWhole, _ := enters(t.Context(), r, 10)
		leave()
		assert.False(t, whole())
		leaveSmall()
		assert.True(t, whole())
		leaveWhole()
		over, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := r.Enter(over, 1)
		assert.Equal(t, fault.Unavailable, fault.KindOf(err))
		last, err := r.Enter(t.Context(), r.Bytes())
		require.NoError(t, err, "all of it is given back")
		last()
	})
}

func TestWhatIsLentIsRecalledWhenItsTimeIsOverAndSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := consumers.NewRoom(10)
		var recalled atomic.Int32
		lend := func(bytes int64) (leave func()) {
			leave, err := r.Lend(t.Context(), bytes, 5*time.Second, func() { recalled.Add(1) })
			require.NoError(t, err)
			return leave
		}
		told := func(n int32, why string) {
			t.Helper()
			synctest.Wait()
			assert.Equal(t, n, recalled.Load(), why)
		}
		leave := lend(6)
		in, gone, _ := enters(t.Context(), r, 10)
		told(0, "its time is not over")
		time.Sleep(5 * time.Second)
		told(1, "somebody waits")
		assert.False(t, in(), "until it has left")
		leave()
		synctest.Wait()
		assert.True(t, in())
		gone()

		leave = lend(6)
		time.Sleep(time.Hour)
		told(1, "nobody waits")
		in, gone, _ = enters(t.Context(), r, 4)
		assert.True(t, in())
		told(1, "there was room")
		_, others, _ := enters(t.Context(), r, 1)
		told(2, "now there is none")
		_, more, _ := enters(t.Context(), r, 1)
		told(2, "it is told once")
		leave()
		gone()
		others()
		more()

		leave = lend(10)
		leave()
		time.Sleep(time.Hour)
		_, gone, _ = enters(t.Context(), r, 10)
		_, more, _ = enters(t.Context(), r, 10)
		told(2, "it has left")
		gone()
		more()
	})
}

// Whoever wants however much, gives up or is recalled: there is never more taken than there is, and everybody comes through.
func TestNobodyWaitsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bytes = 40
		r := consumers.NewRoom(bytes)
		var taken atomic.Int64
		var wg sync.WaitGroup
		for i := range 500 {
			wg.Go(func() {
				dice := rand.New(rand.NewPCG(1, uint64(i)))
				time.Sleep(time.Duration(dice.IntN(2000)) * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+dice.IntN(60))*time.Second)
				defer cancel()
				want := 1 + dice.Int64N(2*bytes)
				enter := func() (func(), error) { return r.Enter(ctx, want) }
				stay := time.Duration(dice.IntN(300)) * time.Millisecond
				if i%3 == 0 {
					enter = func() (func(), error) { return r.Lend(ctx, want, time.Second, cancel) }
					stay = time.Hour // it goes when it is told to, or when its own time is over
				}
				leave, err := enter()
				if err != nil {
					return
				}
				assert.LessOrEqual(t, taken.Add(min(want, bytes)), int64(bytes))
				select {
				case <-time.After(stay):
				case <-ctx.Done():
				}
				taken.Add(-min(want, bytes))
				leave()
			})
		}
		wg.Wait()
		leave, err := r.Enter(t.Context(), bytes)
		require.NoError(t, err, "all of it is given back")
		leave()
	})
}
