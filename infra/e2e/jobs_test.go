package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/workflows/job"
)

func (u user) client() *client.Client {
	return client.New(u.url, u.key, &client.Options{Tenant: u.tenant})
}

func TestAJobIsFollowedToItsEnd(t *testing.T) {
	acme, globex := as(t, "acme").client(), as(t, "globex").client()
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "Paragraph %d tells at some length how the water of the levada came to field number %d, and who was allowed to take it.\n\n", i, 7*i)
	}
	a, err := acme.Ingest(t.Context(), client.Document{DocID: "followed", Text: text.String()})
	require.NoError(t, err)
	var seen []job.State
	j, err := acme.Follow(t.Context(), a.JobID, func(j job.Job) { seen = append(seen, j.State) })
	require.NoError(t, err)
	assert.Equal(t, job.Succeeded, j.State)
	assert.Equal(t, job.Succeeded, seen[len(seen)-1])
	assert.NotContains(t, seen[:len(seen)-1], job.Succeeded, "the end comes once")

	_, err = globex.Follow(t.Context(), a.JobID, func(job.Job) { t.Error("another tenant's job") })
	var refused *client.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "job_not_found", refused.Fault.Code)
}

// A follower that leaves takes nothing with it, and who was there to the end is told not to come back.
func TestWhoFollowsAJobMayLeave(t *testing.T) {
	u := as(t, "acme")
	acc := u.index(document{DocID: "left", Text: "A levada that nobody follows."})
	open := func(headers ...string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.url+"/jobs/"+acc.JobID+"/events", nil)
		require.NoError(t, err)
		r.Header.Set("authorization", "Bearer "+u.key)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		return resp
	}
	resp := open()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	id := ""
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if v, is := strings.CutPrefix(lines.Text(), "id: "); is {
			id = v
		}
	}
	resp.Body.Close()
	require.NotEmpty(t, id)
	seen := open("last-event-id", id)
	seen.Body.Close()
	assert.Equal(t, http.StatusNoContent, seen.StatusCode)

	running, err := u.client().Ingest(t.Context(), client.Document{DocID: "left", Text: "A levada that nobody follows any more."})
	require.NoError(t, err)
	acc.JobID = running.JobID
	for range 5 {
		open().Body.Close() // before the end, or after it
	}
	j, err := u.client().Follow(t.Context(), running.JobID, func(job.Job) {})
	require.NoError(t, err)
	assert.Equal(t, job.Succeeded, j.State)
}
