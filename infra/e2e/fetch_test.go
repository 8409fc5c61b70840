package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus/book"
)

// silence is a server that takes requests and answers none.
func silence(t *testing.T) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	over := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(over) })
	return srv.URL, asked
}

// TestServersThatDoNotAnswerHoldUpNobody: a tenant has two hundred documents fetched from a server that never answers. Its own texts get through
// meanwhile, and another tenant's texts and pages; once its import is cancelled nothing more is asked for, and no letter is left.
func TestServersThatDoNotAnswerHoldUpNobody(t *testing.T) {
	t.Parallel()
	slow, fast := as(t, "fern"), as(t, "maple")
	silent, asked := silence(t)
	pages := site(t)
	var urls []string
	for i := range 200 {
		urls = append(urls, fmt.Sprintf("%s/%d", silent, i))
	}
	begun := slow.imports(map[string]any{"urls": urls})
	eventually(t, "as many are asked for as may be", func() bool { return asked.Load() >= book.MaxFetches })

	fast.index(document{DocID: "beside", Text: "The bridge over the ravine was mended in spring."})
	j := fast.submit(bytesDocument{DocID: "beside-page", URL: pages + "/a"})
	require.Equal(t, "succeeded", j.State, "%+v", j)
	slow.index(document{DocID: "own", Text: "The lamps along the tunnel are lit at dusk."})
	var v importView
	slow.do(http.MethodGet, "/jobs/"+begun.JobID, nil).into(t, &v)
	assert.Zero(t, v.Counts.Done+v.Counts.Failed+v.Counts.Cancelled, "none of those has ended")

	a := slow.do(http.MethodDelete, "/jobs/"+begun.JobID, nil)
	require.Less(t, a.Status, 300, "%s", a.Body)
	before := asked.Load()
	v = slow.imported(begun.JobID)
	assert.Equal(t, []any{"cancelled", 200}, []any{v.State, v.Counts.Cancelled})
	assert.LessOrEqual(t, asked.Load(), before+book.MaxFetches, "what was on its way was, nothing else is asked for")
	eventually(t, "nobody fetches any more", func() bool {
		n, err := platform.Queue("fetch").Backlog(t.Context())
		require.NoError(t, err)
		return n == 0
	})
	var dead struct{ Count *struct{ Total int } }
	slow.do(http.MethodGet, "/events?count=true", nil).into(t, &dead)
	require.NotNil(t, dead.Count)
	assert.Zero(t, dead.Count.Total, "nobody waits for them")
}
