package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

// index takes a document in and waits for its job.
func (w *world) index(tenant, docID, text string) job.Job {
	w.t.Helper()
	j, err := w.client(tenant).Follow(w.t.Context(), w.submit(tenant, docID, text), func(job.Job) {})
	require.NoError(w.t, err)
	return j
}

func TestDocumentsAndJobsAreListed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.Before = func(_ llm.Call, texts []string) error {
			if strings.Contains(texts[0], "poison") {
				return fault.Invalidf("texts", "text_refused", "the model does not take it")
			}
			return nil
		}
		w.index("acme", "kb/a.md", "Water.")
		time.Sleep(time.Second)
		w.index("acme", "kb/b.md", "Some poison.")
		w.index("acme", "other.md", "Walls.")
		w.index("globex", "kb/a.md", "Fire.")

		code, out, errs := w.run(t.Context(), "acme", "documents", "--prefix", "kb/")
		assert.Equal(t, exitOK, code, errs)
		assert.Equal(t, `
┌──────────┬─────────┬────────────┬───────┬────────┬──────────────────────┬────────────────────────────────────────────────────────────┐
│ DOCUMENT │ STATE   │ SEARCHABLE │ BYTES │ CHUNKS │ CHANGED              │ WHY NOT                                                    │
├──────────┼─────────┼────────────┼───────┼────────┼──────────────────────┼────────────────────────────────────────────────────────────┤
│ kb/a.md  │ indexed │ yes        │     6 │      1 │ 2026-11-22 10:00:00Z │                                                            │
│ kb/b.md  │ failed  │ no         │    12 │      1 │ 2026-11-22 10:00:00Z │ failed at embed: the model does not take it (text_refused) │
└──────────┴─────────┴────────────┴───────┴────────┴──────────────────────┴────────────────────────────────────────────────────────────┘
`, "\n"+out)
		code, out, errs = w.run(t.Context(), "acme", "documents", "--state", "failed", "--json")
		assert.Equal(t, exitOK, code, errs)
		var d corpus.Document
		require.NoError(t, json.Unmarshal([]byte(out), &d))
		assert.Equal(t, "kb/b.md", d.ID)
		code, out, errs = w.run(t.Context(), "acme", "documents", "--limit", "1")
		assert.Equal(t, exitOK, code)
		assert.NotContains(t, out, "kb/b.md")
		assert.Equal(t, "there are more: --limit 0 lists all\n", errs)
		code, out, _ = w.run(t.Context(), "globex", "documents", "--state", "failed")
		assert.Equal(t, []any{exitOK, "no documents\n"}, []any{code, out})
		code, _, errs = w.run(t.Context(), "globex", "documents", "--state", "lost")
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, errs, "--state lost: is none of submitted, chunked, indexed, failed, cancelled or deleted")

		code, out, errs = w.run(t.Context(), "acme", "jobs")
		assert.Equal(t, exitOK, code, errs)
		assert.Equal(t, `
┌──────────────────────────────────────┬────────┬──────────────────────┬──────────┬────────┬────────┬──────────────────────┬──────┐
│ JOB                                  │ KIND   │ STATE                │ WHAT     │ DONE   │ FAILED │ CREATED              │ TOOK │
├──────────────────────────────────────┼────────┼──────────────────────┼──────────┼────────┼────────┼──────────────────────┼──────┤
│ 00000000-0000-0000-0000-000000000002 │ ingest │ succeeded            │ other.md │ 1 of 1 │      0 │ 2026-11-22 10:00:00Z │   0s │
│ 00000000-0000-0000-0000-000000000001 │ ingest │ failed, text_refused │ kb/b.md  │ 0 of 1 │      1 │ 2026-11-22 10:00:00Z │   0s │
│ 00000000-0000-0000-0000-000000000003 │ ingest │ succeeded            │ kb/a.md  │ 1 of 1 │      0 │ 2026-11-22 10:00:00Z │   0s │
└──────────────────────────────────────┴────────┴──────────────────────┴──────────┴────────┴────────┴──────────────────────┴──────┘
`, "\n"+out)
		code, out, errs = w.run(t.Context(), "acme", "jobs", "--state", "failed", "--json")
		assert.Equal(t, exitOK, code, errs)
		assert.Equal(t, 1, strings.Count(out, "\n"))
		code, out, _ = w.run(t.Context(), "acme", "jobs", "--kind", "import")
		assert.Equal(t, []any{exitOK, "no jobs\n"}, []any{code, out})

		code, out, errs = w.run(t.Context(), "acme", "documents", "show", "kb/b.md")
		assert.Equal(t, exitOK, code, errs)
		assert.Equal(t, `
document     kb/b.md
type         text/plain, 12 bytes
version      1, failed
searchable   no
why not      failed at embed: the model does not take it (text_refused)
chunks       1
job          00000000-0000-0000-0000-000000000001
created      2026-11-22 10:00:00Z
changed      2026-11-22 10:00:00Z
┌────────┬──────┬────┬──────────────────────┬──────────────┐
│ STAGE  │ DONE │ OF │ AT                   │ ERROR        │
├────────┼──────┼────┼──────────────────────┼──────────────┤
│ submit │    1 │  1 │ 2026-11-22 10:00:00Z │              │
│ chunk  │    1 │  1 │ 2026-11-22 10:00:00Z │              │
│ embed  │    0 │  0 │ 2026-11-22 10:00:00Z │ text_refused │
└────────┴──────┴────┴──────────────────────┴──────────────┘
┌─────────┬────────┬───────┬────────┬──────────────────────┬──────────────┐
│ VERSION │ STATE  │ BYTES │ CHUNKS │ SUBMITTED            │ REASON       │
├─────────┼────────┼───────┼────────┼──────────────────────┼──────────────┤
│       1 │ failed │    12 │      1 │ 2026-11-22 10:00:00Z │ text_refused │
└─────────┴────────┴───────┴────────┴──────────────────────┴──────────────┘
`, "\n"+out)
		code, _, errs = w.run(t.Context(), "globex", "documents", "show", "kb/b.md")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "document_not_found")
	})
}

func TestADocumentIsDeleted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.index("acme", "kb/a.md", "Water.")
		w.index("acme", "kb/a.md", "Water and walls.")
		w.index("globex", "kb/a.md", "Fire.")
		code, out, errs := w.run(t.Context(), "acme", "documents", "delete", "kb/a.md")
		assert.Equal(t, exitOK, code, errs)
		assert.Equal(t, "erasure of kb/a.md: succeeded: 1 generation, 1 vector, 1 passage and 1 text removed, 0 remaining, checked 2026-11-22 10:00:00Z\n", out)
		code, _, errs = w.run(t.Context(), "acme", "documents", "delete", "nothing")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "document_not_found")
		code, out, errs = w.run(t.Context(), "globex", "documents")
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "kb/a.md", "another tenant's stays")
	})
}

func TestATenantIsErased(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.index("acme", "kb/a.md", "Water.")
		w.index("acme", "kb/b.md", "Walls.")
		w.index("globex", "kb/a.md", "Fire.")
		code, _, errs := w.run(t.Context(), "acme", "erase")
		assert.Equal(t, exitUsage, code, errs)
		code, _, errs = w.run(t.Context(), "acme", "erase", "--confirm", "globex")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "confirmation_required")
		code, out, errs := w.run(t.Context(), "acme", "erase", "--confirm", "acme")
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "erasure of everything: succeeded, checked 2026-11-22 10:00:00Z\n  documents  2 removed, 0 remaining\n  sessions   0 removed, 0 remaining\n")
		_, out, _ = w.run(t.Context(), "acme", "documents")
		assert.Equal(t, "no documents\n", out)
		_, out, _ = w.run(t.Context(), "globex", "documents")
		assert.Contains(t, out, "kb/a.md", "another tenant's stays")
		w.index("acme", "kb/a.md", "Water again.")
	})
}

func TestAJobIsCancelled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.Before = func(llm.Call, []string) error { return fault.Unavailablef(nil, "model_busy", "later") }
		id := w.submit("acme", "a.md", "Water.")
		code, _, errs := w.run(t.Context(), "globex", "jobs", "cancel", id)
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "job_not_found")
		code, out, errs := w.run(t.Context(), "acme", "jobs", "cancel", id)
		assert.Equal(t, exitOK, code, errs)
		assert.Equal(t, "document a.md: cancelled\n", out)
		code, out, errs = w.run(t.Context(), "acme", "jobs", "follow", id)
		assert.Equal(t, exitProblem, code)
		assert.Equal(t, "document a.md: cancelled\n", out)
		assert.Contains(t, errs, "cancelled")
	})
}

func TestWhyNot(t *testing.T) {
	for want, why := range map[string]*corpus.NotSearchable{
		"": nil,
		"waiting: it waits for its turn; 7 documents before it":                           {Code: corpus.WhyWaiting, Message: "it waits for its turn", Before: 7},
		"retrying at embed: busy (model_busy); 3 attempts; again at 1970-01-01 00:01:00Z": {Code: corpus.WhyRetrying, Stage: "embed", Message: "busy", Error: "model_busy", Attempts: 3, Next: time.Unix(60, 0)},
		"in progress at index: 1 of 2 slices are in the index":                            {Code: corpus.WhyInProgress, Stage: "index", Message: "1 of 2 slices are in the index"},
	} {
		assert.Equal(t, want, whyNot(why))
	}
}
