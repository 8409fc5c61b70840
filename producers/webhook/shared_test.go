package webhook_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
)

// TestSharedCases delivers the cases of the conformance corpus where a file of them is given.
func TestSharedCases(t *testing.T) {
	eventstest.SharedCases(t, func(c eventstest.Case) bool {
		d := newDoor(t)
		done, err := d.Receive(t.Context(), d.scope("acme"), d.configs["acme"], d.signed("acme", "cms-1", string(c.Body), c.HeaderPairs()...))
		switch c.Expect {
		case "accept":
			assert.NoError(t, err, c.ID)
			assert.Empty(t, done.Refused, c.ID)
		case "reject":
			assert.True(t, err != nil || len(done.Refused) > 0, c.ID)
		}
		return true
	})
}

func FuzzReceive(f *testing.F) {
	f.Add("["+event("1", `"data":{"text":"x"}`)+",5]", batched)
	f.Add(event("1", `"subject":"ä","datacontenttype":"text/xml","data":"x"`), structured)
	f.Add(event("1", `"data":{"article":{"body":"x"}}`), structured)
	f.Fuzz(func(t *testing.T, body, contentType string) {
		d := newDoor(t)
		for _, secret := range []string{"cms-1", "helpdesk-1"} {
			del := d.signed("acme", secret, body)
			del.Header["Content-Type"] = []string{contentType}
			done, err := d.Receive(t.Context(), d.scope("acme"), d.configs["acme"], del)
			if err != nil && fault.Is(err, fault.Internal) {
				t.Fatalf("%s: %v", body, err)
			}
			for _, a := range done.Accepted {
				if a.EventID == "" || a.DocID == "" && a.JobID == "" {
					t.Fatalf("%s: %+v", body, a)
				}
			}
		}
	})
}
