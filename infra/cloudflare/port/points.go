package port

import (
	"cmp"
	"slices"

	"levada.dev/events/meter"
	"levada.dev/tenants"
)

const (
	// maxPoints is how many points are written in one event of a Worker. https://developers.cloudflare.com/analytics/analytics-engine/limits/
	maxPoints = 250
	// maxEvents is how many events are remembered: more than go on at a time.
	maxEvents = 256
)

// Point is one point of Analytics Engine: a series, as far as it has come since the last.
type Point struct {
	Index   string    // the tenant
	Blobs   []string  // metric, three labels, worker
	Doubles []float64 // observations, and the sum in the metric's unit
}

// Points are those of a batch, in the order of the metrics: where there is not room for all, requests, events and calls of models come first.
func Points(worker string, s tenants.Scope, set *meter.Set) []Point {
	type row struct {
		of   meter.Series
		cell meter.Cell
	}
	rows := make([]row, 0, set.Len())
	for series, c := range set.All() {
		rows = append(rows, row{series, c})
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.of.Metric, b.of.Metric), slices.Compare(a.of.Labels[:], b.of.Labels[:]))
	})
	points := make([]Point, len(rows))
	for i, r := range rows {
		points[i] = Point{
			Index: string(s.Tenant()), Blobs: append(append([]string{r.of.Metric.Spec().Name}, r.of.Labels[:]...), worker),
			Doubles: []float64{float64(r.cell.Count), float64(r.cell.Sum)},
		}
	}
	return points
}

// room is how many points events have left.
type room struct {
	written map[int32]int
	events  []int32 // the oldest first
}

// take takes room for n points in an event, as far as there is any.
func (r *room) take(event int32, n int) int {
	if r.written == nil {
		r.written = map[int32]int{}
	}
	if _, known := r.written[event]; !known {
		if r.events = append(r.events, event); len(r.events) > maxEvents {
			delete(r.written, r.events[0])
			r.events = r.events[1:]
		}
	}
	n = min(n, maxPoints-r.written[event])
	r.written[event] += n
	return n
}
