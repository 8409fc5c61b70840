package meter

import (
	"math"
	"slices"
	"time"
)

// bounds are the upper bounds of the buckets of every histogram, in microseconds: half a millisecond, and each the root of two times the one before, up to some
// minutes. So a quantile is off by a fifth at most, and by much less where observations lie evenly.
var bounds = func() []int64 {
	var all []int64
	for us := 500.0; us < 400e6; us *= math.Sqrt2 {
		all = append(all, int64(math.Round(us)))
	}
	return all
}()

// Bounds are the upper bounds of the buckets, which they include. What is above the last is in one more bucket.
func Bounds() []time.Duration {
	all := make([]time.Duration, len(bounds))
	for i, us := range bounds {
		all[i] = time.Duration(us) * time.Microsecond
	}
	return all
}

// bucketOf is the place of the first bound that is not below v; one past the last where all are.
func bucketOf(v int64) uint8 {
	i, _ := slices.BinarySearch(bounds, v)
	return uint8(i)
}

// Quantile is the value below which the part q of the observations lies, 0 to 1, as if they lay evenly in their bucket. False when there are none. What lies above the
// last bound counts as that bound.
func (c Cell) Quantile(q float64) (time.Duration, bool) {
	if c.Count == 0 {
		return 0, false
	}
	rank, below := q*float64(c.Count), 0.0
	last := 0.0
	for i, bound := range bounds {
		n := float64(c.Buckets[uint8(i)])
		if n > 0 && below+n >= rank {
			return time.Duration((last + (float64(bound)-last)*max(rank-below, 0)/n) * 1000), true
		}
		below, last = below+n, float64(bound)
	}
	return time.Duration(last * 1000), true
}
