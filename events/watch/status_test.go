package watch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/meter"
	"levada.dev/events/trace"
)

// An answer that began with 200 and then failed is no success in any count; one whose client left is.
func TestAnAnswerThatWasCutShortHasNoStatus(t *testing.T) {
	for _, c := range []struct {
		status  int
		outcome trace.Outcome
		want    string
	}{
		{200, trace.OK, "200"}, {200, trace.Failed, meter.Broken}, {200, trace.Left, "200"}, {503, trace.Failed, "503"}, {429, trace.Refused, "429"},
	} {
		var set meter.Set
		count(&set, &trace.Span{Kind: trace.Request, Name: "/search", Took: time.Second,
			Facts: trace.Facts{Method: "POST", Status: c.status, Outcome: c.outcome, Cache: "hit"}})
		got := map[meter.Series]int64{}
		for of, cell := range set.All() {
			got[of] = cell.Sum
		}
		assert.Equal(t, map[meter.Series]int64{
			meter.Of(meter.Requests, "/search", "POST", c.want): 1,
			meter.Of(meter.RequestDuration, "/search", "POST"):  1e6,
			meter.Of(meter.Searches, "hit"):                     1,
			meter.Of(meter.SearchTime, "hit"):                   1e6,
		}, got)
	}
}
