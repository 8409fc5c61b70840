package e2e

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
)

// Five hundred turns at once fill an instance with small things, and leave it in pieces. The largest documents that a tenant may send come in
// meanwhile and afterwards, through every door: no instance dies, and every turn is whole.
func TestLargeDocumentsBesideManyTurns(t *testing.T) {
	p, err := start(newState(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) }) // what it still has to do is no part of the test
	require.NoError(t, p.Queue("ingest").Disturb(t.Context(), dev.Faults{Pause: true}))
	u := asOn(t, p, "acme")
	text := pages(13_900_000, "needle")
	line := `{"text":"` + strings.ReplaceAll(text, "\n", " ") + `"}`
	send := func() {
		for _, post := range []func() answer{
			func() answer { return u.do(http.MethodPost, "/ingest", document{DocID: "announced", Text: text}) },
			func() answer { return u.do(http.MethodPost, "/ingest", io.Reader(strings.NewReader(line))) },
			func() answer {
				return u.do(http.MethodPost, "/ingest", bytesDocument{DocID: "base64", Base64: base64.StdEncoding.EncodeToString([]byte(text[:10_900_000])), ContentType: "text/plain"})
			},
			func() answer {
				return u.do(http.MethodPost, "/ingest/batch", line+"\n"+line, "content-type", "application/x-ndjson")
			},
		} {
			a := post()
			for tries := 1; a.Status == http.StatusGatewayTimeout && tries < 5; tries++ { // a slow machine has not come to it in time: that is no death
				a = post()
			}
			assert.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
		}
	}

	n := 500
	if testing.Short() {
		n = 100
	}
	all := chatters(n, [2]string{"elm", "hazel"})
	var talking sync.WaitGroup
	var left atomic.Int32
	for _, c := range all {
		left.Add(1)
		talking.Go(func() {
			defer left.Add(-1)
			c.talk(asOn(t, p, c.tenant))
		})
	}
	for meanwhile := true; meanwhile; meanwhile = left.Load() > 0 && !t.Failed() {
		send()
	}
	talking.Wait()
	send()
	for _, c := range all {
		assert.NoError(t, c.err)
	}
	alive(t, p, "beside turns")
}
