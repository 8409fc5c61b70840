package view_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/meter"
	"levada.dev/events/meter/view"
)

// A view that is given only what it needs is the view of everything.
func TestViewsNeedWhatTheySay(t *testing.T) {
	w := look(t, view.Day)
	slots := func(metrics []meter.Metric) (all []meter.Slot) {
		for ago := range 12 {
			all = append(all, slot(w, ago, func(s *meter.Set) {
				for _, m := range meter.Metrics() {
					if metrics != nil && !slices.Contains(metrics, m) {
						continue
					}
					labels := []string{"a", "failed", "503"}[:len(m.Spec().Labels)]
					for range 30 + ago {
						if m.Spec().Histogram {
							s.Observe(meter.Of(m, labels...), 1e6)
						} else {
							s.Count(meter.Of(m, labels...), 7)
						}
					}
				}
			}))
		}
		return all
	}
	assert.Equal(t, view.OverviewOf(w, slots(nil)), view.OverviewOf(w, slots(view.OverviewNeeds())))
	assert.Equal(t, view.SLIsOf(w, slots(nil), view.Standard), view.SLIsOf(w, slots(view.SLINeeds()), view.Standard))
	assert.Equal(t, view.CacheOf(w, slots(nil)), view.CacheOf(w, slots(view.CacheNeeds())))
	assert.Equal(t, view.ToolsOf(w, slots(nil)), view.ToolsOf(w, slots(view.ToolNeeds())))
	assert.Equal(t, view.AnomaliesOf(w, slots(nil)), view.AnomaliesOf(w, slots(view.AnomalyNeeds())))
	for _, of := range [][]meter.Metric{view.OverviewNeeds(), view.SLINeeds(), view.CacheNeeds(), view.ToolNeeds()} {
		for i := range of {
			less := slices.Delete(slices.Clone(of), i, i+1)
			same := assert.ObjectsAreEqual(view.OverviewOf(w, slots(nil)), view.OverviewOf(w, slots(less))) &&
				assert.ObjectsAreEqual(view.SLIsOf(w, slots(nil), view.Standard), view.SLIsOf(w, slots(less), view.Standard)) &&
				assert.ObjectsAreEqual(view.CacheOf(w, slots(nil)), view.CacheOf(w, slots(less))) &&
				assert.ObjectsAreEqual(view.ToolsOf(w, slots(nil)), view.ToolsOf(w, slots(less)))
			assert.False(t, same, "nobody needs %s", of[i].Spec().Name)
		}
	}
}
