package view_test

import (
	"fmt"
	"time"

	"levada.dev/events/meter"
	"levada.dev/events/meter/view"
)

func ExampleOverviewOf() {
	now := time.Date(2026, 11, 23, 12, 30, 0, 0, time.UTC)
	var set meter.Set
	set.Count(meter.Of(meter.Requests, "/search", "POST", "200"), 98)
	set.Count(meter.Of(meter.Requests, "/search", "POST", "503"), 2)

	w, _ := view.Look(view.Hour, now)
	o := view.OverviewOf(w, []meter.Slot{{Start: now.Truncate(w.Step()), Set: &set}})
	fmt.Println(o.Requests.Total, o.Failures.Total, len(o.Requests.Line))
	// Output: 100 2 60
}
