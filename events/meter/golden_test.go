package meter_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
)

// What is kept, and what others read, has the names of metrics and of their labels: lines are added to this list, and none is changed.
func TestNamesAreStable(t *testing.T) {
	want, err := os.ReadFile("testdata/metrics.txt")
	require.NoError(t, err)
	var got strings.Builder
	for _, m := range meter.Metrics() {
		s := m.Spec()
		kind := "counter"
		if s.Histogram {
			kind = "histogram"
		}
		fmt.Fprintf(&got, "%s %s %q %s\n", s.Name, kind, s.Unit, strings.Join(s.Labels, ","))
	}
	assert.Equal(t, string(want), got.String())
}

func TestTheTableIsOneOfMetrics(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range meter.Metrics() {
		s := m.Spec()
		assert.Regexp(t, `^levada_[a-z]+(_[a-z]+)*$`, s.Name)
		assert.Regexp(t, `^[A-Z].*\.$`, s.Help, s.Name)
		assert.False(t, seen[s.Name], s.Name)
		seen[s.Name] = true
		assert.Contains(t, []int{1, 2, 3}, len(s.Labels), s.Name)
		assert.Equal(t, s.Histogram, s.Unit == meter.Micros, s.Name)
		assert.Equal(t, s.Histogram, strings.HasSuffix(s.Name, "_seconds"), s.Name)
		assert.Equal(t, s.Unit == meter.NanoUSD, strings.HasSuffix(s.Name, "_usd"), s.Name)
		assert.False(t, strings.HasSuffix(s.Name, "_total"), "%s: the kind adds its ending", s.Name)

		found, known := meter.Named(s.Name)
		assert.True(t, known)
		assert.Equal(t, m, found)
		text, err := m.MarshalText()
		require.NoError(t, err)
		var back meter.Metric
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, m, back)
	}
	_, known := meter.Named("levada_unknown")
	assert.False(t, known)
	var m meter.Metric
	assert.ErrorContains(t, m.UnmarshalText([]byte("levada_unknown")), "levada_unknown")
	_, err := meter.Metric(200).MarshalText()
	assert.Error(t, err)
}
