package meter_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
)

func TestBounds(t *testing.T) {
	bounds := meter.Bounds()
	assert.Equal(t, 500*time.Microsecond, bounds[0])
	assert.Greater(t, bounds[len(bounds)-1], 4*time.Minute)
	assert.Less(t, len(bounds), 50)
	for i := range bounds[1:] {
		assert.InDelta(t, math.Sqrt2, float64(bounds[i+1])/float64(bounds[i]), 0.001)
	}
}

// cell is what a series has of the observations.
func cell(us ...int64) meter.Cell {
	var s meter.Set
	for _, v := range us {
		s.Observe(meter.Of(meter.ToolDuration, "t"), v)
	}
	for _, c := range s.All() {
		return c
	}
	return meter.Cell{}
}

func TestABoundIsInItsBucket(t *testing.T) {
	for i, bound := range meter.Bounds() {
		us := bound.Microseconds()
		assert.Equal(t, map[uint8]int64{uint8(i): 2, uint8(i + 1): 1}, cell(us, us, us+1).Buckets)
	}
}

// A quantile is off by less than a fifth, wherever the observations lie between the bounds and whatever they look like, as long as there are enough of them to tell one
// from the next.
func TestQuantilesAreOffByLessThanAFifth(t *testing.T) {
	shapes := map[string]func(*rand.Rand) float64{
		"even":        func(r *rand.Rand) float64 { return 1000 + r.Float64()*300_000 },
		"exponential": func(r *rand.Rand) float64 { return 1000 + r.ExpFloat64()*80_000 },
		"log-normal":  func(r *rand.Rand) float64 { return math.Exp(11 + r.NormFloat64()) },
		"long tail":   func(r *rand.Rand) float64 { return 2000 * math.Pow(1-r.Float64(), -0.7) },
	}
	for name, draw := range shapes {
		for seed := range uint64(30) {
			rng := rand.New(rand.NewPCG(seed, 11))
			all := make([]int64, 2000)
			for i := range all {
				all[i] = int64(min(max(draw(rng), 501), 300e6))
			}
			c := cell(all...)
			slices.Sort(all)
			for _, q := range []float64{0.1, 0.5, 0.9, 0.95, 0.99} {
				exact := float64(all[int(math.Ceil(q*float64(len(all))))-1])
				got, ok := c.Quantile(q)
				require.True(t, ok)
				assert.InEpsilon(t, exact, float64(got.Microseconds()), 0.2, fmt.Sprint(name, " ", seed, " ", q))
			}
		}
	}
}

// Observations that are all the same are told as somewhere in their bucket: no further off than its width.
func TestAQuantileIsInTheBucketOfWhatWasSeen(t *testing.T) {
	for _, us := range []int64{501, 10_000, 123_456, 90e6} {
		for _, q := range []float64{0, 0.5, 1} {
			got, ok := cell(us, us, us).Quantile(q)
			require.True(t, ok)
			assert.LessOrEqual(t, float64(got.Microseconds()), float64(us)*math.Sqrt2)
			assert.GreaterOrEqual(t, float64(got.Microseconds()), float64(us)/math.Sqrt2-1)
		}
	}
}

func TestQuantilesAtTheEdges(t *testing.T) {
	_, ok := meter.Cell{}.Quantile(0.5)
	assert.False(t, ok)

	got, ok := cell(0).Quantile(0.5)
	require.True(t, ok)
	assert.Equal(t, 250*time.Microsecond, got, "the first bucket begins at 0")

	bounds := meter.Bounds()
	got, ok = cell(1000, 3600e6).Quantile(0.99)
	require.True(t, ok)
	assert.Equal(t, bounds[len(bounds)-1], got, "what is above the last bound counts as that bound")
	got, _ = cell(1000, 3600e6).Quantile(0.5)
	assert.InEpsilon(t, float64(time.Millisecond), float64(got), 0.42)
}

// The more observations are to lie below it, the higher it is.
func TestAQuantileNeverFalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	all := make([]int64, 500)
	for i := range all {
		all[i] = int64(rng.ExpFloat64() * 1e5)
	}
	c, last := cell(all...), time.Duration(0)
	for q := 0.0; q <= 1; q += 0.01 {
		got, ok := c.Quantile(q)
		require.True(t, ok)
		assert.GreaterOrEqual(t, got, last)
		last = got
	}
}
