package book

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// submitted is the receipt of a submission that was taken before, which is found by its job.
func submitted(r rows.Tx, docID, jobID string) (first corpus.Receipt, found bool, err error) {
	var row jobRow
	if found, err := rows.Read(r, jobPrefix+jobID, &row); err != nil || !found {
		return corpus.Receipt{}, false, err
	}
	if row.Barred {
		return corpus.Receipt{}, true, fault.New(fault.Conflict, "text_erased", "the document was erased while it was submitted", nil).
			WithHint("submit it again")
	}
	if row.Kind != "" || row.DocID != docID {
		return corpus.Receipt{}, true, fault.New(fault.Conflict, "job_exists", "there is another job of this id", nil)
	}
	unchanged := row.End != nil && row.End.Unchanged
	return corpus.Receipt{DocID: docID, JobID: jobID, Generation: row.Generation, Unchanged: unchanged}, true, nil
}

// unchanged reports whether a submission would make the searchable generation once more, and nothing was submitted since.
// What was submitted and failed is tried anew.
func (d *document) unchanged(sub corpus.Submission, sp *spaces) bool {
	g := d.generation(d.Searchable)
	if g == nil || d.Searchable != d.Newest || g.State != corpus.Indexed || g.SHA256 == "" || g.About == nil {
		return false
	}
	if g.SHA256 != sub.SHA256 || !sp.has(g, cmp.Or(sp.Active, sub.Model)) || g.ContentType != sub.ContentType || g.Chunking != sub.Chunking {
		return false
	}
	is, err := json.Marshal(g.About)
	want, err2 := json.Marshal(sub.About)
	return err == nil && err2 == nil && bytes.Equal(is, want)
}

// nothingToDo answers a submission whose document is searchable already: one row, the job that has succeeded.
func (c *change) nothingToDo(o *open, sub corpus.Submission, importID string) (corpus.Receipt, error) {
	g, now := o.generation(o.Searchable), c.now.UTC()
	row := jobRow{DocID: o.ID, Generation: g.Number, Created: now.UnixMilli(), End: &job.Job{
		ID: sub.JobID, Kind: job.Ingest, State: job.Succeeded, Stage: string(corpus.StageIndex), DocID: o.ID, ImportID: importID, Unchanged: true,
		Counts: job.Counts{Total: g.Slices, Done: g.Slices, Unchanged: g.Slices}, Percent: 100, CreatedAt: now, UpdatedAt: now,
	}}
	rec := corpus.Receipt{DocID: o.ID, JobID: sub.JobID, Generation: g.Number, Unchanged: true}
	return rec, errors.Join(
		rows.Write(c.rows, jobPrefix+sub.JobID, row), c.tally(importID, ending{state: job.Succeeded, docID: o.ID, unchanged: true}))
}
