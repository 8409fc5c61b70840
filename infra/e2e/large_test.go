package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/local"
)

// pages is a text of about so many bytes, whose needle is in the middle.
func pages(bytes int, needle string) string {
	page := strings.Repeat("The channel follows the contour of the hill, and at each terrace a gate lets the water in for its hours. ", 8) + "\n\n"
	half := strings.Repeat(page, bytes/2/len(page))
	return half + needle + "\n\n" + half
}

// A document of 10 MB becomes searchable, many large ones at once are taken, a larger one is refused; no instance dies.
func TestLargeDocuments(t *testing.T) {
	state := newState(t)
	p, err := startWith(state, local.Options{Lexical: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) }) // what it still has to do is no part of the test
	u := asOn(t, p, "acme")

	acc := u.ingest(document{DocID: "large", Text: pages(10_000_000, "Rutabagas grow on the seventh terrace.")})
	j := u.finished(acc.JobID)
	require.Equal(t, "succeeded", j.State, "%+v", j)
	f := u.search("rutabagas on the seventh terrace", nil)
	require.NotEmpty(t, f.Sources)
	assert.Contains(t, f.Sources[0].Text, "Rutabagas")
	d := u.document("large")
	assert.Equal(t, d.Chunks, vectors(t, p, "bge-m3"))

	refused := u.do(http.MethodPost, "/ingest", document{DocID: "larger", Text: pages(16_000_000, "")}, "expect", "100-continue")
	assert.Equal(t, http.StatusRequestEntityTooLarge, refused.Status, "%s", refused.Body)
	assert.Equal(t, "body_too_large", refused.Error.Code)

	require.NoError(t, p.Queue("ingest").Disturb(t.Context(), dev.Faults{Pause: true}))
	text := pages(14_000_000, "")
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() {
			for {
				a, err := u.try(http.MethodPost, "/ingest", document{DocID: fmt.Sprintf("large/%d", i), Text: text})
				if err == nil && a.Error.Code == "bodies_busy" {
					continue // it has waited long, and would wait longer
				}
				if assert.NoError(t, err) {
					assert.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
				}
				return
			}
		})
	}
	all.Wait()
	log, err := os.ReadFile(filepath.Join(state, "workers.log"))
	require.NoError(t, err)
	assert.NotContains(t, string(log), "out of memory")
	assert.NotContains(t, string(log), " died:")
}
