package meter_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
)

// note is one thing that was counted.
type note struct {
	of meter.Series
	v  int64
}

// notes are random ones, of so many values of each label.
func notes(rng *rand.Rand, n, labels int) []note {
	all := make([]note, n)
	for i := range all {
		m := meter.Metrics()[rng.IntN(len(meter.Metrics()))]
		names := make([]string, len(m.Spec().Labels))
		for j := range names {
			names[j] = fmt.Sprint("l", rng.IntN(labels))
		}
		all[i] = note{meter.Of(m, names...), int64(rng.ExpFloat64() * 1e6)}
	}
	return all
}

func (n note) in(s *meter.Set) {
	if n.of.Metric.Spec().Histogram {
		s.Observe(n.of, n.v)
	} else {
		s.Count(n.of, n.v)
	}
}

// totals are the sums of each metric over all of its series.
func totals(s *meter.Set) map[meter.Metric]meter.Cell {
	all := map[meter.Metric]meter.Cell{}
	for of, c := range s.All() {
		sum := all[of.Metric]
		sum.Count += c.Count
		sum.Sum += c.Sum
		for b, n := range c.Buckets {
			if sum.Buckets == nil {
				sum.Buckets = map[uint8]int64{}
			}
			sum.Buckets[b] += n
		}
		all[of.Metric] = sum
	}
	return all
}

// scattered counts the notes in many sets and adds those up, in an order of its own.
func scattered(rng *rand.Rand, all []note) *meter.Set {
	parts := make([]*meter.Set, 1+rng.IntN(12))
	for i := range parts {
		parts[i] = &meter.Set{}
	}
	for _, i := range rng.Perm(len(all)) {
		all[i].in(parts[rng.IntN(len(parts))])
	}
	for len(parts) > 1 { // pairwise, as minutes into hours and those into everything
		i := rng.IntN(len(parts) - 1)
		parts[i].Add(parts[i+1])
		parts = slices.Delete(parts, i+1, i+2)
	}
	return parts[0]
}

func TestSetsAddUpInAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 9))
		all := notes(rng, rng.IntN(400), 1+rng.IntN(4)) // 64 series of a metric at most: all have room
		var whole meter.Set
		for _, n := range all {
			n.in(&whole)
		}
		parts := scattered(rng, all)
		assert.Equal(t, totals(&whole), totals(parts))
		a, err := json.Marshal(&whole)
		require.NoError(t, err)
		b, err := json.Marshal(parts)
		require.NoError(t, err)
		require.Equal(t, string(a), string(b), "seed %d", seed)
	}
}

// Which series there was no room for depends on which came first; what they come to does not.
func TestNoSumIsWrongWhenThereAreTooManySeries(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 10))
		all := notes(rng, 20_000, 40)
		var whole meter.Set
		for _, n := range all {
			n.in(&whole)
		}
		parts := scattered(rng, all)
		require.Equal(t, totals(&whole), totals(parts), "seed %d", seed)
		for _, s := range []*meter.Set{&whole, parts} {
			series := map[meter.Metric]int{}
			for of := range s.All() {
				series[of.Metric]++
			}
			for m, n := range series {
				assert.LessOrEqual(t, n, meter.MaxSeries+1, m.Spec().Name) // these labels are no ways to end
			}
		}
	}
}

func TestWhatHasNoRoomIsOther(t *testing.T) {
	var s meter.Set
	for i := range meter.MaxSeries + 50 {
		s.Count(meter.Of(meter.DeadLetters, fmt.Sprint("q", i)), 1)
	}
	s.Count(meter.Of(meter.DeadLetters, "q7"), 1)
	s.Count(meter.Of(meter.Searches, "fresh"), 1)
	cells := map[meter.Series]int64{}
	for of, c := range s.All() {
		cells[of] = c.Sum
	}
	assert.Len(t, cells, meter.MaxSeries+2)
	assert.EqualValues(t, 50, cells[meter.Of(meter.DeadLetters, meter.Other)])
	assert.EqualValues(t, 2, cells[meter.Of(meter.DeadLetters, "q7")], "what is there already goes on")
	assert.EqualValues(t, 1, cells[meter.Of(meter.Searches, "fresh")], "the room is each metric's own")
	assert.Equal(t, s.Len(), len(cells))

	var again meter.Set
	again.Add(&s)
	a, err := json.Marshal(&s)
	require.NoError(t, err)
	b, err := json.Marshal(&again)
	require.NoError(t, err)
	assert.Equal(t, string(a), string(b), "a full set is added as it is, in whatever order")

	var three meter.Set
	for i := range meter.MaxSeries + 1 {
		three.Count(meter.Of(meter.Requests, fmt.Sprint("r", i), "GET", "200"), 1)
	}
	sum := map[meter.Series]int64{}
	for of, c := range three.All() {
		sum[of] = c.Sum
	}
	assert.EqualValues(t, 1, sum[meter.Of(meter.Requests, meter.Other, meter.Other, "2xx")])
}

// What there is no room for is counted beside how it ended, by whatever way it came there.
func TestWhatHasNoRoomHasFailedAllTheSame(t *testing.T) {
	ends := map[meter.Metric]map[string]string{
		meter.Requests: {
			"200": "2xx", "304": "3xx", "401": "4xx", "499": "4xx", "500": "5xx", "503": "5xx", meter.Broken: meter.Broken,
			"0": meter.Other, "600": meter.Other, "": meter.Other, "5xx": "5xx",
		},
		meter.Events:     {"ok": "ok", "failed": "failed", "nonsense": meter.Other},
		meter.Steps:      {"ok": "ok", "left": "left"},
		meter.ModelCalls: {"refused": "refused", "failed": "failed"},
		meter.ToolCalls:  {"failed": "failed", "": meter.Other},
	}
	for m, of := range ends {
		names := m.Spec().Labels
		series := func(first, end string) meter.Series {
			values := make([]string, len(names))
			for i := range values {
				values[i] = first
			}
			values[len(values)-1] = end
			return meter.Of(m, values...)
		}
		var full, late meter.Set
		want := map[meter.Series]int64{}
		for i := range meter.MaxSeries {
			full.Count(series(fmt.Sprint("n", i), "full"), 1)
		}
		for from, to := range of {
			full.Count(series("x", from), 2)
			late.Count(series("y", from), 3)
			want[series(meter.Other, to)] += 5
		}
		full.Add(&late)
		text, err := json.Marshal(&full)
		require.NoError(t, err)
		var back meter.Set
		require.NoError(t, json.Unmarshal(text, &back))
		got := map[meter.Series]int64{}
		for of, c := range back.All() {
			if of.Labels[0] == meter.Other {
				got[of] = c.Sum
			}
		}
		assert.Equal(t, want, got, m.Spec().Name)
	}
}

func TestALongLabelIsCut(t *testing.T) {
	var s meter.Set
	long := strings.Repeat("água", 40)
	s.Count(meter.Of(meter.DeadLetters, long), 1)
	s.Count(meter.Of(meter.DeadLetters, long), 1)
	require.Equal(t, 1, s.Len())
	for of, c := range s.All() {
		assert.EqualValues(t, 2, c.Sum)
		assert.LessOrEqual(t, len(of.Labels[0]), meter.MaxLabel)
		assert.Greater(t, len(of.Labels[0]), meter.MaxLabel-4)
		assert.True(t, strings.HasPrefix(long, of.Labels[0]))
		assert.True(t, utf8.ValidString(of.Labels[0]))
	}
	b, err := json.Marshal(&s)
	require.NoError(t, err)
	var back meter.Set
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, totals(&s), totals(&back))
}

func TestASetIsNotTheOnesThatWereAdded(t *testing.T) {
	var a, b meter.Set
	of := meter.Of(meter.StepDuration, "import")
	b.Observe(of, 1000)
	a.Add(&b)
	a.Observe(of, 1000)
	a.Add(&meter.Set{})
	assert.EqualValues(t, 1, totals(&b)[meter.StepDuration].Count)
	assert.EqualValues(t, 2, totals(&a)[meter.StepDuration].Count)
	assert.Zero(t, (&meter.Set{}).Len())
}

func TestWhatIsBelowNothingIsNothing(t *testing.T) {
	var s meter.Set
	s.Observe(meter.Of(meter.EventWait, "chunk"), -5)
	assert.Equal(t, meter.Cell{Count: 1, Buckets: map[uint8]int64{0: 1}}, totals(&s)[meter.EventWait])
}

func TestAllStopsWhenAsked(t *testing.T) {
	var s meter.Set
	s.Count(meter.Of(meter.Searches, "a"), 1)
	s.Count(meter.Of(meter.Searches, "b"), 1)
	n := 0
	for range s.All() {
		n++
		break
	}
	assert.Equal(t, 1, n)
}
