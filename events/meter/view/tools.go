package view

import (
	"cmp"
	"slices"

	"levada.dev/events/meter"
	"levada.dev/events/trace"
)

// Tools is how calls of tools went.
type Tools struct {
	Window
	Tools []Tool `json:"tools"` // those that were called most first
}

// Tool is how those of one tool went.
type Tool struct {
	Tool     string   `json:"tool"`
	Calls    int64    `json:"calls"`
	Failures int64    `json:"failures"` // by the tool's doing
	Refused  int64    `json:"refused"`  // by the caller's
	P50      *float64 `json:"p50Ms"`
	P95      *float64 `json:"p95Ms"`
}

// ToolsOf makes it of the window's slots.
func ToolsOf(w Window, slots []meter.Slot) Tools {
	tools, times := map[string]*Tool{}, map[string]*meter.Cell{}
	for _, set := range w.steps(slots) {
		if set == nil {
			continue
		}
		for of, c := range set.All() {
			switch of.Metric {
			case meter.ToolCalls:
				t := entry(tools, of.Labels[0])
				t.Calls += c.Sum
				switch trace.Outcome(of.Labels[1]) {
				case trace.Failed:
					t.Failures += c.Sum
				case trace.Refused:
					t.Refused += c.Sum
				}
			case meter.ToolDuration:
				join(entry(times, of.Labels[0]), c)
			}
		}
	}
	out := Tools{Window: w, Tools: []Tool{}}
	for name, t := range tools {
		d := entry(times, name)
		t.Tool, t.P50, t.P95 = name, millis(*d, 0.5), millis(*d, 0.95)
		out.Tools = append(out.Tools, *t)
	}
	slices.SortFunc(out.Tools, func(a, b Tool) int { return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Tool, b.Tool)) })
	return out
}
