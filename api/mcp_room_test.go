package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A message has its room once: what is asked for it takes none of its own. It would wait for room that its own message holds, or others that wait as well.
func TestWhatAMessageAsksHasTheMessagesRoom(t *testing.T) {
	eachRevision(t, func(t *testing.T, revision string) {
		const room = 400_000
		w := newWorld(t, func(w *world) {
			w.opts.MaxBodyBytes = room
			w.opts.Random = nil // requests at the same time
		})
		names, says := []string{"globex", "demo"}, []string{"params.text: has", "Unknown tool: echo"} // both when all has been read
		all := func(letter string, sizes ...int) {
			requests := make([]*http.Request, len(sizes))
			for i, size := range sizes {
				r := w.speaks(names[i%2], revision).message("tools/call", map[string]any{"name": "echo", "arguments": map[string]any{"text": "a text"}})
				body, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				long := strings.Replace(string(body), "a text", strings.Repeat(letter, size), 1)
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(long)), int64(len(long))
				requests[i] = r
			}
			var asked sync.WaitGroup
			for i, r := range requests {
				asked.Go(func() {
					rec := httptest.NewRecorder()
					w.ServeHTTP(rec, r)
					assert.Contains(t, rec.Body.String(), says[i%2])
				})
			}
			asked.Wait()
		}
		for _, letter := range []string{"a", "<"} { // which some writers make six of
			all(letter, room-1000)
			all(letter, 0, room-1000)
			all(letter, 100_000, 100_000, 100_000, 90_000)
		}
		require.Equal(t, 202, w.do("globex", "POST", "/ingest", `{"text":"`+strings.Repeat("a", 100_000)+`"}`).Code, "the room is whole again")
		assert.Equal(t, 202, w.do("globex", "POST", "/ingest", `{"text":"`+strings.Repeat("a", room-100)+`"}`).Code)
	})
}
