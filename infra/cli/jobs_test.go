package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
	"levada.dev/infra/client/clienttest"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

// client is the API as a tenant's own program calls it.
func (w *world) client(tenant string) *client.Client {
	return client.New("http://levada.test", w.keys[tenants.ID(tenant)], &client.Options{Tenant: tenant, HTTP: clienttest.Inside{Handler: w}})
}

// submit takes a document in and returns the id of its job.
func (w *world) submit(tenant, docID, text string) string {
	w.t.Helper()
	a, err := w.client(tenant).Ingest(w.t.Context(), client.Document{DocID: docID, Text: text})
	require.NoError(w.t, err)
	return a.JobID
}

func TestFollowAJob(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.submit("acme", "a.md", "Water.")
		cuts := 0
		w.around = func(api http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/events") && cuts < 2 {
					cuts++
					ctx, cancel := context.WithTimeout(r.Context(), 10*time.Millisecond)
					defer cancel()
					api.ServeHTTP(rw, r.WithContext(ctx)) // the connection ends before the job does
					return
				}
				api.ServeHTTP(rw, r)
			})
		}
		code, out, errs := w.run(t.Context(), "acme", "jobs", "follow", id)
		assert.Equal(t, exitOK, code, errs)
		assert.Equal(t, "document a.md: succeeded\n", out)
		assert.Equal(t, 2, cuts)

		code, out, errs = w.run(t.Context(), "globex", "jobs", "follow", id)
		assert.Equal(t, exitProblem, code)
		assert.Empty(t, out)
		assert.Contains(t, errs, "job_not_found")

		code, out, _ = w.run(t.Context(), "acme", "jobs", "follow", "--json", id)
		assert.Equal(t, exitOK, code)
		var j job.Job
		require.NoError(t, json.Unmarshal([]byte(out), &j))
		assert.Equal(t, job.Succeeded, j.State)
	})
}

func TestFollowAJobThatFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.Before = func(llm.Call, []string) error {
			return fault.Invalidf("texts", "text_refused", "the model does not take it")
		}
		id := w.submit("acme", "a.md", "Water.")
		code, out, errs := w.run(t.Context(), "acme", "jobs", "follow", id)
		assert.Equal(t, exitProblem, code)
		assert.Equal(t, "document a.md: failed\n", out)
		assert.Equal(t, strings.TrimPrefix(`
┌───────┬──────────────┬────────────────────────────┐
│ FILE  │ CODE         │ MESSAGE                    │
├───────┼──────────────┼────────────────────────────┤
│ embed │ text_refused │ the model does not take it │
└───────┴──────────────┴────────────────────────────┘
levada: job 00000000-0000-0000-0000-000000000001 failed
`, "\n"), errs)
	})
}

func TestAnInterruptedFollowerLeavesTheJob(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.Before = func(llm.Call, []string) error { return fault.Unavailablef(nil, "model_busy", "later") }
		id := w.submit("acme", "a.md", "Water.")
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Millisecond)
		defer cancel()
		code, _, errs := w.run(ctx, "acme", "jobs", "follow", id)
		assert.Equal(t, exitProblem, code)
		assert.Equal(t, strings.TrimPrefix(`
levada: not followed to its end; the job goes on
  follow it:   levada jobs follow 00000000-0000-0000-0000-000000000001 --tenant acme --state-dir STATE
  cancel it:   levada jobs cancel 00000000-0000-0000-0000-000000000001 --tenant acme --state-dir STATE
`, "\n"), errs)
	})
}

func TestShowAJob(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.submit("acme", "a.md", "Water.")
		_, err := w.client("acme").Follow(t.Context(), id, func(job.Job) {})
		require.NoError(t, err)
		code, out, errs := w.run(t.Context(), "acme", "jobs", "show", id)
		assert.Equal(t, exitOK, code, errs)
		assert.Equal(t, strings.TrimPrefix(`
job          00000000-0000-0000-0000-000000000001
kind         ingest
state        succeeded, 100 %
stage        index
document     a.md
slices       1 of 1
cost         1 token, $0.000000012
created      2026-11-22 10:00:00Z
changed      2026-11-22 10:00:00Z
`, "\n"), out)
		code, _, errs = w.run(t.Context(), "globex", "jobs", "show", id)
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "job_not_found")
	})
}

func TestCost(t *testing.T) {
	assert.Equal(t, "1 token, $0.000000012", cost(job.Cost{Tokens: 1, Nanos: 12}))
	assert.Equal(t, "0 tokens, 412 characters, $1.006180000", cost(job.Cost{Chars: 412, Nanos: 1_006_180_000}))
}

func TestOutcome(t *testing.T) {
	for _, test := range []struct {
		j    job.Job
		want string
	}{
		{job.Job{ID: "i", Kind: job.Import, State: job.Succeeded, Counts: job.Counts{Total: 10, Done: 7, Unchanged: 2, Failed: 3, Refused: 1}},
			"import i: succeeded, 10 documents: 7 searchable (2 unchanged), 3 failed (1 refused)"},
		{job.Job{ID: "i", Kind: job.Import, State: job.Running, Counts: job.Counts{Total: 1}}, "import i: running, 1 document: 0 searchable, 1 on their way"},
		{job.Job{ID: "i", Kind: job.Import, State: job.Cancelled, Counts: job.Counts{Total: 2, Done: 1, Cancelled: 1}}, "import i: cancelled, 2 documents: 1 searchable, 1 cancelled"},
		{job.Job{ID: "i", Kind: job.Import, State: job.Running, Of: &job.Origin{Kind: "urls", URL: "https://a.example/"}, Counts: job.Counts{Total: 3, Done: 3}},
			"import i (https://a.example/ and 2 more): running, 3 documents: 3 searchable"},
		{job.Job{ID: "i", Kind: job.Import, State: job.Succeeded, Of: &job.Origin{Kind: "prefix", Prefix: "a/"}, Note: &job.Problem{Code: job.FoundNothing, Message: "no file"}},
			"import i (prefix a/): succeeded, but nothing was found: no file"},
		{job.Job{Kind: job.Ingest, DocID: "a", State: job.Succeeded, Unchanged: true}, "document a: succeeded, unchanged"},
		{job.Job{Kind: job.Ingest, DocID: "a", State: job.Running, Stage: "embed", Counts: job.Counts{Total: 3, Done: 1}}, "document a: running, at embed (1 of 3 slices)"},
		{job.Job{Kind: job.Erase, DocID: "a", State: job.Running}, "erasure of a: running"},
		{job.Job{Kind: job.Erase, DocID: "a", State: job.Succeeded, Erasure: &job.Erasure{Generations: 2, Vectors: 1, Texts: 2, CheckedAt: time.Unix(0, 0)}},
			"erasure of a: succeeded: 2 generations, 1 vector, 0 passages and 2 texts removed, 0 remaining, checked 1970-01-01 00:00:00Z"},
	} {
		assert.Equal(t, test.want, outcome(test.j))
	}
}
