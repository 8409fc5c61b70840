package webhook_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
)

// TestSharedCases delivers the cases of the conformance corpus where a file of them is given.
func TestSharedCases(t *testing.T) {
	file := os.Getenv("LEVADA_CLOUDEVENTS_CASES")
	if file == "" {
		return
	}
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	ran := 0
	for lines.Scan() {
		var c struct {
			ID, Expect, B64 string
			Headers         [][2]string
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		body, err := base64.StdEncoding.DecodeString(c.B64)
		require.NoError(t, err)
		var headers []string
		for _, h := range c.Headers {
			headers = append(headers, h[0], h[1])
		}
		d := newDoor(t)
		done, err := d.Receive(t.Context(), d.scope("acme"), d.configs["acme"], d.signed("acme", "cms-1", string(body), headers...))
		switch c.Expect {
		case "accept":
			assert.NoError(t, err, c.ID)
			assert.Empty(t, done.Refused, c.ID)
		case "reject":
			assert.True(t, err != nil || len(done.Refused) > 0, c.ID)
		}
		ran++
	}
	require.NoError(t, lines.Err())
	require.NotZero(t, ran)
	t.Log(ran, "cases")
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
