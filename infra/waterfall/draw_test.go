package waterfall

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/meter/view"
	"levada.dev/events/trace"
)

func span(id, parent string, kind trace.Kind, name string, offset, duration float64, facts trace.Facts) view.Span {
	if facts.Outcome == "" {
		facts.Outcome = trace.OK
	}
	return view.Span{ID: id, Parent: parent, Kind: kind, Name: name, Offset: offset, Duration: duration, Facts: facts}
}

var search = view.Spans{Spans: []view.Span{
	span("d", "b", trace.Model, "@cf/baai/bge-m3", 20, 40, trace.Facts{Use: trace.Use{Prompt: 12, Nanos: 144}}),
	span("a", "", trace.Request, "/search", 0, 100, trace.Facts{Status: 200}),
	span("c", "a", trace.Object, "meters.add", 80, 20, trace.Facts{Outcome: trace.Failed, Code: "object_unavailable", Attempt: 2}),
	span("b", "a", trace.Search, "vectors", 10, 60, trace.Facts{}),
	span("e", "gone", trace.Event, "index", 100, 100, trace.Facts{}),
	span("x", "y", trace.Step, "one", 0, 0, trace.Facts{}), // each is the other's cause: what cannot be is not drawn, and ends
	span("y", "x", trace.Step, "two", 0, 0, trace.Facts{}),
}}

func TestASpanStandsBelowItsCause(t *testing.T) {
	var out strings.Builder
	Draw(&out, search, 0)
	bar := func(from, long int) string {
		return strings.Repeat("·", from) + strings.Repeat("━", long) + strings.Repeat("·", 60-from-long)
	}
	assert.Equal(t, []string{
		"request /search           " + bar(0, 30) + "    100.0 ms 200",
		"  search vectors          " + bar(3, 18) + "     60.0 ms",
		"    model @cf/baai/bge-m3 " + bar(6, 12) + "     40.0 ms 12 + 0 tokens, $0.000000144",
		"  object meters.add       " + bar(24, 6) + "     20.0 ms failed, object_unavailable, attempt 2",
		"event index               " + bar(30, 30) + "    100.0 ms",
	}, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"))
}

func TestADrawingFitsItsTerminal(t *testing.T) {
	for _, width := range []int{100, 120, 200} {
		var out strings.Builder
		Draw(&out, search, width)
		for line := range strings.Lines(out.String()) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), width)
		}
	}
	var out strings.Builder
	Draw(&out, view.Spans{}, 80)
	assert.Empty(t, out.String())
}
