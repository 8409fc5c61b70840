package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/local"
)

// records is about so many bytes: what is before, the piece so often as it takes, with its number where it has a verb for it, and what is behind.
func records(bytes int, before, piece, behind string) []byte {
	var b strings.Builder
	b.WriteString(before)
	for i := 0; b.Len() < bytes; i++ {
		fmt.Fprintf(&b, piece, i)
	}
	b.WriteString(behind)
	return []byte(b.String())
}

// alive requires that no instance of the platform's Workers has died.
func alive(t *testing.T, p *local.Local, after string) {
	t.Helper()
	for _, w := range p.Stack.Workers {
		m, err := p.Meter(t.Context(), w.Role)
		require.NoError(t, err)
		assert.Empty(t, m.Deaths, "%s, after %s", w.Role, after)
	}
}

// Large documents of two tenants that come at the same time, some of formats whose text is longer than they are, do not meet in memory; nor does
// a text of 10 MB that is a line of a batch.
func TestTwoTenantsWithLargeDocuments(t *testing.T) {
	p, err := startWith(newState(t), local.Options{Lexical: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	const size = 9_900_000
	gate := `"Opened at night, closed in the morning; round %d"`
	table := records(size, "number,terrace,gate,keeper,remarks\n", `17,4,the upper gate,Keeper No. 61,`+gate+"\n", "")
	page := records(size, "<!doctype html><title>Levadas</title><main>", "<h2>Channel %d</h2>\n<p>It follows the contour of the <b>hill</b>, and a gate lets the water in.</p>\n", "</main>")
	tree := records(size, `{"gates":[`, `{"terrace":4,"gate":"the upper gate","keeper":{"name":"Keeper No. 61"},"remarks":`+gate+`},`, `{}]}`)
	text := records(10<<20, "", "Channel %d follows the contour of the hill, and at each terrace a gate lets the water in. ", "")

	document := func(contentType string, data []byte) func(u user) (answer, error) {
		return func(u user) (answer, error) {
			return u.try(http.MethodPost, "/ingest", bytesDocument{DocID: contentType, Base64: base64.StdEncoding.EncodeToString(data), ContentType: contentType})
		}
	}
	line := func(u user) (answer, error) {
		b, err := json.Marshal(map[string]string{"docId": "line", "text": string(text)})
		require.NoError(t, err)
		return u.try(http.MethodPost, "/ingest/batch", string(b), "content-type", "application/x-ndjson")
	}
	for _, c := range []struct {
		name string
		send [2]func(u user) (answer, error)
	}{
		{"a table and JSON", [2]func(u user) (answer, error){document("text/csv", table), document("application/json", tree)}},
		{"a page and a line", [2]func(u user) (answer, error){document("text/html", page), line}},
	} {
		var both sync.WaitGroup
		var jobs [2]string
		users := [2]user{asOn(t, p, "acme"), asOn(t, p, "orchard")}
		for i, send := range c.send {
			both.Go(func() {
				a, err := send(users[i])
				if !assert.NoError(t, err, c.name) || !assert.Equal(t, http.StatusAccepted, a.Status, "%s: %s", c.name, a.Body) {
					return
				}
				var v struct{ JobID string }
				assert.NoError(t, a.decode(&v))
				jobs[i] = v.JobID
			})
		}
		both.Wait()
		for i, job := range jobs {
			var j jobView
			require.Eventually(t, func() bool {
				a, err := users[i].try(http.MethodGet, "/jobs/"+job, nil)
				return err == nil && a.decode(&j) == nil && j.State != "queued" && j.State != "running"
			}, 4*patience, 100*time.Millisecond, "never: %s: job %s ends", c.name, job)
			assert.Equal(t, "succeeded", j.State, "%s: %+v", c.name, j)
		}
		alive(t, p, c.name)
		if t.Failed() {
			return
		}
	}
}
