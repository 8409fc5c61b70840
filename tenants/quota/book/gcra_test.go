package book

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
)

func TestARateIsABucketThatFillsByTheNanosecond(t *testing.T) {
	r := ruleOf(tenants.Rate{PerMinute: 7, Burst: 3})
	assert.Equal(t, int64(8_571_428_572), r.every, "rounded up: never more than seven")
	g := &gcra{}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixNano()
	assert.Equal(t, 3, g.available(now, r))
	g.take(now, r, 3)
	assert.Equal(t, 0, g.available(now+r.every-1, r))
	assert.Equal(t, 1, g.available(now+r.every, r))
	assert.Equal(t, time.Duration(r.every), g.wait(now, r, 0, 1))
	assert.Equal(t, time.Duration(3*r.every), g.wait(now, r, 0, 9), "for more than there ever are")
	assert.Equal(t, 3, g.available(now+3*r.every, r))
	assert.Equal(t, 3, g.available(now+300*r.every, r))
	none := ruleOf(tenants.Rate{})
	assert.Equal(t, 0, (&gcra{}).available(now, none))
	assert.Equal(t, time.Minute, (&gcra{}).wait(now, none, 0, 1))
}

// bucket is a rate as nobody would store it: it fills step by step, and leases that come back never were.
type bucket struct {
	level float64 // in permits
	last  int64
}

// lease is permits that are out, and when they were taken.
type lease struct {
	n  int
	at int64
}

// TestLeasesThatComeBackLetNothingMoreThrough runs random leases, of which parts come back late. Replayed at the end with
// only what was kept, each at the time when it was leased, no bucket may run dry: whatever came back, no window has
// seen more than the limit.
func TestLeasesThatComeBackLetNothingMoreThrough(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			r := ruleOf(tenants.Rate{PerMinute: 1 + rng.IntN(600), Burst: 1 + rng.IntN(50)})
			g := &gcra{}
			now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixNano()
			start := now
			var out, kept []lease
			for range 400 {
				now += rng.Int64N(4 * r.every)
				if rng.IntN(20) == 0 {
					now += rng.Int64N(3 * r.burst * r.every)
				}
				if n := g.available(now, r); n > 0 && rng.IntN(3) > 0 {
					n = 1 + rng.IntN(n)
					g.take(now, r, n)
					out = append(out, lease{n, now})
				}
				if len(out) > 0 && rng.IntN(2) == 0 {
					i := rng.IntN(len(out))
					l := out[i]
					out = append(out[:i], out[i+1:]...)
					back := rng.IntN(l.n + 1)
					g.back(r, back, l.at)
					kept = append(kept, lease{l.n - back, l.at})
				}
				require.LessOrEqual(t, g.available(now, r), int(r.burst))
			}
			replay(t, r, start, append(kept, out...))
		})
	}
}

func replay(t *testing.T, r rule, start int64, kept []lease) {
	t.Helper()
	at := map[int64]int{}
	var times []int64
	for _, l := range kept {
		if _, known := at[l.at]; !known {
			times = append(times, l.at)
		}
		at[l.at] += l.n
	}
	slices.Sort(times)
	b := bucket{float64(r.burst), start}
	for _, now := range times {
		b.level = min(float64(r.burst), b.level+float64(now-b.last)/float64(r.every))
		b.last = now
		b.level -= float64(at[now])
		require.GreaterOrEqual(t, b.level, -1e-6, "more than the limit went through")
	}
}

// TestALeaseThatComesBackAtOnceIsWorthAllOfIt is the other side: nothing is lost that could be given again.
func TestALeaseThatComesBackAtOnceIsWorthAllOfIt(t *testing.T) {
	r := ruleOf(tenants.Rate{PerMinute: 60, Burst: 10})
	g := &gcra{}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixNano()
	g.take(now, r, 4)
	g.take(now, r, 5)
	g.back(r, 5, now)
	assert.Equal(t, 6, g.available(now, r))
	later := now + 20*r.every // it has stood full meanwhile
	g.take(later, r, 10)
	g.back(r, 4, now)
	assert.Equal(t, 0, g.available(later, r), "those came back by themselves")
	slower := ruleOf(tenants.Rate{PerMinute: 1, Burst: 10})
	g.take(later, slower, 0)
	g.back(slower, 10, later)
	assert.Equal(t, 9, g.available(later, slower), "permits of another rate are worth nothing")
}
