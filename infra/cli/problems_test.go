package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

func TestAllProblemsOfAnImportAreListed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.Before = func(_ llm.Call, texts []string) error {
			if strings.Contains(strings.Join(texts, ""), "poison") {
				return fault.Invalidf("texts", "text_refused", "the model does not take it")
			}
			return nil
		}
		docs := []client.Document{{DocID: "a.md", Text: "Water."}, {DocID: "b b", Text: "Walls."}, {DocID: "c.md", Text: "Some poison."}}
		in, err := w.client("acme").IngestBatch(t.Context(), client.Batch{Documents: slices.Values(docs)})
		require.NoError(t, err)
		code, _, errs := w.run(t.Context(), "acme", "jobs", "follow", in.JobID)
		assert.Equal(t, exitProblem, code, errs)

		code, out, errs := w.run(t.Context(), "acme", "jobs", "problems", in.JobID)
		assert.Equal(t, exitOK, code, errs)
		assert.Equal(t, `
┌──────┬──────────┬────────┬────────────────┬───────────────────────────────────┬──────────────────────┐
│ LINE │ DOCUMENT │ STAGE  │ CODE           │ MESSAGE                           │ WHEN                 │
├──────┼──────────┼────────┼────────────────┼───────────────────────────────────┼──────────────────────┤
│    2 │          │ submit │ doc_id_invalid │ docId: "b b" is not a document id │ 2026-11-22 10:00:00Z │
│    3 │ c.md     │ embed  │ text_refused   │ the model does not take it        │ 2026-11-22 10:00:00Z │
└──────┴──────────┴────────┴────────────────┴───────────────────────────────────┴──────────────────────┘
`, "\n"+out)
		code, out, errs = w.run(t.Context(), "acme", "jobs", "problems", "--json", "--limit", "1", in.JobID)
		assert.Equal(t, []any{exitOK, "there are more: --limit 0 lists all\n"}, []any{code, errs})
		var p job.Problem
		require.NoError(t, json.Unmarshal([]byte(out), &p))
		assert.Equal(t, []any{2, "doc_id_invalid"}, []any{p.Line, p.Code})

		code, out, errs = w.run(t.Context(), "acme", "jobs", "problems", w.submit("acme", "d.md", "Water."))
		assert.Equal(t, []any{exitOK, "no problems\n", ""}, []any{code, out, errs})
		code, _, errs = w.run(t.Context(), "globex", "jobs", "problems", in.JobID)
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "job_not_found")
	})
}

// A report names those that it knows of, and says how many more there are and where.
func TestAReportSaysWhereTheRestIs(t *testing.T) {
	var refused []job.Problem
	for line := range 5 {
		refused = append(refused, job.Problem{Line: line + 1, Code: "invalid_json", Message: "no"})
	}
	failed := job.Problem{Line: 9, DocID: "a", Code: "text_refused", Message: "no"}
	for name, test := range map[string]struct {
		counted int
		j       job.Job
		shown   int
		more    string
	}{
		"all are named":              {5, job.Job{ID: "i", Errors: append(slices.Clone(refused), failed), Counts: job.Counts{Failed: 6}}, 6, ""},
		"nothing was looked at yet":  {5, job.Job{ID: "i"}, 5, ""},
		"the answer named the first": {12, job.Job{ID: "i"}, 5, "and 7 more"},
		"the job counts on":          {12, job.Job{ID: "i", Errors: append(slices.Clone(refused), failed), Counts: job.Counts{Failed: 20}}, 6, "and 14 more"},
	} {
		t.Run(name, func(t *testing.T) {
			all := view{}.together(refused, test.counted, test.j, nil)
			if test.more == "" {
				assert.Len(t, all, test.shown)
				return
			}
			require.Len(t, all, test.shown+1)
			last := all[test.shown]
			assert.Equal(t, []string{test.more, "levada jobs problems i lists all"}, []string{last.File, last.Message})
			assert.Contains(t, fmt.Sprint(view{Stderr: &strings.Builder{}}.fail(all)), fmt.Sprintf("%d documents failed", max(test.counted, test.j.Counts.Failed)))
		})
	}
}
