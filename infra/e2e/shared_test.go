package e2e

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus"
)

// TestSharedCases delivers the cases of the conformance corpus to real workerd where a file of them is given: each is accepted or
// refused as it is marked.
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
	s, ran := senderOf(t, "acme", "cms-1"), 0
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
		ran++
		a := s.deliver("cms", "case-"+strconv.Itoa(ran), time.Now(), "", string(body), headers...)
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
	}
	require.NoError(t, lines.Err())
	require.NotZero(t, ran)
	t.Log(ran, "cases")
}
