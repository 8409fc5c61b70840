package e2e

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/eventstest"
	"levada.dev/workflows/corpus"
)

// TestSharedCases delivers the cases of the conformance corpus to real workerd where a file of them is given: each is accepted or
// refused as it is marked.
func TestSharedCases(t *testing.T) {
	s, ran := senderOf(t, "acme", "cms-1"), 0
	eventstest.SharedCases(t, func(c eventstest.Case) bool {
		ran++
		a := s.deliver("cms", "case-"+strconv.Itoa(ran), time.Now(), "", string(c.Body), c.HeaderPairs()...)
		var done corpus.Delivered
		if a.OK {
			a.into(t, &done)
		}
		switch c.Expect {
		case "accept":
			assert.Equal(t, http.StatusAccepted, a.Status, "%s: %s", c.ID, a.Body)
			assert.Empty(t, done.Refused, c.ID)
		case "reject":
			assert.True(t, a.Status >= 400 && a.Status < 500 || len(done.Refused) > 0, "%s: %d %s", c.ID, a.Status, a.Body)
		default:
			assert.Less(t, a.Status, 500, c.ID)
		}
		return true
	})
}
