package port

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/meter"
	"levada.dev/tenants/tenantstest"
)

func TestPointsOfABatch(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	var set meter.Set
	set.Observe(meter.Of(meter.ToolDuration, "calculator"), 1500)
	set.Observe(meter.Of(meter.ToolDuration, "calculator"), 500)
	set.Count(meter.Of(meter.Requests, "POST /search", "POST", "200"), 3)
	set.Count(meter.Of(meter.Requests, "POST /chat", "POST", "200"), 1)
	assert.Equal(t, []Point{
		{"acme", []string{"levada_requests", "POST /chat", "POST", "200", "api"}, []float64{0, 1}},
		{"acme", []string{"levada_requests", "POST /search", "POST", "200", "api"}, []float64{0, 3}},
		{"acme", []string{"levada_tool_duration_seconds", "calculator", "", "", "api"}, []float64{2, 2000}},
	}, Points("api", acme, &set))
	assert.Equal(t, "globex", Points("api", globex, &set)[0].Index)
	assert.Empty(t, Points("api", acme, &meter.Set{}))
}

// A point is below the platform's limits however much is counted: 96 bytes of index, 16 KB of blobs.
func TestPointsAreSmall(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	var set meter.Set
	for i := range 300 {
		for _, m := range meter.Metrics() {
			label := fmt.Sprintf("%0200d", i)
			set.Put(meter.Of(m, []string{label, label, label}[:len(m.Spec().Labels)]...), meter.Cell{Count: 1, Sum: 1 << 62})
		}
	}
	points := Points("workflows", acme, &set)
	assert.Len(t, points, set.Len())
	for _, p := range points {
		bytes := 0
		for _, b := range p.Blobs {
			bytes += len(b)
		}
		assert.Less(t, bytes, 600)
		assert.LessOrEqual(t, len(p.Index), 96)
		assert.Equal(t, []int{5, 2}, []int{len(p.Blobs), len(p.Doubles)})
	}
}

func TestAnEventHasRoomForSoManyPoints(t *testing.T) {
	var r room
	assert.Equal(t, []int{200, 50, 0}, []int{r.take(7, 200), r.take(7, 200), r.take(7, 1)})
	assert.Equal(t, 250, r.take(8, 1000), "each has its own")
	assert.Zero(t, r.take(7, 1))
	for event := range int32(2 * maxEvents) {
		r.take(100+event, 1)
	}
	assert.Len(t, r.written, maxEvents, "those that are over are forgotten")
	assert.Len(t, r.events, maxEvents)
}
