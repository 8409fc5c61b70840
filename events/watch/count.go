package watch

import (
	"strconv"
	"strings"

	"levada.dev/events/meter"
	"levada.dev/events/trace"
)

// count counts a span that has ended, by its kind.
func count(set *meter.Set, s *trace.Span) {
	took, outcome := s.Took.Microseconds(), string(s.Outcome)
	switch s.Kind {
	case trace.Request:
		set.Count(meter.Of(meter.Requests, s.Name, s.Method, status(s)), 1)
		set.Observe(meter.Of(meter.RequestDuration, s.Name, s.Method), took-s.Wait.Microseconds())
		if s.Cache != "" {
			set.Count(meter.Of(meter.Searches, s.Cache), 1)
			set.Observe(meter.Of(meter.SearchTime, s.Cache), took)
		}
		if s.FirstByte > 0 {
			set.Observe(meter.Of(meter.FirstToken, s.Name), s.FirstByte.Microseconds())
		}
	case trace.Event:
		set.Observe(meter.Of(meter.EventWait, s.Name), s.Wait.Microseconds())
	case trace.Batch:
		if s.Events > s.Failed {
			set.Count(meter.Of(meter.Events, s.Name, string(trace.OK)), int64(s.Events-s.Failed))
		}
		if s.Failed > 0 {
			set.Count(meter.Of(meter.Events, s.Name, string(trace.Failed)), int64(s.Failed))
		}
		set.Observe(meter.Of(meter.BatchDuration, s.Name), took)
	case trace.Step:
		set.Count(meter.Of(meter.Steps, s.Flow, outcome), 1)
		set.Observe(meter.Of(meter.StepDuration, s.Flow), took)
	case trace.Model:
		set.Count(meter.Of(meter.ModelCalls, s.Name, s.Purpose, outcome), 1)
		set.Observe(meter.Of(meter.ModelDuration, s.Name, s.Purpose), took)
		spent(set, s)
	case trace.Tool:
		set.Count(meter.Of(meter.ToolCalls, s.Name, outcome), 1)
		set.Observe(meter.Of(meter.ToolDuration, s.Name), took)
	case trace.Search:
		set.Observe(meter.Of(meter.SearchDuration, s.Name), took)
	case trace.Object:
		class, _, _ := strings.Cut(s.Name, ".")
		set.Observe(meter.Of(meter.ObjectDuration, class), took)
	case trace.Outside:
		set.Observe(meter.Of(meter.OutsideDuration, s.Name), took)
	}
}

// status is that of a request, as it is counted.
func status(s *trace.Span) string {
	if s.Outcome == trace.Failed && s.Status < 500 {
		return meter.Broken
	}
	return strconv.Itoa(s.Status)
}

// spent counts what a call of a model took.
func spent(set *meter.Set, s *trace.Span) {
	if s.Prompt > 0 {
		set.Count(meter.Of(meter.ModelTokens, s.Name, s.Purpose, "prompt"), s.Prompt)
	}
	if s.Completion > 0 {
		set.Count(meter.Of(meter.ModelTokens, s.Name, s.Purpose, "completion"), s.Completion)
	}
	if s.Chars > 0 {
		set.Count(meter.Of(meter.ModelCharacters, s.Name), s.Chars)
	}
	if s.Nanos > 0 {
		set.Count(meter.Of(meter.ModelCost, s.Name, s.Purpose), s.Nanos)
	}
}
